// What watchers get: each change of a user's presence once, from all devices together, and no change that does not last.
// Each test creates the watchers first: checking the mailbox of a user who has left makes them connect again.

import assert from 'node:assert/strict'
import type { WatchedState } from '../../src/domain/presence/presence.js'
import { joinIds } from '../../src/id-text.js'
import type { WatchedPresence } from '../../src/schemas/presence.js'
import { toWatchedPresence } from '../../src/services/presence/publish-presence.js'
import { FANOUT_LEASE_MS } from '../../src/store/fanout.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'

/** Longer than the debounce and the second that a deadline may be late. */
const A_WHILE = 3_500
/** Shorter than the debounce. */
const A_MOMENT = 1_500

/** Short retention and TTLs, and a low limit of watchers. */
const SMALL = { RETENTION_MS: '20000', PRESENCE_TTL_MS: '3000', HEARTBEAT_MS: '1000', MAX_WATCHERS_PER_USER: '3' }

const ALL = { until: Number.MAX_SAFE_INTEGER, limit: 1000 }

async function watch(who: TestClient, ...users: string[]): Promise<WatchedPresence[]> {
  const { status, body } = await who.request('PUT', 'presence/watch', { users })
  assert.equal(status, 200, JSON.stringify(body))
  return body.watching as WatchedPresence[]
}

const watching = async (who: TestClient) =>
  ((await who.request('GET', 'presence/watch')).body.watching as WatchedPresence[]).map(({ user, state }) => [
    user,
    state
  ])

async function setStatus(who: TestClient, status: 'online' | 'away'): Promise<void> {
  assert.equal((await who.request('PUT', 'presence', { status })).status, 200)
}

/** A device whose node died after it opened or renewed the stream: the stream is never closed. */
async function connectToDeadNode(scenario: Scenario, user: string): Promise<void> {
  const now = scenario.now()
  const stream = { connection: 'of a dead node', claim: true, onlineUntil: now + scenario.config.presenceTtlMs }
  await scenario.store.mailboxes.touch(scenario.toWire(user), 'tv', { now, tag: 'birth', ...stream })
}

flow('a user comes online, is busy, away and offline: watchers get each change once', async (t, scenario) => {
  const alice = await scenario.addClient('alice', 'phone')
  const [first] = await watch(alice, 'bob')
  t.match(first, { user: 'bob', state: 'offline', lastSeenAt: null, version: Number })
  const bob = await scenario.addClient('bob', 'laptop', { node: scenario.lastNode })
  const came = await alice.expectEvent('presence.changed')
  t.match(came, {
    user: 'bob',
    state: 'online',
    lastSeenAt: `${new Date(scenario.now()).toISOString().slice(0, 17)}00.000Z`
  })
  t.notOk('devices' in came, 'without the number of devices')
  t.ok(Number(came.version) > Number(first?.version))

  const carol = await scenario.addClient('carol', 'tablet')
  await carol.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/accept')
  await carol.expectEvent('call.accepted')
  await scenario.advance(A_WHILE)
  t.match(await alice.expectEvent('presence.changed'), { user: 'bob', state: 'busy' })
  await bob.post('calls/c1/hangup')
  await carol.expectEvent('call.ended')
  await scenario.advance(A_WHILE)
  t.match(await alice.expectEvent('presence.changed'), { user: 'bob', state: 'online' })

  await setStatus(bob, 'away')
  await scenario.advance(A_WHILE)
  t.match(await alice.expectEvent('presence.changed'), { user: 'bob', state: 'away' })
  await setStatus(bob, 'online')
  t.match(await alice.expectEvent('presence.changed'), { user: 'bob', state: 'online' }, 'at once')
  await bob.closeStream()
  await scenario.waitForStreams(2)
  await scenario.advance(A_WHILE)
  t.match(await alice.expectEvent('presence.changed'), { user: 'bob', state: 'offline' })
  await scenario.advance(40_000)
  t.same(await watching(alice), [['bob', 'offline']])
})

