// No create leaves a lease behind, and no lease is released or shown for the call of another caller.

import { joinIds } from '../../src/id-text.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'

const leasesOf = async (scenario: Scenario, user: string) =>
  scenario.fromWire(await scenario.store.leases.list(scenario.toWire(user))).map(({ kind }) => kind)

flow(
  'of two callers who create a call with one id at once, the loser and its callee keep no lease',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const eve = await scenario.addClient('eve', 'phone', { node: scenario.lastNode })
    const carol = await scenario.addClient('carol', 'phone')
    for (let round = 1; round <= 8; round++) {
      const callId = `same${round}`
      const create = (who: TestClient, to: string) => who.request('POST', 'calls', { callId, to })
      const both =
        round % 2 ? [create(alice, 'bob'), create(eve, 'carol')] : [create(eve, 'carol'), create(alice, 'bob')]
      const answers = await scenario.advanceDuring(Promise.all(both))
      t.same(answers.map(({ status }) => status).sort(), [201, 409], `round ${round}`)
      const lost = answers.find(({ status }) => status === 409)?.body
      t.match(lost, { code: 'call_id_taken' })
      t.notMatch(lost, { currentState: /./ }, 'the refusal reveals nothing about the other call')

      const isHers = (await alice.request('GET', `calls/${callId}`)).status === 200
      const [winner, callee, loser, free] = isHers ? [alice, bob, eve, carol] : [eve, carol, alice, bob]
      await callee.expectEvent('call.incoming')
      for (const { user } of [loser, free]) t.same(await leasesOf(scenario, user), [], `${user} has no lease`)
      t.same(await leasesOf(scenario, winner.user), ['active'])
      t.same(await leasesOf(scenario, callee.user), ['ringing'])
      for (const client of [loser, free]) t.same(await client.activeCalls(), [])
      await loser.post('calls', { callId: `next${round}`, to: free.user })
      await free.expectEvent('call.incoming')
      await loser.post(`calls/next${round}/cancel`)
      await free.expectEvent('call.ended')
      await winner.post(`calls/${callId}/cancel`)
      await callee.expectEvent('call.ended')
      for (const { user } of [winner, callee]) t.same(await leasesOf(scenario, user), [])
    }
  }
)

flow(
  'a caller who uses one id for two callees calls one of them, and the other keeps no lease',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const carol = await scenario.addClient('carol', 'phone', { node: scenario.lastNode })
    for (let round = 1; round <= 6; round++) {
      const callId = `c${round}`
      const create = (to: string) => alice.request('POST', 'calls', { callId, to })
      const answers = await scenario.advanceDuring(Promise.all([create('bob'), create('carol'), create('bob')]))
      t.equal(answers.filter(({ status }) => status === 201).length, 1, `round ${round}: one call`)
      const { callee } = await alice.call(callId)
      const [rung, free] = callee?.user === 'bob' ? [bob, carol] : [carol, bob]
      await rung.expectEvent('call.incoming')
      t.same([await leasesOf(scenario, rung.user), await leasesOf(scenario, free.user)], [['ringing'], []])
      await alice.post(`calls/${callId}/cancel`)
      await rung.expectEvent('call.ended')
    }
  }
)

flow('a stale lease does not reveal the call of another caller', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const mallory = await scenario.addClient('mallory', 'phone', { node: scenario.lastNode })
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  const [user, peer] = [scenario.toWire('mallory'), scenario.toWire('bob')]
  const at = scenario.now()
  for (const [n, caller] of [scenario.toWire('mallory'), scenario.toWire('alice')].entries()) {
    const lease = { holder: joinIds(scenario.toWire('c1'), caller, '1'), peer: `${peer}${n}`, role: 'caller/phone', at }
    await scenario.store.leases.take(user, { ...lease, kind: 'active' }, {})
  }
  t.same(await mallory.activeCalls(), [])
  t.match((await mallory.request('GET', 'snapshot')).body, { calls: [], presence: { state: 'online' } })
  const tablet = await scenario.addClient('mallory', 'tablet')
  const { body } = await alice.request('GET', `presence?users=${encodeURIComponent(user)}`)
  t.match(
    scenario.fromWire(body),
    { presences: [{ user: 'mallory', state: 'online' }] },
    'a stale lease does not make the user busy'
  )
  await mallory.post('calls', { callId: 'm1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  t.same(await tablet.activeCalls(), ['m1'], 'and it is released when it is in the way')
  await mallory.post('calls/m1/cancel')
  await bob.expectEvent('call.ended')
  await tablet.expectEvent('call.ended')
  await alice.post('calls/c1/cancel')
  await bob.expectEvent('call.ended')
})

flow('two devices that accept two calls at once are in one of them', async (t, scenario) => {
  const [alice, laptop] = await scenario.addAliceAndBob()
  const watch = await scenario.addClient('bob', 'watch')
  const carol = await scenario.addClient('carol', 'phone')
  for (let round = 1; round <= 4; round++) {
    const [a, c] = [`a${round}`, `c${round}`]
    await alice.post('calls', { callId: a, to: 'bob' })
    await carol.post('calls', { callId: c, to: 'bob' })
    for (const his of [laptop, watch]) await his.expectEvents('call.incoming', 'call.incoming')
    const answers = await Promise.all([
      laptop.request('POST', `calls/${a}/accept`),
      watch.request('POST', `calls/${c}/accept`)
    ])
    t.same(answers.map(({ status }) => status).sort(), [200, 409], `round ${round}`)
    const [taken, other, winner, loser] = answers[0].status === 200 ? [a, c, alice, carol] : [c, a, carol, alice]
    const [won, lost] = winner === alice ? [laptop, watch] : [watch, laptop]
    const refusal = answers.find(({ status }) => status === 409)?.body
    t.match(refusal, { code: /^(caller_busy|call_ended)$/ })
    await winner.expectEvent('call.accepted')
    t.match(await loser.expectEvent('call.ended'), { callId: other, reason: 'busy' })
    t.match(await won.expectEvent('call.ended'), { callId: other, reason: 'busy' })
    // The losing device gets both ends, `answered_elsewhere` and `busy`, in either order.
    await lost.expectEvents('call.ended', 'call.ended')
    t.same(await leasesOf(scenario, 'bob'), ['active'])
    await winner.post(`calls/${taken}/hangup`)
    await won.expectEvent('call.ended')
  }
})
