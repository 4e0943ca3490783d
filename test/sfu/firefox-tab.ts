// A user with the room page open in Firefox, over WebDriver BiDi. `npm run test:sfu` has installed the driver (scripts/firefox-driver.mjs), which
// is no dependency of this package, so what is used of it is declared here.
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { Test } from 'tap'
import { findBrowser } from '../browser/find-browser.js'
import { KEEP_CONNECTIONS } from '../browser/tab.js'
import { until } from '../helpers/until.js'
import { PAGE_SCRIPT, type Pictures, WITHIN_MS } from './conference-tab.js'

/** Fake devices; no question to the user; candidates without multicast DNS, which this machine may not have; videos play at once. */
const PREFERENCES = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.autoplay.default': 0
}

interface Request {
  url(): string
  respond(reply: { readonly contentType: string; readonly body: Buffer }): Promise<void>
  continue(): Promise<void>
}

interface Page {
  on(event: 'request', listener: (request: Request) => unknown): void
  on(event: 'pageerror', listener: (error: Error) => unknown): void
  setRequestInterception(isOn: boolean): Promise<void>
  evaluateOnNewDocument(script: string): Promise<unknown>
  evaluate(script: string): Promise<unknown>
  goto(url: string): Promise<unknown>
}

interface Driver {
  launch(options: object): Promise<{ newPage(): Promise<Page>; close(): Promise<void> }>
}

export class FirefoxTab {
  /** Errors that the page did not catch. */
  readonly faults: Error[] = []
  readonly #page: Page

  /** Starts a Firefox that opens the link. */
  static async open(t: Test, link: string): Promise<FirefoxTab> {
    const { PUPPETEER_CORE = '', MEDIASOUP_CLIENT = '' } = process.env
    const { default: driver } = (await import(pathToFileURL(PUPPETEER_CORE).href)) as { default: Driver }
    const browser = await driver.launch({
      browser: 'firefox',
      executablePath: findBrowser(['firefox-esr', 'firefox'], 'FIREFOX_PATH'),
      extraPrefsFirefox: PREFERENCES
    })
    t.teardown(() => browser.close())
    const tab = new FirefoxTab(await browser.newPage())
    await tab.#replace('/dist/mediasoup-client.js', readFileSync(MEDIASOUP_CLIENT))
    await tab.#page.evaluateOnNewDocument(KEEP_CONNECTIONS)
    await tab.#page.goto(link)
    return tab
  }

  private constructor(page: Page) {
    this.#page = page
    page.on('pageerror', error => this.faults.push(error))
  }

  /** Answers requests to this path with the body. */
  async #replace(path: string, body: Buffer): Promise<void> {
    await this.#page.setRequestInterception(true)
    this.#page.on('request', request =>
      request.url().endsWith(path) ? request.respond({ contentType: 'text/javascript', body }) : request.continue()
    )
  }

  reads(text: string): Promise<void> {
    const script = `document.querySelector('#status').textContent.includes(${JSON.stringify(text)})`
    return until(`Firefox reads ${text}`, () => this.#page.evaluate(script), WITHIN_MS)
  }

  /** What the page receives, by user. */
  async pictures(): Promise<Pictures> {
    return (await this.#page.evaluate(`${PAGE_SCRIPT}; pictures.now()`)) as Pictures
  }

  /** Resolves when frames of exactly these users arrive. */
  async receives(...users: readonly string[]): Promise<void> {
    const holds = `pictures.areOf(${JSON.stringify(users)}, {})`
    const missed = await this.#page.evaluate(`${PAGE_SCRIPT}; pictures.until(${holds}, ${WITHIN_MS})`)
    if (missed === null) return
    const log = await this.#page.evaluate(`document.querySelector('#log').innerText.slice(-2000)`)
    throw new Error(`waited in vain for ${holds}; the page receives ${JSON.stringify(missed)}; its log: ${log}`)
  }

  /** The errors in the log of the page, and those that it did not catch. */
  async failures(): Promise<string[]> {
    const shown = `[...document.querySelectorAll('#log .error')].map(({ textContent }) => textContent)`
    return [...((await this.#page.evaluate(shown)) as string[]), ...this.faults.map(({ message }) => message)]
  }
}