flow('the devices of a user have one presence together', async (t, scenario) => {
  const alice = await scenario.addClient('alice', 'phone')
  const [laptop, watchOnWrist] = [
    await scenario.addClient('bob', 'laptop', { node: scenario.lastNode }),
    await scenario.addClient('bob', 'watch')
  ]
  t.match(await watch(alice, 'bob'), [{ state: 'online' }])
  await setStatus(laptop, 'away')
  await scenario.advance(A_WHILE)
  await watchOnWrist.closeStream()
  await scenario.waitForStreams(2)
  await scenario.advance(A_WHILE)
  t.match(await alice.expectEvent('presence.changed'), { state: 'away' }, 'the remaining device is away')
  await watchOnWrist.openStream()
  t.match(await alice.expectEvent('presence.changed'), { state: 'online' })
  await laptop.closeStream()
  await scenario.waitForStreams(2)
  await scenario.advance(A_WHILE)
  await watchOnWrist.signOff()
  await scenario.waitForStreams(1)
  await scenario.advance(A_WHILE)
  t.match(await alice.expectEvent('presence.changed'), { state: 'offline' })
})

flow('a change shorter than the debounce is not published', async (t, scenario) => {
  const alice = await scenario.addClient('alice', 'phone')
  const bob = await scenario.addClient('bob', 'laptop', { node: scenario.lastNode })
  const carol = await scenario.addClient('carol', 'tablet')
  await watch(alice, 'bob')
  for (let i = 0; i < 3; i++) {
    await bob.closeStream()
    await scenario.waitForStreams(2)
    await scenario.advance(A_MOMENT)
    await bob.openStream()
    await scenario.advance(A_MOMENT)
  }
  await setStatus(bob, 'away')
  await scenario.advance(A_MOMENT)
  await setStatus(bob, 'online')
  await carol.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await scenario.advance(A_MOMENT)
  await carol.post('calls/c1/cancel')
  await bob.expectEvent('call.ended')
  await scenario.advance(40_000)
  t.same(await watching(alice), [['bob', 'online']], 'and no event has arrived')
})

flow('a watch list does not show a change that is not published yet', async (t, scenario) => {
  const alice = await scenario.addClient('alice', 'phone')
  const eve = await scenario.addClient('eve', 'phone', { node: scenario.lastNode })
  const bob = await scenario.addClient('bob', 'laptop', { node: scenario.lastNode })
  await watch(alice, 'bob')
  await bob.closeStream()
  await scenario.waitForStreams(2)
  t.match(await alice.request('GET', `presence?users=${scenario.toPath('bob')}`), {
    body: { presences: [{ state: 'offline' }] }
  })
  t.match(await watch(eve, 'bob'), [{ state: 'online' }], 'no event would correct it')
  await bob.openStream()
  await scenario.advance(A_WHILE)
  t.same(await watching(eve), [['bob', 'online']])
})

flow('a device without a stream is online as long as it sends keepalives', async (t, scenario) => {
  const alice = await scenario.addClient('alice', 'phone')
  const bob = await scenario.addClient('bob', 'fridge', { node: scenario.lastNode, silent: true })
  await watch(alice, 'bob')
  for (let i = 0; i < 6; i++) {
    await setStatus(bob, 'online')
    await scenario.advance(scenario.config.presenceTtlMs / 3)
  }
  t.match(await alice.expectEvent('presence.changed'), { state: 'online' })
  await scenario.advance((scenario.config.presenceTtlMs * 2) / 3 + A_WHILE)
  t.match(await alice.expectEvent('presence.changed'), { state: 'offline' })
})

flow('the devices of a killed node are offline when their presence expires', async (t, scenario) => {
  const alice = await scenario.addClient('alice', 'phone')
  await watch(alice, 'bob')
  await connectToDeadNode(scenario, 'bob')
  await scenario.advance(20_000)
  await connectToDeadNode(scenario, 'bob')
  await scenario.advance(12_000)
  t.match(
    await alice.expectEvent('presence.changed'),
    { state: 'online' },
    'a change without a check is found by the next check'
  )
  await scenario.advance(15_000)
  t.same(await watching(alice), [['bob', 'online']], 'until it expires')
  await scenario.advance(3_000 + A_WHILE)
  t.match(await alice.expectEvent('presence.changed'), { state: 'offline' })
})

