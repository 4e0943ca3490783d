// What a device has received: the cursor, and the last events before it. Nothing else is kept between two connections.
import type { ReceivedEvent } from './stream.js'

const EVENTS_KEPT = 64

export class Inbox {
  /** `event` is null for a cursor to start from. */
  #entries: { readonly id: string; readonly event: ReceivedEvent | null }[] = []

  /** `cursor`: that of a snapshot, which has the effects of all events before it. */
  constructor(cursor: string) {
    this.restart(cursor)
  }

  get cursor(): string {
    return this.#entries.at(-1)?.id ?? ''
  }

  /** Whether the event is new. One without an id is no part of the mailbox and always new. */
  receive(event: ReceivedEvent): boolean {
    const { id } = event
    if (!id) return true
    if (this.#entries.some(entry => entry.id === id)) return false
    this.#entries = [...this.#entries.slice(1 - EVENTS_KEPT), { id, event }]
    return true
  }

  /** After a reset. */
  restart(cursor: string): void {
    this.#entries = [{ id: cursor, event: null }]
  }

  /** The events after a cursor; null: it is too old. */
  after(cursor: string): ReceivedEvent[] | null {
    const index = this.#entries.findIndex(({ id }) => id === cursor)
    return index < 0 ? null : this.#entries.slice(index + 1).flatMap(({ event }) => event ?? [])
  }
}
