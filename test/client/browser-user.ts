// A user with a page of the SDK open (page.js), in Chromium or Firefox.
import type { Test } from 'tap'
import { tokenOf } from '../helpers/servers.js'

/** What the drivers of both browsers have in common. */
export interface BrowserPage {
  goto(url: string): Promise<unknown>
  evaluate(script: string): Promise<unknown>
  reload(): Promise<unknown>
  close(options?: { runBeforeUnload?: boolean }): Promise<unknown>
}

export interface Opening {
  readonly origin: string
  /** Of the node. */
  readonly url: string
  readonly user: string
  readonly page: BrowserPage
}

export class BrowserUser {
  readonly page: BrowserPage
  readonly #opening: Opening

  private constructor(opening: Opening) {
    this.#opening = opening
    this.page = opening.page
  }

  static async open(opening: Opening, options: object = {}): Promise<BrowserUser> {
    const user = new BrowserUser(opening)
    await opening.page.goto(opening.origin)
    await user.connect(options)
    return user
  }

  /** Once the page is there. */
  async connect(options: object = {}): Promise<void> {
    const { url, user } = this.#opening
    const all = { url, token: await tokenOf(user), device: `page of ${user}`, ...options }
    await this.page.evaluate(
      'new Promise(resolve => { const wait = () => globalThis.sdk ? resolve() : setTimeout(wait, 10); wait() })'
    )
    await this.do('connect', all)
  }

  async reload(options: object = {}): Promise<void> {
    await this.page.reload()
    await this.connect(options)
  }

  /** A function of `sdk`. */
  do(name: string, ...values: readonly unknown[]): Promise<unknown> {
    return this.page.evaluate(`(async () => await sdk.${name}(...${JSON.stringify(values)}))()`)
  }

  run(script: string): Promise<unknown> {
    return this.page.evaluate(`(async () => ${script})()`)
  }

  until(condition: string): Promise<unknown> {
    return this.page.evaluate(`(async () => { await sdk.until(() => ${condition}) })()`)
  }
}

export async function checkErrors(t: Test, ...users: readonly BrowserUser[]): Promise<void> {
  for (const user of users) t.same(await user.do('errors'), [])
}
