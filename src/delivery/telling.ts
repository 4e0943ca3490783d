// From a room's outbox to everybody who has a seat. One node at a time tells a room's events, oldest first and many at once, so
// that a thousand joins in a second are not a million dispatches; whoever commits meanwhile leaves them to it. If it dies,
// another one takes over, and mailboxes drop what comes to them twice.
import type { Clock } from '../clock.js'
import type { Stamp } from '../store/aggregate.js'
import type { RoomEntry, RoomItem, Seat, Telling } from '../store/rooms.js'
import type { MailboxEntry, Store } from '../store/store.js'

/** Resolves when everything that was committed before has been told, or another node is at it. Throws store_unavailable. */
export type Tell = (id: string) => Promise<void>

export interface TellerOptions {
  readonly store: Pick<Store, 'rooms' | 'watches' | 'mailboxes'>
  readonly clock: Clock
  /** This process, among those that share the store. */
  readonly node: string
}

export const ENTRIES_MAX = 64
/** A node that is silent for so long has died, and what it was telling still reaches everybody within two seconds. */
export const HOLD_MS = 1000

type SeatSince = Seat & { readonly since: number }

export function createTeller({ store, clock, node }: TellerOptions): Tell {
  async function tellAll(roomId: string): Promise<void> {
    for (let settled: Stamp | null = null; ; ) {
      const options = { node, settled, limit: ENTRIES_MAX, holdMs: HOLD_MS, now: clock.now() }
      const telling: Telling = await store.rooms.tell(roomId, options)
      if (telling.status !== 'entries') return
      await append(roomId, telling.entries, telling.seats)
      settled = telling.entries.at(-1) ?? settled
    }
  }

  async function append(roomId: string, entries: readonly RoomEntry[], seats: readonly SeatSince[]): Promise<void> {
    const source = { kind: 'room', id: roomId } as const
    const now = clock.now()
    const mail = sort(entries, seats)
    await Promise.all([...mail].map(([user, commits]) => store.mailboxes.append(user, { source, commits, now })))
  }

  return oneAtATime(tellAll)
}

/** In this process one at a time tells of the same, and whoever asks meanwhile waits for one more round. */
export function oneAtATime(tellAll: Tell): Tell {
  /** What is being told, and whether to look again afterwards. */
  const running = new Map<string, { done: Promise<void>; again: Promise<void> | null }>()

  function start(id: string): Promise<void> {
    const done = tellAll(id).finally(() => {
      if (running.get(id)?.done === done) running.delete(id)
    })
    running.set(id, { done, again: null })
    return done
  }

  return id => {
    const current = running.get(id)
    if (!current) return start(id)
    // The one at work may have looked already: what was committed since is told by the next round, one for all who wait.
    current.again ??= current.done.catch(() => undefined).then(() => start(id))
    return current.again
  }
}

interface Mail {
  readonly version: number
  readonly tag: string
  readonly entries: MailboxEntry[]
}

/** For each user what comes to their devices, commit by commit. */
function sort(entries: readonly RoomEntry[], seats: readonly SeatSince[]): Map<string, Mail[]> {
  const mail = new Map<string, Mail[]>()
  for (const { version, tag, items } of entries) {
    for (const item of items) {
      const { type, timestamp, data } = item.event
      // Which version it is became known when it was committed. Encoded once: this very text goes to every client.
      const envelope = JSON.stringify({ type, timestamp, data: { ...data, version } })
      for (const to of addressees(item, version, seats)) {
        const commits = mail.get(to.user) ?? []
        if (commits.length === 0) mail.set(to.user, commits)
        if (commits.at(-1)?.version !== version) commits.push({ version, tag, entries: [] })
        commits.at(-1)?.entries.push({ ...to, type, envelope })
      }
    }
  }
  return mail
}

type Addressee = Pick<MailboxEntry, 'device' | 'except'> & { readonly user: string }

function addressees(item: RoomItem, version: number, seats: readonly SeatSince[]): readonly Addressee[] {
  if (item.do === 'deliver') return [item]
  return seats.filter(seat => seat.since <= version && seat.participantId !== item.except)
}
