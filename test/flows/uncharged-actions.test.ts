// The first hang-up, cancel and reject of a party are never limited. A request that changes nothing is charged.
import t from 'tap'
import { openProxiedScenario } from '../helpers/own-redis.js'
import { flow } from '../helpers/scenario.js'

const env = { RATE_LIMIT_READS: '5' }

flow(
  'the first hang-up, cancel and reject succeed when the budget is spent; repeats are charged as reads',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const spendReads = async (client: typeof alice) => {
      const replies = await Promise.all(Array.from({ length: 8 }, () => client.request('GET', 'calls')))
      t.ok(replies.some(({ status }) => status === 429))
    }
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    await bob.expectEvent('call.incoming')
    await spendReads(alice)
    t.match(await alice.post('calls/c1/cancel'), { call: { state: 'ended' } })
    await bob.expectEvent('call.ended')
    await alice.expectRefusal('rate_limited', 'calls/c1/cancel')

    await alice.post('calls', { callId: 'c2', to: 'bob' })
    await bob.expectEvent('call.incoming')
    await spendReads(bob)
    t.match(await bob.post('calls/c2/reject'), { call: { state: 'ended' } })
    await alice.expectEvent('call.ended')
    await bob.expectRefusal('rate_limited', 'calls/c2/reject')

    await alice.post('calls', { callId: 'c3', to: 'bob' })
    await bob.expectEvent('call.incoming')
    await bob.post('calls/c3/accept')
    await alice.expectEvent('call.accepted')
    t.match(await bob.post('calls/c3/hangup'), { call: { state: 'ended' } })
    await alice.expectEvent('call.ended')
    await bob.expectRefusal('rate_limited', 'calls/c3/hangup')
    await bob.expectRefusal('rate_limited', 'calls/unknown/hangup')
    await scenario.advance(2000)
    t.match(await bob.post('calls/c3/hangup'), { call: { state: 'ended' } })
    await bob.expectRefusal('call_not_found', 'calls/unknown/hangup')
  },
  { env }
)

flow(
  'cancels of calls that do not exist are limited, and each leaves a small tombstone for two minutes',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const mallory = await scenario.addClient('mallory', 'phone')
    for (let n = 0; n < 20; n++) {
      t.match(await mallory.post(`calls/u${n}/cancel`), { call: { state: 'ended', reason: 'cancelled' } })
    }
    await mallory.expectRefusal('rate_limited', 'calls/u20/cancel')
    await mallory.expectRefusal('rate_limited', 'calls/u0/cancel')
    const kept = await scenario.store.aggregates.load({ kind: 'call', id: scenario.toWire('u0') })
    t.ok(kept !== null && kept.state.length <= 300, `${kept?.state.length} bytes`)
    t.match(await mallory.post('calls', { callId: 'u0', to: 'bob' }), {
      resolution: 'existing',
      call: { reason: 'cancelled' }
    })
    t.match(
      await alice.post('calls', { callId: 'u0', to: 'bob' }),
      { resolution: 'created' },
      'the tombstone does not affect another caller'
    )
    await bob.expectEvent('call.incoming')
    await alice.post('calls/u0/cancel')
    await bob.expectEvent('call.ended')
    const { until } = JSON.parse(kept?.state ?? '{}').tombstones[0]
    t.ok(until <= scenario.now() + 120_000, 'it is kept for two minutes')
  }
)

flow('a client cannot choose an id that is derived from an Idempotency-Key', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const key = { 'idempotency-key': 'k1' }
  const { status, body } = await alice.request('POST', 'calls', { to: 'bob' }, key)
  t.equal(status, 201)
  const { callId } = body.call as { callId: string }
  await bob.expectEvent('call.incoming')
  await bob.expectRefusal('invalid_request', 'calls', { callId, to: 'alice' })
  t.match((await alice.request('POST', 'calls', { to: 'bob' }, key)).body, { resolution: 'existing', call: { callId } })
  t.equal((await alice.request('POST', `./calls/${callId}/cancel`)).status, 200)
  await bob.expectEvent('call.ended')
})

t.test('a create that is committed while the budget refuses its cancel is cancelled', async t => {
  const { scenario, proxy } = await openProxiedScenario(t)
  const [alice, bob] = await scenario.addAliceAndBob()
  alice.useNode(0)
  for (let n = 0; n < 20; n++) await alice.post(`calls/early${n}/cancel`)
  alice.useNode(1)
  const held = proxy.hold(/budget:\S+:cancels:/)
  const cancelled = alice.request('POST', 'calls/c1/cancel')
  const { release } = await held
  alice.useNode(0)
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  release()
  t.match(await cancelled, { status: 200, body: { call: { callId: 'c1', state: 'ended', reason: 'cancelled' } } })
  await bob.expectEvent('call.ended')
})
