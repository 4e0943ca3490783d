// A node dies right after a commit, before its events are delivered, as it can on a Cluster: the same commit is made here through the
// store port with its mail held back, and nobody goes on from there but the nodes that live.

import type { CallCommand } from '../../src/domain/call/command.js'
import { decideCall } from '../../src/domain/call/decide-call.js'
import { type CallState, deadlineOf } from '../../src/domain/call/state.js'
import { refuseIn } from '../../src/domain/call/tombstone.js'
import { createIds } from '../../src/ids.js'
import { holderOfCall } from '../../src/services/call/lease-holder.js'
import { toMail } from '../../src/services/mail.js'
import { flow, type Stage } from '../helpers/scenario.js'
import { sdp } from '../helpers/sdp.js'
import type { Person } from '../helpers/test-client.js'

/** The promise of DESIGN, section 9. */
const DELIVERED_WITHIN_MS = 2_000

async function commitAndDie(stage: Stage, callId: string, command: (person: Person) => CallCommand, actor: Person) {
  const ref = { kind: 'call', id: stage.marked(callId) } as const
  const known = await stage.store.aggregates.load(ref)
  const before = JSON.parse(known?.state ?? 'null') as CallState | null
  const now = stage.now()
  const { state, events } = decideCall(before, command(actor), now)
  const timestamp = new Date(now).toISOString()
  const parties = ['alice', 'bob'].map(name => stage.marked(name))
  const said = state.phase === 'ended' ? { release: holderOfCall(state) } : {}
  const { ok } = await stage.store.aggregates.commit(ref, {
    expected: known && { version: known.version, tag: known.tag },
    version: state.version,
    tag: createIds().tag(),
    state: JSON.stringify(state),
    mail: toMail({ events, timestamp }, parties, said),
    isHeld: true,
    log: [],
    deadlineAt: deadlineOf(state),
    expireInMs: state.phase === 'ended' ? stage.config.retentionMs : null,
    now
  })
  if (!ok) throw new Error('nobody else was there')
}

flow('what it committed is delivered within two seconds', async (t, stage) => {
  const [alice, bob] = await stage.enterBoth()
  const watch = await stage.enter('bob', 'watch')
  const as = ({ user, device }: Person) => ({ user: stage.marked(user), device })
  await alice.does('calls', { callId: 'c1', to: 'bob' })
  for (const his of [bob, watch]) await his.hears('call.incoming')

  await commitAndDie(stage, 'c1', who => ({ type: 'accept', actor: as(who), connectMs: 30_000, checkMs: 15_000 }), bob)
  await stage.pass(DELIVERED_WITHIN_MS)
  // The clock stands still from here: whatever is heard was delivered in time.
  t.match(await alice.hears('call.accepted'), { by: bob.endpoint })
  t.match(await watch.hears('call.ended'), { reason: 'answered_elsewhere' })

  await commitAndDie(stage, 'c1', who => ({ type: 'hangup', actor: as(who), reason: 'hangup' }), alice)
  await stage.pass(DELIVERED_WITHIN_MS)
  t.match(await bob.hears('call.ended'), { reason: 'hangup', endedBy: alice.endpoint })
  await alice.does('calls', { callId: 'c2', to: 'bob' })
  for (const his of [bob, watch]) await his.hears('call.incoming')
  await alice.does('calls/c2/cancel')
  for (const his of [bob, watch]) await his.hears('call.ended')
})

