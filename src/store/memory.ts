// The store of a single process: no set-up, nothing survives it. The same promises as redis/, held to them by the same suite.
import type { Clock } from '../clock.js'
import type { AggregateRef } from './aggregate.js'
import { createMemoryAggregates } from './memory/aggregates.js'
import { createMemoryCachedAnswers } from './memory/cached-answers.js'
import { createMemoryContacts } from './memory/contacts.js'
import { createMemoryDeadLetters } from './memory/dead-letters.js'
import { createMemoryFanouts } from './memory/fanout.js'
import { createMemoryInvitations } from './memory/invitations.js'
import { createMemoryLeases } from './memory/leases.js'
import { createMemoryMailboxes } from './memory/mailboxes.js'
import { createMemoryMemberships } from './memory/memberships.js'
import { createMemoryQuotas } from './memory/quotas.js'
import { createMemoryRooms } from './memory/rooms.js'
import { createMemoryTickets } from './memory/tickets.js'
import { createTimerIndex } from './memory/timer-index.js'
import { createMemoryWakeups } from './memory/wakeups.js'
import { createMemoryWatches } from './memory/watches.js'
import type { Store, StoreOptions } from './store.js'

const SWEEP_EVERY_MS = 30_000

export interface MemoryStoreOptions extends StoreOptions {
  readonly clock: Clock
}

export interface MemoryStore extends Store {
  /** How many things each part holds, by its name. */
  kept(): Readonly<Record<string, number>>
}

/** Never throws store_unavailable: memory does not go away. */
export function createMemoryStore(options: MemoryStoreOptions): MemoryStore {
  const { clock } = options
  const startedAt = clock.now()
  const wakeups = createMemoryWakeups()
  const timerIndex = createTimerIndex(clock)
  const rooms = createMemoryRooms(clock, timerIndex)
  const leases = createMemoryLeases()
  const contacts = createMemoryContacts(clock)
  const tickets = createMemoryTickets(clock)
  const memberships = createMemoryMemberships(clock)
  const invitations = createMemoryInvitations()
  const isInvolved = (user: string) =>
    leases.held(user).length > 0 ||
    [memberships, invitations].some(part => part.has(user)) ||
    stampOf({ kind: 'presence', id: user }) !== null
  const stampOf = (ref: AggregateRef) => aggregates.stampOf(ref)
  const publish = wakeups.publish
  const mailboxes = createMemoryMailboxes({ ...options, leases, contacts, tickets, publish, stampOf, isInvolved })
  const quotas = createMemoryQuotas()
  const aggregates = createMemoryAggregates({ clock, timerIndex, mailboxes, leases, quotas })
  const watches = createMemoryWatches(options)
  const cachedAnswers = createMemoryCachedAnswers(clock)
  const parts = {
    aggregates,
    rooms,
    memberships,
    invitations,
    mailboxes,
    watches,
    tickets,
    cachedAnswers,
    quotas,
    contacts
  }
  const stopSweeping = clock.every(SWEEP_EVERY_MS, () => {
    for (const part of Object.values(parts)) part.sweep(clock.now())
  })
  return {
    aggregates,
    rooms,
    timers: timerIndex,
    memberships,
    invitations,
    mailboxes,
    leases,
    contacts: {
      ...contacts,
      async readCallee(user, peer, now) {
        const [devices, rooms] = await Promise.all([mailboxes.devices(user, now), memberships.list(user)])
        const roomIds = [...new Set(rooms.map(({ roomId }) => roomId))]
        return { ...contacts.read(user, peer, now), isReachable: devices.length > 0, roomIds }
      },
      record: async (user, update, now) => contacts.record(user, update, now)
    },
    watches,
    fanouts: createMemoryFanouts(timerIndex, {
      room: rooms.fanout,
      presence: { ...aggregates.fanout, recipients: watches.recipients }
    }),
    wakeups,
    tickets,
    cachedAnswers,
    quotas,
    deadLetters: createMemoryDeadLetters(),
    clock,
    clockOffsetMs: () => 0,
    // What this process forgets, it forgets as a whole.
    onLostWrites: () => () => undefined,
    confirmWrites: async () => undefined,
    availableSince: () => startedAt,
    fault: () => null,
    ping: async () => 0,
    kept() {
      const sizes = Object.entries({ ...parts, leases, timers: timerIndex }).map(([name, part]) => [name, part.size()])
      return Object.fromEntries(sizes)
    },
    async close() {
      stopSweeping()
    }
  }
}
