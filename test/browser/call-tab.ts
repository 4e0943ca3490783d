// A user with the call page open.
import { Tab } from './tab.js'

export class CallTab extends Tab {
  async call(other: string): Promise<void> {
    await this.page.getByRole('textbox', { name: 'Call', exact: true }).fill(other)
    await this.press('Call')
  }

  /** Resolves when the video of the other side plays. */
  seesVideo(): Promise<void> {
    return this.plays(this.page.locator('#remote'))
  }
}