flow(
  'a node closes: its devices become offline, and devices that reconnect elsewhere stay online',
  async (t, scenario) => {
    if (scenario.lastNode === 0) return
    const alice = await scenario.addClient('alice', 'phone')
    const bob = await scenario.addClient('bob', 'laptop', { node: scenario.lastNode })
    const carol = await scenario.addClient('carol', 'laptop', { node: scenario.lastNode })
    await watch(alice, 'bob', 'carol')
    await scenario.advanceDuring(scenario.cluster.closeNode(scenario.lastNode))
    carol.useNode(0)
    await carol.openStream()
    await scenario.advance(scenario.config.presenceTtlMs + A_WHILE)
    t.match(await alice.expectEvent('presence.changed'), { user: 'bob', state: 'offline' })
    t.same(await watching(alice), [
      ['bob', 'offline'],
      ['carol', 'online']
    ])
    await bob.closeStream()
  },
  { ownCluster: true }
)

flow('a watch list is replaced, read and cleared, and each device has its own', async (t, scenario) => {
  const phone = await scenario.addClient('alice', 'phone')
  const tablet = await scenario.addClient('alice', 'tablet', { node: scenario.lastNode })
  const bob = await scenario.addClient('bob', 'laptop', { node: scenario.lastNode })
  const carol = await scenario.addClient('carol', 'laptop')
  await watch(phone, 'bob', 'carol')
  await watch(tablet, 'bob')
  t.match(await watch(phone, 'carol', 'dan', 'carol'), [{ user: 'carol' }, { user: 'dan', state: 'offline' }])
  const { body } = await phone.request('GET', 'snapshot')
  t.match(body.watching, [
    { user: 'carol', state: 'online' },
    { user: 'dan', state: 'offline' }
  ])
  await bob.closeStream()
  await carol.closeStream()
  await scenario.waitForStreams(2)
  await scenario.advance(A_WHILE)
  t.match(await tablet.expectEvent('presence.changed'), { user: 'bob', state: 'offline' })
  t.match(await phone.expectEvent('presence.changed'), { user: 'carol', state: 'offline' })
  t.equal((await phone.request('DELETE', 'presence/watch')).status, 204)
  t.equal((await phone.request('DELETE', 'presence/watch')).status, 204)
  t.same([await watching(phone), await watching(tablet)], [[], [['bob', 'offline']]])
  await carol.openStream()
  await tablet.signOff()
  await bob.openStream()
  await scenario.advance(A_WHILE)
  const again = await scenario.addClient('alice', 'tablet', { silent: true })
  t.same([await again.poll(), await watching(again)], [[], []], 'signing off clears the list')
})

flow('of concurrent watch lists one remains, and the index agrees with it', async (t, scenario) => {
  const alice = await scenario.addClient('alice', 'phone', { silent: true })
  const twin = await scenario.addClient('alice', 'phone', { node: scenario.lastNode, silent: true })
  const lists = [
    ['bob', 'carol'],
    ['carol', 'dan', 'eve']
  ] as const
  for (let round = 0; round < 6; round++) {
    const requests = [watch(alice, ...lists[0]), watch(twin, ...lists[1])]
    const ended = round % 3 === 2 ? twin.request('DELETE', 'presence/watch') : undefined
    await Promise.all([...requests, ended])
    const current = (await watching(alice)).map(([user]) => user)
    const allowed = [...lists, ...(ended ? [[]] : [])].map(String)
    t.ok(allowed.includes(String(current)), `${current} is one of them`)
    for (const user of ['bob', 'carol', 'dan', 'eve']) {
      const found = await scenario.store.watches.watchers(scenario.toWire(user), ALL)
      t.equal(found.length, current.includes(user) ? 1 : 0, `watchers of ${user}`)
    }
  }
})

flow('a user may watch themselves, and a user who has watchers', async (t, scenario) => {
  const [alice, eve] = [
    await scenario.addClient('alice', 'phone'),
    await scenario.addClient('eve', 'phone', { node: scenario.lastNode })
  ]
  await watch(eve, 'alice')
  t.match(await watch(alice, 'alice'), [{ user: 'alice', state: 'online' }])
  await setStatus(alice, 'away')
  await scenario.advance(A_WHILE)
  for (const who of [alice, eve]) t.match(await who.expectEvent('presence.changed'), { user: 'alice', state: 'away' })
})

