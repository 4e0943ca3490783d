// From the outbox of a user's presence to all who watch it. As in a room (telling.ts) one node at a time tells, oldest first. But
// those who watch may be very many: they are read and told a piece at a time. If the node dies in between, another one begins anew,
// and mailboxes drop what comes to them twice.
import type { OutboxEntry, Stamp } from '../store/aggregate.js'
import type { Watcher, WatchTelling } from '../store/watches.js'
import { ENTRIES_MAX, HOLD_MS, oneAtATime, type Tell, type TellerOptions } from './telling.js'

/** So many devices are told at once: enough to keep Redis busy, and soon done. */
const PIECE = 256

interface WatchTellerOptions extends TellerOptions {
  /** The node closes: another one goes on. */
  readonly closing: AbortSignal
}

export function createWatchTeller({ store, clock, node, closing }: WatchTellerOptions): Tell {
  /** Each device remembers for itself what it took: two of one user may be in different pieces. */
  function append(user: string, entries: readonly OutboxEntry[], watchers: readonly Watcher[]): Promise<unknown> {
    const now = clock.now()
    const told = entries.map(({ version, tag, items }) => ({ version, tag, events: items.flatMap(encode) }))
    return Promise.all(
      watchers.map(({ user: watcher, device }) => {
        const source = { kind: 'presence', id: `${user}/${device}` } as const
        const commits = told.map(({ events, ...commit }) => {
          return { ...commit, entries: events.map(event => ({ ...event, device })) }
        })
        return store.mailboxes.append(watcher, { source, commits, now })
      })
    )
  }

  return oneAtATime(async user => {
    let settled: Stamp | null = null
    let upTo: Stamp | null = null
    let from: string | null = null
    while (!closing.aborted) {
      const options = { node, settled, limit: ENTRIES_MAX, from, piece: PIECE, holdMs: HOLD_MS, now: clock.now() }
      const telling: WatchTelling = await store.watches.tell(user, options)
      if (telling.status !== 'entries') return
      const { entries, watchers, next } = telling
      // What is committed later comes to the later pieces sooner, and to all with the next round.
      if (from === null) upTo = entries.at(-1) ?? upTo
      await append(user, entries, watchers)
      if (next === null) settled = upTo
      from = next
    }
  })
}

/** Encoded once: this very text goes to every client. */
const encode = (item: OutboxEntry['items'][number]) =>
  item.do === 'tell' ? [{ type: item.event.type, envelope: JSON.stringify(item.event) }] : []
