// The contract suite: everything that the port promises (src/store/store.ts and the files it imports). It runs on memory, on standalone Redis,
// on a Cluster of one primary and on one of three.
import type { Test } from 'tap'
import type { Store, StoreOptions } from '../../src/store/store.js'
import type { ManualClock } from '../helpers/clock.js'
import { aggregateContract } from './contract/aggregates.js'
import { appendContract } from './contract/appending.js'
import { batchContract } from './contract/batches.js'
import { smallContract } from './contract/budgets-and-tickets.js'
import { cachedAnswerContract } from './contract/cached-answers.js'
import { contactContract } from './contract/contacts.js'
import { cursorContract } from './contract/cursors.js'
import { deviceCredentialContract } from './contract/device-credentials.js'
import { deviceContract } from './contract/devices.js'
import { dueContract } from './contract/due.js'
import { fanoutContract } from './contract/fanout.js'
import { idContract } from './contract/ids.js'
import { lastingContract } from './contract/lasting.js'
import { leaseContract } from './contract/leases.js'
import { lineLogContract } from './contract/line-logs.js'
import { listContract } from './contract/lists.js'
import { logContract } from './contract/log.js'
import { membershipContract } from './contract/memberships.js'
import { nodeContract } from './contract/nodes.js'
import { participantContract } from './contract/participants.js'
import { pushSubscriptionContract } from './contract/push-subscriptions.js'
import { revocationContract } from './contract/revocations.js'
import { roomIndexContract } from './contract/room-indexes.js'
import { roomLifeContract } from './contract/room-life.js'
import { roomContract } from './contract/rooms.js'
import { wakeupContract } from './contract/wakeups.js'
import { watchContract } from './contract/watches.js'
import { webhookCommitContract } from './contract/webhook-commits.js'
import { webhookQueueContract } from './contract/webhook-queues.js'
import { webhookTimerContract } from './contract/webhook-timers.js'

/** A store with its clock and options. */
export interface StoreFixture<Engine extends Store = Store> {
  readonly store: Engine
  readonly clock: ManualClock
  readonly options: StoreOptions
  /** An id that no other test uses: all tests of the suite share one store. Its characters separate the parts of keys, paths and lists. */
  id(stem: string): string
}

export const OPTIONS: StoreOptions = {
  retentionMs: 600_000,
  mailboxMaxEvents: 200,
  mailboxMaxBytes: 262_144,
  maxDevicesPerUser: 8,
  webhookQueueMax: 20,
  /** On a Cluster ten for each partition. */
  webhookBacklogMax: 2_560
}

export interface Engine<S extends Store> {
  readonly name: string
  open(clock: ManualClock): Promise<S>
  /** Tests for some of the engines only. */
  readonly also: readonly ((t: Test, fixture: StoreFixture<S>) => void)[]
}

/** Opens one store, runs the whole suite against it, and closes it. */
export function runContract<S extends Store>(t: Test, { name, open, also }: Engine<S>, clock: ManualClock) {
  return t.test(name, async t => {
    const store = await open(clock)
    t.teardown(() => store.close())
    let count = 0
    const fixture: StoreFixture<S> = { store, clock, options: OPTIONS, id: stem => `${stem}|:/ {é},%2F-${++count}` }
    for (const contract of also) contract(t, fixture)
    listContract(t, fixture)
    nodeContract(t, fixture)
    aggregateContract(t, fixture)
    dueContract(t, fixture)
    appendContract(t, fixture)
    batchContract(t, fixture)
    cursorContract(t, fixture)
    deviceContract(t, fixture)
    wakeupContract(t, fixture)
    leaseContract(t, fixture)
    contactContract(t, fixture)
    roomContract(t, fixture)
    participantContract(t, fixture)
    lastingContract(t, fixture)
    fanoutContract(t, fixture)
    roomLifeContract(t, fixture)
    logContract(t, fixture)
    membershipContract(t, fixture)
    roomIndexContract(t, fixture)
    watchContract(t, fixture)
    webhookCommitContract(t, fixture)
    webhookQueueContract(t, fixture)
    webhookTimerContract(t, fixture)
    lineLogContract(t, fixture)
    cachedAnswerContract(t, fixture)
    deviceCredentialContract(t, fixture)
    pushSubscriptionContract(t, fixture)
    revocationContract(t, fixture)
    idContract(t, fixture)
    smallContract(t, fixture)
  })
}
