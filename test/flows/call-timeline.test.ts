// GET /v1/calls/{callId}/timeline: what its parties can read about a call, while it lives and after its end.

import type { CallTimeline } from '../../src/schemas/timeline.js'
import { flow } from '../helpers/scenario.js'
import { candidates, sdp } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'

async function timelineFor(client: TestClient, callId: string): Promise<string[]> {
  const { body } = await client.request('GET', `calls/${callId}/timeline`)
  const { entries } = body as unknown as CallTimeline
  return entries.map(({ type, by, reason }) => [type, by?.user ?? 'server', ...(reason ? [reason] : [])].join(' '))
}

flow('both sides read what happened in a call, also after its end and from any node', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob', offer: { sdp: sdp('aliceA') } })
  await alice.post('calls/c1/candidates', { candidates: candidates(2, 'aliceA') })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/ringing')
  await bob.post('calls/c1/accept')
  await bob.expectEvent('signal.candidates')
  await bob.post('calls/c1/answer', { sdp: sdp('bobA') })
  await alice.expectEvents('call.ringing', 'call.accepted', 'signal.answer')
  const lines = ['created alice', 'offer alice', 'candidates_held alice', 'ringing bob', 'accepted bob', 'answer bob']
  t.same(await timelineFor(alice, 'c1'), lines)

  await alice.post('calls/c1/hangup', { reason: 'media_failed' })
  await bob.expectEvent('call.ended')
  for (const client of [alice, bob]) {
    client.useNode(scenario.lastNode)
    t.same(await timelineFor(client, 'c1'), [...lines, 'ended alice media_failed'])
  }
  const { body } = await alice.request('GET', 'calls/c1/timeline')
  t.match(body, { callId: 'c1', omitted: 0, entries: [{ at: (await alice.call('c1')).createdAt }] })
})

flow('a stranger cannot read the timeline of a call', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const mallory = await scenario.addClient('mallory', 'phone')
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  const [ofCall, ofNone] = await Promise.all(
    ['c1', 'c2'].map(callId => mallory.request('GET', `calls/${callId}/timeline`))
  )
  t.match([ofCall, ofNone], [{ status: 404 }, { status: 404 }])
  t.same({ ...ofCall?.body, instance: '' }, { ...ofNone?.body, instance: '' }, 'as if there were no call')
  await alice.post('calls/c1/cancel')
  await bob.expectEvent('call.ended')
})

flow('the timeline of a refused create has the reason', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const carol = await scenario.addClient('carol', 'tablet')
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/accept')
  await alice.expectEvent('call.accepted')
  await carol.expectRefusal('callee_busy', 'calls', { callId: 'c2', to: 'bob' })
  t.same(await timelineFor(carol, 'c2'), ['ended server busy'])
  await alice.post('calls/c1/hangup')
  await bob.expectEvent('call.ended')
})
