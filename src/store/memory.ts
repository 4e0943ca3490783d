// The memory engine: the store of a single process, lost when it ends. It keeps the same promises as redis/.
import type { Clock } from '../clock.js'
import type { Availability } from './availability.js'
import { createMemoryAggregates } from './memory/aggregates.js'
import { createMemoryBudgetCounters } from './memory/budget-counters.js'
import { createMemoryCachedAnswers } from './memory/cached-answers.js'
import { createMemoryContacts } from './memory/contacts.js'
import { createMemoryDeadLetters } from './memory/dead-letters.js'
import { createMemoryDeviceCredentials } from './memory/device-credentials.js'
import { createMemoryFanouts } from './memory/fanout.js'
import { createMemoryLeases } from './memory/leases.js'
import { createMemoryLineLogs } from './memory/line-logs.js'
import { createMemoryMailboxes } from './memory/mailboxes.js'
import { createMemoryMemberships } from './memory/memberships.js'
import { createMemoryNodes } from './memory/nodes.js'
import { createMemoryPushSubscriptions } from './memory/push-subscriptions.js'
import { createMemoryRevocations } from './memory/revocations.js'
import { createMemoryRoomIndex } from './memory/room-index.js'
import { createMemoryRooms } from './memory/rooms.js'
import { createMemoryTickets } from './memory/tickets.js'
import { createTimerIndex } from './memory/timer-index.js'
import { createMemoryWakeups } from './memory/wakeups.js'
import { createMemoryWatches } from './memory/watches.js'
import { createMemoryWebhookQueues } from './memory/webhook-queues.js'
import type { Store, StoreOptions } from './store.js'
import { WEBHOOK_QUEUE_BOUNDS } from './webhook-queues.js'

const SWEEP_EVERY_MS = 30_000

export interface MemoryStoreOptions extends StoreOptions {
  readonly clock: Clock
}

export interface MemoryStore extends Store {
  /** How many records each part holds, by the name of the part. */
  kept(): Readonly<Record<string, number>>
}

/** Its methods never throw store_unavailable. */
export function createMemoryStore(options: MemoryStoreOptions): MemoryStore {
  const { clock } = options
  const parts = createParts(options)
  const { aggregates, leases, mailboxes, memberships, pushSubscriptions, rooms, timers, watches } = parts
  return {
    ...parts,
    ...alwaysAvailable(clock),
    contacts: {
      ...parts.contacts,
      async readCallee(user, peer, now) {
        const [devices, joined] = await Promise.all([mailboxes.devices(user, now), memberships.list(user)])
        const roomIds = [...new Set(joined.map(({ roomId }) => roomId))]
        const online = devices.filter(({ online }) => online).map(({ device }) => device)
        const asleep = pushSubscriptions.devices(user, now).filter(device => !online.includes(device))
        const reach = { isReachable: devices.length > 0, isOnline: online.length > 0, asleep }
        return { ...parts.contacts.read(user, peer, now), ...reach, roomIds }
      },
      record: async (user, update, now) => parts.contacts.record(user, update, now)
    },
    fanouts: createMemoryFanouts(timers, {
      room: rooms.fanout,
      presence: { ...aggregates.fanout, recipients: watches.recipients }
    }),
    nodes: createMemoryNodes(),
    deadLetters: createMemoryDeadLetters(),
    webhookDeadLetters: createMemoryDeadLetters(),
    kept() {
      const counted = { ...sweptOf(parts), leases, timers }
      return Object.fromEntries(Object.entries(counted).map(([name, part]) => [name, part.size()]))
    },
    close: startSweeping(parts, clock)
  }
}

function createParts(options: MemoryStoreOptions) {
  const { clock } = options
  const wakeups = createMemoryWakeups()
  const timers = createTimerIndex(clock)
  const webhookQueues = createMemoryWebhookQueues({ ...WEBHOOK_QUEUE_BOUNDS, ...options, timers })
  const rooms = createMemoryRooms({ clock, timers, webhookQueues })
  const leases = createMemoryLeases()
  const contacts = createMemoryContacts(clock)
  const tickets = createMemoryTickets(clock)
  const pushSubscriptions = createMemoryPushSubscriptions()
  const revocations = createMemoryRevocations(clock)
  const memberships = createMemoryMemberships(clock)
  const invitations = createMemoryRoomIndex()
  const mediaRooms = createMemoryRoomIndex()
  const counters = createMemoryBudgetCounters()
  const watches = createMemoryWatches(options)
  const cachedAnswers = createMemoryCachedAnswers(clock)
  const mailboxes = createMemoryMailboxes({
    ...options,
    ...{ leases, contacts, tickets, pushSubscriptions },
    publish: wakeups.publish,
    stampOf: ref => aggregates.stampOf(ref),
    isInvolved: user =>
      leases.held(user).length > 0 ||
      [memberships, invitations].some(part => part.has(user)) ||
      aggregates.stampOf({ kind: 'presence', id: user }) !== null
  })
  const aggregates = createMemoryAggregates({ clock, timers, webhookQueues, mailboxes, leases, counters })
  return {
    ...{ aggregates, cachedAnswers, contacts, invitations, leases, mailboxes, mediaRooms, memberships, counters },
    ...{ pushSubscriptions, revocations, rooms, tickets, timers, wakeups, watches, webhookQueues },
    deviceCredentials: createMemoryDeviceCredentials(clock),
    deliveryLog: createMemoryLineLogs(clock),
    callNotes: createMemoryLineLogs(clock)
  }
}

type Parts = ReturnType<typeof createParts>

/** The parts whose expired records are swept. Leases and deadlines end with what they belong to. */
const sweptOf = ({ leases, timers, wakeups, ...parts }: Parts) => parts

/** Starts the sweep; the returned function ends it. */
function startSweeping(parts: Parts, clock: Clock): () => Promise<void> {
  const stop = clock.every(SWEEP_EVERY_MS, () => {
    for (const part of Object.values(sweptOf(parts))) part.sweep(clock.now())
  })
  return async () => stop()
}

function alwaysAvailable(clock: Clock): Availability & Pick<Store, 'onLostWrites'> {
  const startedAt = clock.now()
  return {
    clock,
    clockOffsetMs: () => 0,
    availableSince: () => startedAt,
    fault: () => null,
    ping: async () => 0,
    confirmWrites: async () => undefined,
    // Memory loses everything at once, with the process.
    onLostWrites: () => () => undefined
  }
}
