// A user with one of the pages of the example open: reads its texts and presses its buttons.
import type { Browser, Locator, Page } from 'playwright-core'
import type { Test } from 'tap'
import { until } from '../helpers/until.js'

const WITHIN_MS = 30_000

interface Video {
  readonly videoWidth: number
  getVideoPlaybackQuality(): { readonly totalVideoFrames: number }
}

/** Keeps all peer connections in `connections`, so that a test can restart ICE on one. */
export const KEEP_CONNECTIONS = `
  globalThis.connections = []
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...options) {
      super(...options)
      connections.push(this)
    }
  }`

export class Tab {
  readonly page: Page
  /** Errors that the page did not catch. */
  readonly faults: Error[] = []

  /** Opens a link that signs in, in a browser context of its own. */
  static async open<T extends Tab>(this: new (page: Page) => T, t: Test, browser: Browser, link: string): Promise<T> {
    const context = await browser.newContext({ permissions: ['camera', 'microphone'] })
    t.teardown(() => context.close())
    // `npm run test:sfu` has built it outside the tree.
    const { MEDIASOUP_CLIENT: path } = process.env
    if (path) await context.route('**/dist/mediasoup-client.js', route => route.fulfill({ path }))
    const tab = new this(await context.newPage())
    await tab.page.addInitScript(KEEP_CONNECTIONS)
    await tab.page.goto(link)
    return tab
  }

  constructor(page: Page) {
    this.page = page
    page.setDefaultTimeout(WITHIN_MS)
    page.on('pageerror', error => this.faults.push(error))
  }

  press(name: string): Promise<void> {
    return this.page.getByRole('button', { name, exact: true }).click()
  }

  /** As after a change of network. */
  restartIce(): Promise<void> {
    return this.page.evaluate('connections.at(-1).restartIce()')
  }

  /** Fires negotiationneeded, as a page does that wants to send more media. */
  async addTransceiver(): Promise<void> {
    await this.page.evaluate('void connections.at(-1).addTransceiver("audio")')
  }

  /** Delays requests of the page to this path until the function that it resolves to is called. */
  async holdsBack(path: string): Promise<() => void> {
    let release = () => {}
    const released = new Promise<void>(resolve => {
      release = resolve
    })
    await this.page.route(path, route => released.then(() => route.continue()))
    return release
  }

  /** The ufrag of the page's ICE generation. */
  ufrag(): Promise<string> {
    return this.page.evaluate('connections.at(-1).localDescription.sdp.match(/ice-ufrag:(.*)/)[1]')
  }

  reads(text: string): Promise<void> {
    return this.page.locator('#status', { hasText: text }).waitFor()
  }

  /** `state` of the connection to the server: live, reconnecting, polling, closed. */
  isConnected(state: string): Promise<void> {
    return this.page.locator(`#connection[data-state="${state}"]`).waitFor()
  }

  /** Resolves when the log has this request (`POST hold`) or event (`call.held`) that many `times`. */
  logs(type: string, times = 1): Promise<void> {
    return this.page.locator(`#log [data-type="${type}"] >> nth=${times - 1}`).waitFor()
  }

  log(): Promise<{ type: string; id: string }[]> {
    return this.page.evaluate(`[...document.querySelectorAll('#log li')].map(({ dataset }) => ({ ...dataset }))`)
  }

  /** The sequence numbers of the events that the page received, in that order. */
  async positions(): Promise<number[]> {
    const events = (await this.log()).filter(({ type }) => /^(call|signal|room|chat)\./.test(type))
    return events.map(({ id }) => Number(id.split('.')[0]))
  }

  /** Resolves when this video plays. */
  protected async plays(video: Locator): Promise<void> {
    const before = await framesOf(video)
    await until('the video plays', async () => (await framesOf(video)) > before + 5, WITHIN_MS)
  }
}

/** Number of decoded frames; 0 while the video has no picture. */
function framesOf(video: Locator): Promise<number> {
  return video.evaluate((element: unknown) => {
    const video = element as Video
    return video.videoWidth > 0 ? video.getVideoPlaybackQuality().totalVideoFrames : 0
  })
}
