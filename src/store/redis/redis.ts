// The Redis engine, for any number of nodes: Redis ≥ 7.0 or Valkey ≥ 7.2, standalone, behind Sentinel, or a Cluster.
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../clock.js'
import type { Ids } from '../../ids.js'
import type { Store, StoreOptions } from '../store.js'
import { WEBHOOK_QUEUE_BOUNDS } from '../webhook-queues.js'
import { createRedisAggregates } from './aggregates.js'
import { askPrimaries, createAvailabilityMonitor } from './availability.js'
import { createRedisBudgetCounters } from './budget-counters.js'
import { createRedisCachedAnswers } from './cached-answers.js'
import { createChannels } from './channels.js'
import { type Client, createClient, createRunCommand, disconnect, untilReady } from './clients.js'
import { createRedisContacts } from './contacts.js'
import { createRedisDeadLetters } from './dead-letters.js'
import { createRedisDeviceCredentials } from './device-credentials.js'
import { createEpochs } from './epochs.js'
import { createRedisFanouts } from './fanout.js'
import { callNotesKey, deadLetterKeys, deliveryLogKey, invitationsKey, mediaRoomsKey } from './keys.js'
import { createRedisLeases } from './leases.js'
import { createRedisLineLogs } from './line-logs.js'
import { createRedisMailboxes, type RedisMailboxes } from './mailboxes.js'
import { createRedisMemberships } from './memberships.js'
import { createRedisNodes } from './nodes.js'
import { startProbing } from './probe.js'
import { createRedisPushSubscriptions } from './push-subscriptions.js'
import { createReplicas } from './replicas.js'
import { createRedisRevocations } from './revocations.js'
import { createRedisRoomIndex } from './room-index.js'
import { createRedisRooms } from './rooms.js'
import { createServerClock } from './server-clock.js'
import { createRedisTickets } from './tickets.js'
import { createRedisTimers } from './timers.js'
import { createTopology } from './topology.js'
import { createRedisWakeups } from './wakeups.js'
import { createRedisWatches } from './watches.js'
import { createRedisWebhookQueues } from './webhook-queues.js'

export interface RedisStoreOptions extends StoreOptions {
  /** How many replicas of each primary confirmWrites waits for; default 0. */
  readonly waitReplicas?: number
  readonly url: string
  /** Runs the timers. It is also the time of the store, unless `serverTime` is set. */
  readonly clock: Clock
  /** Use the clock of Redis, measured continuously, as the time of the store. */
  readonly serverTime?: boolean
  readonly ids: Ids
  readonly log: FastifyBaseLogger
  /** How often each subscriber connection is probed; default 750 ms. */
  readonly probeEveryMs?: number
}

export interface RedisStore extends Store {
  readonly mailboxes: RedisMailboxes
  /** The main connection, for callers that count or cache in the same Redis. Its commands fail at once while Redis is unreachable. */
  readonly client: Client
}

/** So that a call rings within 3 s although the subscriber connection that carries its wake-up is dead. */
const PROBE_EVERY_MS = 750
/** How long the start waits for an unreachable Redis; then the server starts without it and answers 503. */
const START_WITHIN_MS = 2_000

/** @throws Error only if the URL is malformed */
export async function createRedisStore(options: RedisStoreOptions): Promise<RedisStore> {
  const connection = createConnection(options)
  const { client, runCommand, channels, availability, serverClock, clock, epochs, revocations } = connection
  await untilReady(client, START_WITHIN_MS)
  await availability.check()
  const node = options.ids.unique()
  const stopProbing = probeSubscribers(connection, { ...options, node })
  const { timers, ...parts } = createParts(connection, { ...options, node })
  const replicas = createReplicas(client, options.waitReplicas ?? 0)
  return {
    ...parts,
    ...{ client, timers, clock, revocations },
    clockOffsetMs: () => serverClock?.offsetMs() ?? 0,
    onLostWrites: epochs.onLostWrites,
    confirmWrites: replicas.confirm,
    availableSince: availability.since,
    fault: availability.fault,
    async ping() {
      const startedAt = performance.now()
      await runCommand(askPrimaries)
      return performance.now() - startedAt
    },
    async close() {
      availability.stop()
      stopProbing()
      await timers.leave()
      await channels.close()
      await replicas.close()
      await disconnect(client)
    }
  }
}

type Connection = ReturnType<typeof createConnection>

/** Connects in the background. What is known of the server follows from the replies of its availability checks. */
function createConnection({ url, log, ids, serverTime, clock: processClock }: RedisStoreOptions) {
  const client = createClient(url, log)
  const serverClock = serverTime ? createServerClock(processClock) : null
  const clock = serverClock ?? processClock
  const availability = createAvailabilityMonitor(client, { clock, log, onTime: serverClock?.observe ?? (() => true) })
  const topology = createTopology()
  const runCommand = createRunCommand(client, { onFault: availability.reportFault, isKnown: topology.isKnown })
  const channels = createChannels(client, log)
  const epochs = createEpochs({ client, runCommand, channels, log })
  availability.onReplies(topology.observe)
  availability.onReplies(epochs.observe)
  const revocations = createRedisRevocations({ runCommand, channels, clock, ids, log })
  availability.onReplies(revocations.observe)
  return { client, serverClock, clock, availability, topology, runCommand, channels, epochs, revocations }
}

interface NodeOptions extends RedisStoreOptions {
  /** Names this process. */
  readonly node: string
}

/** The returned function ends the probing. */
function probeSubscribers(connection: Connection, { node, probeEveryMs, log }: NodeOptions): () => void {
  return startProbing(connection, {
    everyMs: probeEveryMs ?? PROBE_EVERY_MS,
    node,
    onDead: partition => log.warn({ partition }, 'subscriber connection received nothing; it is replaced')
  })
}

function createParts({ runCommand, topology, channels, clock }: Connection, options: NodeOptions) {
  const { node, log } = options
  const mailboxes = createRedisMailboxes(runCommand, topology, options)
  const leases = createRedisLeases(runCommand)
  const counters = createRedisBudgetCounters(runCommand)
  const webhookQueues = createRedisWebhookQueues({ ...WEBHOOK_QUEUE_BOUNDS, ...options, runCommand, topology })
  return {
    ...{ mailboxes, leases, counters, webhookQueues },
    aggregates: createRedisAggregates({ runCommand, topology, mailboxes, leases, counters, webhookQueues, clock, log }),
    rooms: createRedisRooms({ runCommand, topology, webhookQueues }),
    timers: createRedisTimers({ runCommand, topology, node, log }),
    memberships: createRedisMemberships(runCommand),
    invitations: createRedisRoomIndex(runCommand, invitationsKey),
    mediaRooms: createRedisRoomIndex(runCommand, mediaRoomsKey),
    nodes: createRedisNodes(runCommand),
    contacts: createRedisContacts(runCommand, options),
    watches: createRedisWatches(runCommand, options),
    fanouts: createRedisFanouts(runCommand, topology),
    wakeups: createRedisWakeups(channels, runCommand),
    tickets: createRedisTickets(runCommand),
    pushSubscriptions: createRedisPushSubscriptions(runCommand),
    deviceCredentials: createRedisDeviceCredentials(runCommand),
    cachedAnswers: createRedisCachedAnswers(runCommand),
    deadLetters: createRedisDeadLetters(runCommand, deadLetterKeys('chat')),
    webhookDeadLetters: createRedisDeadLetters(runCommand, deadLetterKeys('webhook')),
    deliveryLog: createRedisLineLogs(runCommand, deliveryLogKey),
    callNotes: createRedisLineLogs(runCommand, callNotesKey)
  }
}
