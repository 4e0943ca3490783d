// What became of the last thing that was broken on purpose: how long it took to heal, and whether anything was lost.
import type { ConnectionState } from '../../client/src/index.js'

export class Healing {
  /** For the user of the page; empty before anything was broken. */
  text = ''
  /** In ms since the epoch. Null: the connection is there, or has not begun. */
  #lostAt: number | null = null
  #isUp = false
  #resets = 0
  #held = 0

  reset(): void {
    this.#resets++
  }

  connection(state: ConnectionState): void {
    const isUp = state === 'live' || state === 'polling'
    if (this.#isUp && !isUp) this.#lose()
    if (isUp && this.#lostAt !== null) this.#heal(state === 'live' ? 'a new stream' : 'long-poll', this.#lostAt)
    if (state === 'closed') this.#lostAt = null
    this.#isUp = isUp
  }

  #lose(): void {
    this.#lostAt = Date.now()
    this.#resets = 0
    this.text = 'Cut: connects again…'
  }

  #heal(by: string, lostAt: number): void {
    const isWhole = this.#resets === 0
    const end = isWhole ? 'nothing was lost' : 'the state was read anew'
    this.text = `Healed in ${((Date.now() - lostAt) / 1000).toFixed(1)} s by ${by}: ${end}`
    this.#lostAt = null
  }

  /** A message with candidates is held back. Call the returned function when it goes on. */
  hold(ms: number): () => void {
    this.#held++
    this.#showHeld(ms)
    return () => {
      this.#held--
      this.#showHeld(ms)
    }
  }

  #showHeld(ms: number): void {
    const seconds = `${ms / 1000} s`
    if (this.#held > 0) this.text = `Candidates are held back for ${seconds}…`
    else this.text = `Healed: candidates came ${seconds} late, and the call uses them all the same`
  }
}
