// Somebody with one of the example's pages open, who reads what it says and presses its buttons.
import type { Browser, Locator, Page } from 'playwright-core'
import type { Test } from 'tap'
import { until } from '../helpers/until.js'

const WITHIN_MS = 30_000

interface Video {
  readonly videoWidth: number
  getVideoPlaybackQuality(): { readonly totalVideoFrames: number }
}

/** So that a test can make happen to a connection what otherwise the network does. */
const KEEP_CONNECTIONS = `
  globalThis.connections = []
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...options) {
      super(...options)
      connections.push(this)
    }
  }`

export class Tab {
  readonly page: Page
  /** What the page did not catch. */
  readonly faults: Error[] = []

  /** A browser of its own, as far as the page can tell, on a link that signs in. */
  static async open<T extends Tab>(this: new (page: Page) => T, t: Test, browser: Browser, link: string): Promise<T> {
    const context = await browser.newContext({ permissions: ['camera', 'microphone'] })
    t.teardown(() => context.close())
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

  /** As the page does when the network has changed under its feet. */
  restartIce(): Promise<void> {
    return this.page.evaluate('connections.at(-1).restartIce()')
  }

  /** Asks for a negotiation, as a page does that wants to send more. */
  async wantsMore(): Promise<void> {
    await this.page.evaluate('void connections.at(-1).addTransceiver("audio")')
  }

  /** What the page asks for there waits until the function it resolves with is called. */
  async holdsBack(path: string): Promise<() => void> {
    let letGo = () => {}
    const released = new Promise<void>(resolve => {
      letGo = resolve
    })
    await this.page.route(path, route => released.then(() => route.continue()))
    return letGo
  }

  /** The ICE generation the page is in. */
  ufrag(): Promise<string> {
    return this.page.evaluate('connections.at(-1).localDescription.sdp.match(/ice-ufrag:(.*)/)[1]')
  }

  reads(text: string): Promise<void> {
    return this.page.locator('#status', { hasText: text }).waitFor()
  }

  /** How the page hears the server: live, reconnecting, polling, closed. */
  isConnected(state: string): Promise<void> {
    return this.page.locator(`#connection[data-state="${state}"]`).waitFor()
  }

  /** Resolves when so many lines of the log are about what was sent (`POST hold`) or received (`call.held`). */
  logs(type: string, times = 1): Promise<void> {
    return this.page.locator(`#log [data-type="${type}"] >> nth=${times - 1}`).waitFor()
  }

  log(): Promise<{ type: string; id: string }[]> {
    return this.page.evaluate(`[...document.querySelectorAll('#log li')].map(({ dataset }) => ({ ...dataset }))`)
  }

  /** The place in the mailbox of each event the page took, in the order it took them. */
  async places(): Promise<number[]> {
    const events = (await this.log()).filter(({ type }) => /^(call|signal|room|chat)\./.test(type))
    return events.map(({ id }) => Number(id.split('.')[0]))
  }

  /** Resolves when the picture in this video moves. */
  protected async plays(video: Locator): Promise<void> {
    const before = await framesOf(video)
    await until('the video plays', async () => (await framesOf(video)) > before + 5, WITHIN_MS)
  }
}

/** Pictures decoded so far; 0 as long as none can be seen. */
function framesOf(video: Locator): Promise<number> {
  return video.evaluate((element: unknown) => {
    const video = element as Video
    return video.videoWidth > 0 ? video.getVideoPlaybackQuality().totalVideoFrames : 0
  })
}
