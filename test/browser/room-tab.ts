// A user with the room page open.
import { isDeepStrictEqual } from 'node:util'
import { until } from '../helpers/until.js'
import { Tab } from './tab.js'

export class RoomTab extends Tab {
  /** Resolves when the page shows exactly these other users, and the video of each plays. */
  async sees(...others: readonly string[]): Promise<void> {
    const users = () => this.page.locator('.tile[data-user]:not(.own) b').allTextContents()
    await until(`there are tiles of ${others}`, async () =>
      isDeepStrictEqual((await users()).sort(), [...others].sort())
    )
    await Promise.all(others.map(user => this.plays(this.tileOf(user).locator('video'))))
  }

  /** Resolves when the tile of the user says `away`, or no longer does. */
  seesAway(user: string, isAway: boolean): Promise<void> {
    const tile = this.tileOf(user, isAway ? '.away' : ':not(.away)')
    return tile.filter(isAway ? { hasText: 'away' } : { hasNotText: 'away' }).waitFor()
  }

  async participantOf(user: string): Promise<string> {
    return String(await this.tileOf(user).getAttribute('data-participant'))
  }

  async writes(text: string): Promise<void> {
    await this.page.getByRole('textbox', { name: 'Message' }).fill(text)
    await this.press('Send')
  }

  /** Resolves when these are the last messages, such as `alice: hello`. */
  async hasRead(...lines: readonly string[]): Promise<void> {
    const read = async () => (await this.lines()).slice(-lines.length)
    await until(`${lines.at(-1)} has been read`, async () => isDeepStrictEqual(await read(), lines))
  }

  async hasLines(count: number): Promise<void> {
    await until(`${count} lines have been read`, async () => (await this.lines()).length === count)
  }

  lines(): Promise<string[]> {
    return this.page.locator('#messages li').allTextContents()
  }

  /** The device id of this tab. */
  device(): Promise<string> {
    return this.page.evaluate('sessionStorage.getItem("device")')
  }

  /** The errors in the log of the page. */
  failures(): Promise<string[]> {
    return this.page.locator('#log .error').allTextContents()
  }

  protected tileOf(user: string, state = '') {
    return this.page.locator(`.tile[data-user="${user}"]${state}`)
  }
}