flow('a device that comes before it is delivered rings once', async (t, stage) => {
  const [alice, laptop] = await stage.enterBoth()
  const [caller, to, callId] = [
    { user: stage.marked('alice'), device: 'phone' },
    stage.marked('bob'),
    stage.marked('c1')
  ]
  const lease = { holder: `${callId}/${caller.user}/1`, at: stage.now() }
  await stage.store.leases.take(caller.user, { ...lease, peer: to, kind: 'active', role: 'caller/phone' }, {})
  await stage.store.leases.take(to, { ...lease, peer: caller.user, kind: 'ringing', role: 'callee/phone' }, {})
  const create = {
    type: 'create',
    callId,
    actor: caller,
    to,
    media: null,
    metadata: {},
    offer: null,
    attempt: 1
  } as const
  await commitAndDie(stage, 'c1', () => ({ ...create, ringMs: 30_000 }), alice)
  // One comes with a stream, one asks where things stand, one does both at once, one only shows that it is there.
  const watch = await stage.enter('bob', 'watch', { node: stage.far })
  const [tv, car, fridge] = (await Promise.all(
    ['tv', 'car', 'fridge'].map(device => stage.enter('bob', device, { node: stage.far, silent: true }))
  )) as [Person, Person, Person]
  tv.startsAt((await tv.ask('GET', 'snapshot')).body.cursor)
  await tv.listens()
  await Promise.all([car.ask('GET', 'snapshot'), car.listens()])
  await fridge.ask('PUT', 'presence', {})
  await fridge.listens('start')
  for (const his of [laptop, watch, tv, car, fridge]) t.match(await his.hears('call.incoming'), { callId: 'c1' })
  await alice.does('calls/c1/cancel')
  for (const his of [laptop, watch, tv, car, fridge]) t.match(await his.hears('call.ended'), { reason: 'cancelled' })
})

flow('or before that, by the next command of that call, and in order', async (t, stage) => {
  const [alice, bob] = await stage.enterBoth()
  const as = ({ user, device }: Person) => ({ user: stage.marked(user), device })
  await alice.does('calls', { callId: 'c1', to: 'bob' })
  await bob.hears('call.incoming')
  await commitAndDie(stage, 'c1', who => ({ type: 'accept', actor: as(who), connectMs: 30_000, checkMs: 15_000 }), bob)
  t.match(await alice.does('calls/c1/offer', { sdp: sdp('aliceA') }), { revision: 1 })
  await alice.hears('call.accepted')
  await bob.hears('signal.offer')
  await commitAndDie(stage, 'c1', who => ({ type: 'connected', actor: as(who) }), alice)
  await bob.does('calls/c1/accept')
  await bob.hears('call.connected')
  await commitAndDie(stage, 'c1', who => ({ type: 'hangup', actor: as(who), reason: 'hangup' }), alice)
  t.match(await bob.does('calls/c1/hangup'), { call: { state: 'ended', endedBy: alice.endpoint } })
  t.match(await bob.hears('call.ended'), { endedBy: alice.endpoint })
  t.same([await alice.activeCalls(), await bob.activeCalls()], [[], []])
})

flow('a retry of what it committed finds it done', async (t, stage) => {
  const [alice, bob] = await stage.enterBoth()
  const as = ({ user, device }: Person) => ({ user: stage.marked(user), device })
  await alice.does('calls', { callId: 'c1', to: 'bob' })
  await bob.hears('call.incoming')
  await commitAndDie(stage, 'c1', who => ({ type: 'accept', actor: as(who), connectMs: 30_000, checkMs: 15_000 }), bob)
  t.match(await bob.does('calls/c1/accept'), { call: { state: 'connecting', version: 2 } })
  t.match(await alice.hears('call.accepted'), { call: { version: 2 } })
  await bob.does('calls/c1/hangup')
  await alice.hears('call.ended')
})

flow('a merge that it left half done is finished by the retry', async (t, stage) => {
  const [alice, bob] = await stage.enterBoth()
  await alice.does('calls', { callId: 'a1', to: 'bob' })
  await bob.hears('call.incoming')
  const [actor, to] = [{ user: stage.marked('bob'), device: 'laptop' }, stage.marked('alice')]
  const because = { code: 'merged', into: stage.marked('a1') } as const
  const { state } = refuseIn(
    null,
    { callId: stage.marked('b1'), actor, to, attempt: 1, because, keepMs: stage.config.retentionMs },
    stage.now()
  )
  await stage.store.aggregates.commit(
    { kind: 'call', id: stage.marked('b1') },
    {
      expected: null,
      version: 1,
      tag: 'merge',
      state: JSON.stringify(state),
      mail: [],
      log: [],
      deadlineAt: null,
      expireInMs: 60_000,
      now: stage.now()
    }
  )
  const merged = { resolution: 'merged', call: { callId: 'a1', state: 'connecting', callee: bob.endpoint } }
  t.match(await bob.does('calls', { callId: 'b1', to: 'alice' }), merged)
  t.match(await alice.hears('call.accepted'), { by: bob.endpoint })
  t.match(await bob.does('calls', { callId: 'b1', to: 'alice' }), merged)
  await alice.does('calls/a1/hangup')
  await bob.hears('call.ended')
})
