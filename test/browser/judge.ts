// Chromium as the judge of descriptions and candidates.
import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import type { CandidateInput } from '../../src/schemas/signal.js'
import { launchChromium } from './chromium.js'

/** Null: accepted; else the message of the exception. */
export type Verdict = string | null

/** Chromium refuses a page its 500th connection, counting closed ones that it has not collected. */
const CONNECTIONS_OF_PAGE = 200

export class Judge {
  /** Of the one media section that candidates are added to. */
  readonly mid = '0'
  readonly #page: Page

  private constructor(page: Page) {
    this.#page = page
  }

  static async open(t: Test): Promise<Judge> {
    const page = await (await launchChromium(t)).newPage()
    await page.addScriptTag({ content: readFileSync(new URL('judge-page.js', import.meta.url), 'utf8') })
    return new Judge(page)
  }

  /** Of `setRemoteDescription`. */
  judgeOffers(sdps: readonly string[]): Promise<Verdict[]> {
    return this.#judge('judgeOffers', sdps)
  }

  /** Of `addIceCandidate`. */
  judgeCandidates(candidates: readonly CandidateInput[]): Promise<Verdict[]> {
    return this.#judge('judgeCandidates', candidates)
  }

  async #judge(name: string, inputs: readonly unknown[]): Promise<Verdict[]> {
    const verdicts: Verdict[] = []
    for (let start = 0; start < inputs.length; start += CONNECTIONS_OF_PAGE) {
      const some = inputs.slice(start, start + CONNECTIONS_OF_PAGE)
      // Collects the closed connections.
      await this.#page.requestGC()
      verdicts.push(...((await this.#page.evaluate(`${name}(${JSON.stringify(some)})`)) as Verdict[]))
    }
    return verdicts
  }
}
