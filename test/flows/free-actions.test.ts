// What is never limited: the first hang-up, cancel and reject of a call one is in. What comes to nothing is charged.
import { flow } from '../helpers/scenario.js'

const env = { RATE_LIMIT_READS: '5' }

flow(
  'the first hang-up, cancel and reject work without any budget left; their repeats are charged as reads',
  async (t, scenario) => {
    const [alice, bob] = await scenario.enterBoth()
    const spendReads = async (client: typeof alice) => {
      const replies = await Promise.all(Array.from({ length: 8 }, () => client.ask('GET', 'calls')))
      t.ok(replies.some(({ status }) => status === 429))
    }
    await alice.does('calls', { callId: 'c1', to: 'bob' })
    await bob.hears('call.incoming')
    await spendReads(alice)
    t.match(await alice.does('calls/c1/cancel'), { call: { state: 'ended' } })
    await bob.hears('call.ended')
    await alice.isRefused('rate_limited', 'calls/c1/cancel')

    await alice.does('calls', { callId: 'c2', to: 'bob' })
    await bob.hears('call.incoming')
    await spendReads(bob)
    t.match(await bob.does('calls/c2/reject'), { call: { state: 'ended' } })
    await alice.hears('call.ended')
    await bob.isRefused('rate_limited', 'calls/c2/reject')

    await alice.does('calls', { callId: 'c3', to: 'bob' })
    await bob.hears('call.incoming')
    await bob.does('calls/c3/accept')
    await alice.hears('call.accepted')
    t.match(await bob.does('calls/c3/hangup'), { call: { state: 'ended' } })
    await alice.hears('call.ended')
    await bob.isRefused('rate_limited', 'calls/c3/hangup')
    await bob.isRefused('rate_limited', 'calls/unknown/hangup')
    await scenario.pass(2000)
    t.match(await bob.does('calls/c3/hangup'), { call: { state: 'ended' } })
    await bob.isRefused('call_not_found', 'calls/unknown/hangup')
  },
  { env }
)

flow(
  'cancels of calls that do not exist are few, small and soon forgotten, and count in no metric',
  async (t, scenario) => {
    const [alice, bob] = await scenario.enterBoth()
    const mallory = await scenario.enter('mallory', 'phone')
    for (let n = 0; n < 20; n++) {
      t.match(await mallory.does(`calls/u${n}/cancel`), { call: { state: 'ended', reason: 'cancelled' } })
    }
    await mallory.isRefused('rate_limited', 'calls/u20/cancel')
    await mallory.isRefused('rate_limited', 'calls/u0/cancel')
    const kept = await scenario.store.aggregates.load({ kind: 'call', id: scenario.marked('u0') })
    t.ok(kept !== null && kept.state.length <= 300, `${kept?.state.length} bytes`)
    t.match(await mallory.does('calls', { callId: 'u0', to: 'bob' }), {
      resolution: 'existing',
      call: { reason: 'cancelled' }
    })
    t.match(await alice.does('calls', { callId: 'u0', to: 'bob' }), { resolution: 'created' }, 'and stop nobody else')
    await bob.hears('call.incoming')
    await alice.does('calls/u0/cancel')
    await bob.hears('call.ended')
    const { until } = JSON.parse(kept?.state ?? '{}').tombstones[0]
    t.ok(until <= scenario.now() + 120_000, 'it is kept for two minutes')
  }
)

flow('an id that is made from an Idempotency-Key is one that nobody can choose', async (t, scenario) => {
  const [alice, bob] = await scenario.enterBoth()
  const key = { 'idempotency-key': scenario.marked('k1') }
  const { status, body } = await alice.ask('POST', 'calls', { to: 'bob' }, key)
  t.equal(status, 201)
  const { callId } = body.call as { callId: string }
  await bob.hears('call.incoming')
  await bob.isRefused('invalid_request', 'calls', { callId, to: 'alice' })
  t.match((await alice.ask('POST', 'calls', { to: 'bob' }, key)).body, { resolution: 'existing', call: { callId } })
  t.equal((await alice.ask('POST', `./calls/${callId}/cancel`)).status, 200)
  await bob.hears('call.ended')
})
