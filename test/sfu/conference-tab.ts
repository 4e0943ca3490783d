// A user with the room page open, whose pictures are measured by the statistics of WebRTC.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { RoomTab } from '../browser/room-tab.js'
import { until } from '../helpers/until.js'

export const PAGE_SCRIPT = readFileSync(fileURLToPath(new URL('pictures-page.js', import.meta.url)), 'utf8')
export const WITHIN_MS = 45_000

export interface Picture {
  readonly track?: string
  readonly frames: number
  readonly width: number
}
export type Pictures = Readonly<Record<string, Picture>>

export class ConferenceTab extends RoomTab {
  /** What the page receives, by user. */
  async pictures(): Promise<Pictures> {
    return (await this.page.evaluate(`${PAGE_SCRIPT}; pictures.now()`)) as Pictures
  }

  /** Resolves when frames of exactly these users arrive on tracks that are not those of before. */
  receives(users: readonly string[], before: Pictures = {}): Promise<void> {
    return this.#waitFor('areOf', users, before)
  }

  /** Resolves when more frames have arrived on the same tracks. */
  receivesOn(before: Pictures): Promise<void> {
    return this.#waitFor('goOnFrom', before)
  }

  async widthOf(user: string): Promise<number> {
    return (await this.pictures())[user]?.width ?? 0
  }

  /** Resolves when the picture of the user arrives with a larger width. */
  receivesWider(user: string, than: number): Promise<void> {
    return this.#waitFor('isWider', user, than)
  }

  receivesNarrower(user: string, than: number): Promise<void> {
    return this.#waitFor('isNarrower', user, than)
  }

  /** `mode`: p2p or sfu. */
  hasMode(mode: string): Promise<void> {
    return this.page.locator(`body[data-mode="${mode}"]`).waitFor()
  }

  /** A click enlarges the picture, or makes it small again. */
  clickPicture(user: string): Promise<void> {
    return this.tileOf(user).locator('video').click()
  }

  hasTilesOf(users: readonly string[]): Promise<void> {
    const shown = () => this.page.locator('.tile[data-user]:not(.own) b').allTextContents()
    return until(`there are tiles of ${users}`, async () => (await shown()).sort().join() === [...users].sort().join())
  }

  /** Resolves when the screen that this user shares plays. */
  playsScreen(user: string): Promise<void> {
    return this.plays(this.page.locator('.tile[data-picture="screen"]', { hasText: user }).locator('video'))
  }

  hasNoScreen(): Promise<void> {
    return this.page.locator('.tile[data-picture="screen"]').waitFor({ state: 'detached' })
  }

  /** Keeps the tracks of screens that are captured from now on. */
  watchCapture(): Promise<void> {
    return this.page.evaluate(`(media => {
      globalThis.capturedTracks = []
      const capture = media.getDisplayMedia.bind(media)
      media.getDisplayMedia = async options => {
        const stream = await capture(options)
        capturedTracks.push(...stream.getTracks())
        return stream
      }
    })(navigator.mediaDevices)`)
  }

  /** Whether the browser captures: `live` or `ended`, once each. */
  captureStates(): Promise<string[]> {
    return this.page.evaluate('[...new Set(capturedTracks.map(({ readyState }) => readyState))]')
  }

  /** Resolves when the table of who sends what to whom has this line, such as `bob you camera`, and `now` in its last cell. */
  async showsPath(line: string, now = ''): Promise<void> {
    const isShown = async () => (await this.#paths()).some(([path, text]) => path === line && text.includes(now))
    await until(`the page shows that ${line} ${now}`, isShown).catch(async ({ message }) => {
      throw new Error(
        `${message}; it shows ${JSON.stringify(await this.#paths())}, and as errors ${await this.failures()}`
      )
    })
  }

  /** Resolves when the table has no such line. */
  showsNoPath(line: string): Promise<void> {
    return until(`the page no longer shows that ${line}`, async () =>
      (await this.#paths()).every(([path]) => path !== line)
    )
  }

  #paths(): Promise<[path: string, now: string][]> {
    return this.page.evaluate(`[...document.querySelectorAll('#media tr')].map(({ dataset: { from, to, what }, lastChild }) =>
      [[from, to, what].join(' '), lastChild.textContent])`)
  }

  async #waitFor(condition: string, ...values: readonly unknown[]): Promise<void> {
    const holds = `pictures.${condition}(...${JSON.stringify(values)})`
    const missed = await this.page.evaluate(`${PAGE_SCRIPT}; pictures.until(${holds}, ${WITHIN_MS})`)
    if (missed === null) return
    const log = await this.page.locator('#log').innerText()
    throw new Error(
      `waited in vain for ${holds}; the page receives ${JSON.stringify(missed)}; its log: ${log.slice(-2000)}`
    )
  }
}
