// One mailbox and one cursor for both transports: bob changes transport and node during a call and misses no event (G4, G10).

import { flow } from '../helpers/scenario.js'
import { candidate, candidates, sdp } from '../helpers/sdp.js'

flow('a client that changes between stream, poll and nodes during a call gets each event once', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/accept')
  await alice.expectEvent('call.accepted')
  await alice.post('calls/c1/offer', { sdp: sdp('aliceA') })
  await bob.expectEvent('signal.offer')
  await bob.post('calls/c1/answer', { sdp: sdp('bobA') })
  await alice.expectEvent('signal.answer')

  let next = 1
  const trickle = async (count: number) => {
    for (let i = 0; i < count; i++) await alice.post('calls/c1/candidates', { candidates: [candidate(next++)] })
  }
  const receive = async (count: number) => {
    for (let i = 0; i < count; i++) await bob.expectEvent('signal.candidates')
  }
  await trickle(3)
  await receive(2) // the third is on its way when the stream goes
  await bob.closeStream()
  await trickle(2)
  bob.useNode(0)
  t.equal((await bob.poll()).length, 3, 'the poll continues where the stream ended')
  t.same(await bob.poll(), [], 'no event twice')
  await trickle(3)
  t.equal((await bob.poll({ limit: 2 })).length, 2)
  bob.useNode(scenario.lastNode)
  await bob.openStream()
  await receive(1)
  await trickle(2)
  await receive(2)
  bob.useNode(0)
  await bob.openStream()
  await trickle(1)
  await receive(1)
  await bob.post('calls/c1/hangup')
  await alice.expectEvent('call.ended')
})

flow('events of requests to any node arrive in one order', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const anyNode = async (action: string, body?: object) => {
    for (const node of [0, scenario.lastNode]) {
      alice.useNode(node)
      await alice.post(`calls/c1/${action}`, body)
    }
  }
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  bob.useNode(0)
  await bob.post('calls/c1/accept')
  t.match(await alice.expectEvent('call.accepted'), { by: bob.endpoint })
  await anyNode('offer', { sdp: sdp('aliceA') })
  await bob.expectEvent('signal.offer')
  for (let i = 1; i <= 4; i++) {
    await anyNode('candidates', { candidates: [candidate(i)] })
    await bob.expectEvents('signal.candidates', 'signal.candidates')
  }
  await bob.post('calls/c1/answer', { sdp: sdp('bobA') })
  await alice.expectEvent('signal.answer')
  await anyNode('connected')
  await bob.expectEvent('call.connected')
  await anyNode('hold')
  await bob.expectEvent('call.held')
  await anyNode('hangup')
  await bob.expectEvent('call.ended')
})

flow('a whole call works with polls only', async (t, scenario) => {
  const alice = await scenario.addClient('alice', 'phone', { silent: true })
  const bob = await scenario.addClient('bob', 'laptop', { node: scenario.lastNode, silent: true })
  await bob.poll()
  const { cursor } = await alice.post('calls', { callId: 'c1', to: 'bob', offer: { sdp: sdp('aliceA') } })
  alice.startFrom(cursor)
  const typesOf = async (client: typeof bob) => (await client.poll()).map(({ type }) => type)
  t.same(await typesOf(bob), ['call.incoming'])
  await bob.post('calls/c1/accept')
  await bob.post('calls/c1/answer', { sdp: sdp('bobA') })
  t.same(await typesOf(alice), ['call.accepted', 'signal.answer'])
  await Promise.all([alice, bob].map(client => client.post('calls/c1/candidates', { candidates: candidates(3) })))
  t.same(await typesOf(alice), ['signal.candidates'])
  t.same(await typesOf(bob), ['signal.candidates'])
  await bob.post('calls/c1/connected')
  await alice.post('calls/c1/hangup')
  t.same(await typesOf(alice), ['call.connected'])
  t.same(await typesOf(bob), ['call.ended'])
})

flow('events that arrived while no stream was open are replayed', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await bob.closeStream()
  await scenario.waitForStreams(1)
  for (const callId of ['c1', 'c2', 'c3']) {
    t.match(await alice.post('calls', { callId, to: 'bob' }), { delivery: { online: 0, queued: 1 } })
    await alice.post(`calls/${callId}/cancel`)
  }
  await bob.openStream()
  for (const callId of ['c1', 'c2', 'c3']) {
    t.match(await bob.expectEvent('call.incoming'), { callId })
    t.match(await bob.expectEvent('call.ended'), { callId, reason: 'cancelled' })
  }
})

flow('a cursor of another mailbox, or ahead of the mailbox, gets a reset and no event', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await alice.post('calls/c1/cancel')
  await bob.expectEvent('call.ended')
  const hers = alice.cursor.split('.')[1]
  const cases: [cursor: string, reason: string][] = [
    [`1.${hers}`, 'unknown'],
    ['0.zzzzz', 'unknown'],
    ['2.zzzzz', 'unknown'],
    ['3.zzzzz', 'future'],
    ['999999.zzzzz', 'future']
  ]
  await bob.closeStream()
  for (const [cursor, reason] of cases) {
    const { status, body } = await bob.request('GET', `events/poll?wait=0&cursor=${cursor}`)
    t.match([status, body], [200, { events: [{ type: 'reset', data: { reason } }], cursor: bob.cursor }], cursor)
    t.equal((body.events as unknown[]).length, 1, 'and nothing else')
  }
  const all = await bob.request('GET', 'events/poll?wait=0&cursor=start')
  t.same(
    (all.body.events as { type: string }[]).map(({ type }) => type),
    ['call.incoming', 'call.ended']
  )
})