flow('an invalid list is refused and changes nothing', async (t, scenario) => {
  const alice = await scenario.addClient('alice', 'phone')
  await watch(alice, 'bob')
  const many = Array.from({ length: 201 }, (_, n) => `u${n}`)
  const bad = [{}, { users: 'bob' }, { users: ['a\nb'] }, { users: ['\u0000'] }, { users: [], all: true }]
  for (const body of bad) {
    const reply = await alice.request('PUT', 'presence/watch', body)
    t.match(reply, { status: 400, body: { code: 'invalid_request' } }, JSON.stringify(body).slice(0, 40))
  }
  t.match(await alice.request('PUT', 'presence/watch', { users: many }), { status: 413, body: { code: 'too_large' } })
  t.same(await watching(alice), [['bob', 'offline']], 'the list is unchanged')
  t.equal((await watch(alice, ...many.slice(1))).length, 200)
  t.same(await watch(alice), [])
})

flow(
  'a watcher over the limit is refused and keeps its previous list',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone')
    for (const fan of ['eve', 'mallory', 'carol'])
      await watch(await scenario.addClient(fan, 'phone', { silent: true }), 'star')
    await watch(alice, 'bob')
    const refused = await alice.request('PUT', 'presence/watch', { users: ['carol', 'star'] })
    t.match(refused, { status: 409, body: { code: 'too_many_watchers', users: ['star'], retryable: true } })
    t.same(await watching(alice), [['bob', 'offline']])
    const watchers = (name: string) => scenario.store.watches.watchers(scenario.toWire(name), ALL)
    t.same(await watchers('carol'), [])
    t.equal((await watchers('star')).length, 3)
  },
  { env: SMALL }
)

/** Many more watchers without a stream, some with two devices. */
async function addWatchers(scenario: Scenario, of: string, count: number) {
  const [now, user] = [scenario.now(), scenario.toWire(of)]
  const fans = Array.from({ length: count }, (_, n) => ({ user: scenario.toWire(`fan${n >> 1}`), device: `d${n & 1}` }))
  const { mailboxes, watches } = scenario.store
  await Promise.all(
    fans.map(async fan => {
      await mailboxes.touch(fan.user, fan.device, { now, tag: 'birth' })
      await watches.put(fan, [user])
      await watches.add(user, { ...fan, at: now }, 1e6)
    })
  )
  /** The sequences of states in their mailboxes, and how many have each. */
  return async () => {
    const counts = new Map<string, number>()
    for (const fan of fans) {
      const read = await mailboxes.read(fan.user, fan.device, {
        from: 'start',
        limit: 99,
        maxBytes: 1_048_576,
        now: scenario.now()
      })
      const states = read.status === 'ok' && read.events.map(({ envelope }) => JSON.parse(envelope).data.state)
      counts.set(String(states), (counts.get(String(states)) ?? 0) + 1)
    }
    return Object.fromEntries(counts)
  }
}

async function watchedState(scenario: Scenario, name: string): Promise<WatchedState> {
  const known = await scenario.store.aggregates.load({ kind: 'presence', id: scenario.toWire(name) })
  return JSON.parse(known?.state ?? '')
}

