// One mailbox and one cursor, however it is read: bob changes transport and node in mid-call and misses nothing (G4, G10).

import { flow } from '../helpers/scenario.js'
import { candidate, candidates, sdp } from '../helpers/sdp.js'

flow('stream, then poll, then a stream on another node, in mid-call', async (t, scenario) => {
  const [alice, bob] = await scenario.enterBoth()
  await alice.does('calls', { callId: 'c1', to: 'bob' })
  await bob.hears('call.incoming')
  await bob.does('calls/c1/accept')
  await alice.hears('call.accepted')
  await alice.does('calls/c1/offer', { sdp: sdp('aliceA') })
  await bob.hears('signal.offer')
  await bob.does('calls/c1/answer', { sdp: sdp('bobA') })
  await alice.hears('signal.answer')

  let next = 1
  const trickle = async (count: number) => {
    for (let i = 0; i < count; i++) await alice.does('calls/c1/candidates', { candidates: [candidate(next++)] })
  }
  const hear = async (count: number) => {
    for (let i = 0; i < count; i++) await bob.hears('signal.candidates')
  }
  await trickle(3)
  await hear(2) // the third is on its way when the stream goes
  await bob.leaves()
  await trickle(2)
  bob.goesTo(0)
  t.equal((await bob.polls()).length, 3, 'a poll goes on where the stream was')
  t.same(await bob.polls(), [], 'and has nothing twice')
  await trickle(3)
  t.equal((await bob.polls({ limit: 2 })).length, 2)
  bob.goesTo(scenario.far)
  await bob.listens()
  await hear(1)
  await trickle(2)
  await hear(2)
  bob.goesTo(0)
  await bob.listens()
  await trickle(1)
  await hear(1)
  await bob.does('calls/c1/hangup')
  await alice.hears('call.ended')
})

flow('alice talks to any node, and bob hears all in one order', async (t, scenario) => {
  const [alice, bob] = await scenario.enterBoth()
  const anyNode = async (action: string, body?: object) => {
    for (const node of [0, scenario.far]) {
      alice.goesTo(node)
      await alice.does(`calls/c1/${action}`, body)
    }
  }
  await alice.does('calls', { callId: 'c1', to: 'bob' })
  await bob.hears('call.incoming')
  bob.goesTo(0)
  await bob.does('calls/c1/accept')
  t.match(await alice.hears('call.accepted'), { by: bob.endpoint })
  await anyNode('offer', { sdp: sdp('aliceA') })
  await bob.hears('signal.offer')
  for (let i = 1; i <= 4; i++) {
    await anyNode('candidates', { candidates: [candidate(i)] })
    await bob.hearsAll('signal.candidates', 'signal.candidates')
  }
  await bob.does('calls/c1/answer', { sdp: sdp('bobA') })
  await alice.hears('signal.answer')
  await anyNode('connected')
  await bob.hears('call.connected')
  await anyNode('hold')
  await bob.hears('call.held')
  await anyNode('hangup')
  await bob.hears('call.ended')
})

flow('a whole call between two people who only poll', async (t, scenario) => {
  const alice = await scenario.enter('alice', 'phone', { silent: true })
  const bob = await scenario.enter('bob', 'laptop', { node: scenario.far, silent: true })
  await bob.polls()
  const { cursor } = await alice.does('calls', { callId: 'c1', to: 'bob', offer: { sdp: sdp('aliceA') } })
  alice.startsAt(cursor)
  const typesOf = async (client: typeof bob) => (await client.polls()).map(({ type }) => type)
  t.same(await typesOf(bob), ['call.incoming'])
  await bob.does('calls/c1/accept')
  await bob.does('calls/c1/answer', { sdp: sdp('bobA') })
  t.same(await typesOf(alice), ['call.accepted', 'signal.answer'])
  await Promise.all([alice, bob].map(client => client.does('calls/c1/candidates', { candidates: candidates(3) })))
  t.same(await typesOf(alice), ['signal.candidates'])
  t.same(await typesOf(bob), ['signal.candidates'])
  await bob.does('calls/c1/connected')
  await alice.does('calls/c1/hangup')
  t.same(await typesOf(alice), ['call.connected'])
  t.same(await typesOf(bob), ['call.ended'])
})

flow('what came while nobody listened is replayed', async (t, scenario) => {
  const [alice, bob] = await scenario.enterBoth()
  await bob.leaves()
  await scenario.hasStreams(1)
  for (const callId of ['c1', 'c2', 'c3']) {
    t.match(await alice.does('calls', { callId, to: 'bob' }), { delivery: { online: 0, queued: 1 } })
    await alice.does(`calls/${callId}/cancel`)
  }
  await bob.listens()
  for (const callId of ['c1', 'c2', 'c3']) {
    t.match(await bob.hears('call.incoming'), { callId })
    t.match(await bob.hears('call.ended'), { callId, reason: 'cancelled' })
  }
})

flow('a cursor of somebody else, or of the future, is no way in', async (t, scenario) => {
  const [alice, bob] = await scenario.enterBoth()
  await alice.does('calls', { callId: 'c1', to: 'bob' })
  await bob.hears('call.incoming')
  await alice.does('calls/c1/cancel')
  await bob.hears('call.ended')
  const hers = alice.cursor.split('.')[1]
  const cases: [cursor: string, reason: string][] = [
    [`1.${hers}`, 'unknown'],
    ['0.zzzzz', 'unknown'],
    ['2.zzzzz', 'unknown'],
    ['3.zzzzz', 'future'],
    ['999999.zzzzz', 'future']
  ]
  await bob.leaves()
  for (const [cursor, reason] of cases) {
    const { status, body } = await bob.ask('GET', `events/poll?wait=0&cursor=${cursor}`)
    t.match([status, body], [200, { events: [{ type: 'reset', data: { reason } }], cursor: bob.cursor }], cursor)
    t.equal((body.events as unknown[]).length, 1, 'and nothing else')
  }
  const all = await bob.ask('GET', 'events/poll?wait=0&cursor=start')
  t.same(
    (all.body.events as { type: string }[]).map(({ type }) => type),
    ['call.incoming', 'call.ended']
  )
})
