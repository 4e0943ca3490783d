// A user with the room page open in Firefox.
import { readFileSync } from 'node:fs'
import type { Page } from 'puppeteer-core'
import type { Test } from 'tap'
import { launchFirefox } from '../browser/firefox.js'
import { KEEP_CONNECTIONS } from '../browser/tab.js'
import { until } from '../helpers/until.js'
import { PAGE_SCRIPT, type Pictures, WITHIN_MS } from './conference-tab.js'

export class FirefoxTab {
  /** Errors that the page did not catch. */
  readonly faults: Error[] = []
  readonly #page: Page

  /** Starts a Firefox that opens the link. */
  static async open(t: Test, link: string): Promise<FirefoxTab> {
    const browser = await launchFirefox(t)
    const tab = new FirefoxTab(await browser.newPage())
    await tab.#replace('/dist/mediasoup-client.js', readFileSync(process.env.MEDIASOUP_CLIENT ?? ''))
    await tab.#page.evaluateOnNewDocument(KEEP_CONNECTIONS)
    await tab.#page.goto(link)
    return tab
  }

  private constructor(page: Page) {
    this.#page = page
    page.on('pageerror', error => this.faults.push(error as Error))
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