/** A node commits that the user is away, publishes it to a hundred watchers, and dies. */
async function publishPartially(scenario: Scenario, name: string): Promise<void> {
  const { aggregates, fanouts, mailboxes } = scenario.store
  const [now, user, tag] = [scenario.now(), scenario.toWire(name), 'dead']
  const ref = { kind: 'presence', id: user } as const
  const known = await aggregates.load(ref)
  const seen = JSON.parse(known?.state ?? '') as WatchedState
  const version = seen.version + 1
  const state: WatchedState = { ...seen, version, published: { ...seen.published, state: 'away' }, pending: null }
  const event = {
    type: 'presence.changed',
    timestamp: new Date(now).toISOString(),
    data: { ...toWatchedPresence(state) }
  }
  const { ok } = await aggregates.commit(ref, {
    ...{
      expected: known && { version: known.version, tag: known.tag },
      version,
      tag,
      state: JSON.stringify(state),
      mail: [],
      log: [{ do: 'publish', event }],
      now
    },
    ...{ deadlineAt: now + scenario.config.presenceTtlMs, expireInMs: null }
  })
  assert.ok(ok, 'no other commit')
  const bounds = { appendsMax: 900, entriesMax: 9, page: 100 }
  const step = await fanouts.next(ref, {
    ...{ ...bounds, node: 'dead', published: null, from: null, leaseMs: FANOUT_LEASE_MS, now }
  })
  assert.equal(step.status, 'batch')
  const some = step.status === 'batch' ? step.recipients.slice(0, 100) : []
  for (const watcher of some) {
    const source = { kind: 'presence', id: joinIds(user, watcher.device) } as const
    const entries = [{ device: watcher.device, type: event.type, envelope: JSON.stringify(event) }]
    await mailboxes.appendEach([{ user: watcher.user, source, commits: [{ version, tag, entries }] }], now)
  }
}

flow('a node dies while it publishes: all watchers get the event once', async (t, scenario) => {
  const alice = await scenario.addClient('alice', 'phone')
  const bob = await scenario.addClient('bob', 'laptop', { node: scenario.lastNode })
  await watch(alice, 'bob')
  const received = await addWatchers(scenario, 'bob', 400)
  await setStatus(bob, 'away')
  // Bob's node commits the pending change after its reply to him. Until then it would race with the node that dies.
  await until(
    'his node has committed the pending change',
    async () => (await watchedState(scenario, 'bob')).pending !== null
  )
  await publishPartially(scenario, 'bob')
  const some = Number((await received()).away)
  t.ok(some > 90 && some <= 100, `${some} got it`)
  // The clock does not advance after this, so everything received was published in time.
  await scenario.advance(2_000)
  t.match(await alice.expectEvent('presence.changed'), { user: 'bob', state: 'away' })
  await until('all watchers have it', async () => (await received()).away === 400)
  await setStatus(bob, 'online')
  t.match(await alice.expectEvent('presence.changed'), { user: 'bob', state: 'online' })
  await until('all watchers have it', async () => (await received())['away,online'] === 400)
})

flow(
  'a watch lasts as long as its device and leaves nothing behind',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone')
    const eve = await scenario.addClient('eve', 'phone', { node: scenario.lastNode, silent: true })
    const user = scenario.toWire('bob')
    const watchers = async () =>
      scenario.fromWire(await scenario.store.watches.watchers(user, ALL)).map(each => each.user)
    await watch(alice, 'bob')
    await watch(eve, 'bob')
    t.same((await watchers()).sort(), ['alice', 'eve'])
    await scenario.advance(3 * scenario.config.retentionMs)
    t.same(await watchers(), ['alice'], 'the device of eve has expired')
    const bob = await scenario.addClient('bob', 'laptop', { node: scenario.lastNode })
    t.match(await alice.expectEvent('presence.changed'), { state: 'online' })
    // More changes than a mailbox remembers commits of one source.
    for (let i = 0; i < 4; i++) {
      await bob.closeStream()
      await scenario.waitForStreams(1)
      await scenario.advance(A_WHILE)
      t.match(await alice.expectEvent('presence.changed'), { state: 'offline' })
      await bob.openStream()
      t.match(await alice.expectEvent('presence.changed'), { state: 'online' })
    }
    t.equal((await alice.request('DELETE', 'presence/watch')).status, 204)
    await scenario.advance(scenario.config.presenceTtlMs + A_WHILE)
    const left = await scenario.store.aggregates.load({ kind: 'presence', id: user })
    t.ok(left === null || JSON.parse(left.state).checkAt === null, 'it is not checked any more')
    await scenario.advance(2 * scenario.config.retentionMs)
    t.match(await watch(alice, 'bob'), [{ state: 'online' }], 'a new watch starts the checks again')
    await bob.closeStream()
    await scenario.waitForStreams(1)
    await scenario.advance(A_WHILE)
    t.match(await alice.expectEvent('presence.changed'), { state: 'offline' })
  },
  { env: SMALL }
)
