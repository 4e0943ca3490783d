// Limits of ringing: budgets, back-off, known callers and blocks.

import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'

const env = { RATE_LIMIT_CALLS_PER_PAIR: '5', RATE_LIMIT_CALLS_PER_CALLEE: '6', CALL_BACKOFF_MS: '5000' }

/** Rings and cancels. */
async function attempt(caller: TestClient, callee: TestClient, callId: string): Promise<void> {
  await caller.post('calls', { callId, to: callee.user })
  await callee.expectEvent('call.incoming')
  await caller.post(`calls/${callId}/cancel`)
  await callee.expectEvent('call.ended')
}

flow(
  'a caller has five attempts a minute, unknown callers share a budget, and known callers are not counted',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const mallory = await scenario.addClient('mallory', 'phone')
    const eve = await scenario.addClient('eve', 'phone', { node: scenario.lastNode })
    // The beginning of a window.
    await scenario.advance(60_000 - (scenario.now() % 60_000))
    for (let n = 0; n < 5; n++) await attempt(mallory, bob, `m${n}`)
    const refused = await mallory.request('POST', 'calls', { callId: 'm5', to: 'bob' })
    t.match(refused, { status: 429, body: { code: 'rate_limited' } })
    await attempt(eve, bob, 'e1')
    await eve.expectRefusal('rate_limited', 'calls', { callId: 'e2', to: 'bob' })
    await attempt(eve, alice, 'e3')

    await bob.post('calls', { callId: 'b1', to: 'alice' })
    await alice.expectEvent('call.incoming')
    await bob.post('calls/b1/cancel')
    await alice.expectEvent('call.ended')
    await attempt(alice, bob, 'a1')
    await scenario.advance(60_000)
    await attempt(mallory, bob, 'm6')
  },
  { env }
)

flow(
  'the back-off after a decline or no answer doubles each time, until the callee answers',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const ring = async (callId: string) => {
      await alice.post('calls', { callId, to: 'bob', ringTimeoutMs: 5000 })
      await bob.expectEvent('call.incoming')
    }
    const expectBackoff = async (callId: string) => {
      const { status, body } = await alice.request('POST', 'calls', { callId, to: 'bob' })
      t.match([status, body.code], [429, 'rate_limited'], callId)
    }
    await ring('c1')
    await bob.post('calls/c1/reject')
    await alice.expectEvent('call.ended')
    await expectBackoff('c2')
    await scenario.advance(5000)
    await ring('c3')
    await scenario.advance(6500)
    for (const client of [alice, bob]) t.match(await client.expectEvent('call.ended'), { reason: 'no_answer' })
    await scenario.advance(5000)
    await expectBackoff('c4')
    await scenario.advance(6000)
    await ring('c5')
    await bob.post('calls/c5/accept')
    await alice.expectEvent('call.accepted')
    await bob.post('calls/c5/hangup')
    await alice.expectEvent('call.ended')
    await ring('c6')
    await bob.post('calls/c6/reject')
    await alice.expectEvent('call.ended')
    await scenario.advance(5500)
    await ring('c7')
    await alice.post('calls/c7/cancel')
    await bob.expectEvent('call.ended')
  },
  { env: { ...env, RATE_LIMIT_CALLS_PER_PAIR: '50' } }
)

flow(
  'an invitation after a decline or no answer is refused during the back-off, and each invitee is charged',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    await alice.post('rooms/r1/participants')
    const users = [scenario.toWire('bob')]
    const invite = () => alice.request('POST', 'rooms/r1/invitations', { users, ringTimeoutMs: 5000 })
    t.equal((await invite()).status, 201)
    const { invitationId } = await bob.expectEvent('room.invitation')
    await bob.post(`rooms/r1/invitations/${invitationId}/decline`)
    await alice.expectEvent('room.invitation_ended')
    const again = await invite()
    t.match(again, { status: 200, body: { invitations: [], refused: [{ user: 'bob', reason: 'rate_limited' }] } })
    await scenario.advance(5500)
    t.equal((await invite()).status, 201)
    await bob.expectEvent('room.invitation')
    await scenario.advance(6500)
    for (const client of [alice, bob]) t.match(await client.expectEvent('room.invitation_ended'), { reason: 'expired' })
    t.match(await invite(), { status: 200, body: { refused: [{ user: 'bob', reason: 'rate_limited' }] } })
    const crowd = Array.from({ length: 30 }, (_, n) => scenario.toWire(`guest${n}`))
    t.match(await alice.request('POST', 'rooms/r1/invitations', { users: crowd }), { status: 429 })
  },
  { env: { ...env, RATE_LIMIT_CALLS: '20' } }
)

const blocks = async (client: TestClient, method: 'PUT' | 'DELETE', scenario: Scenario, user: string) =>
  (await client.request(method, `blocks/${scenario.toPath(user)}`)).status

flow(
  'a blocked caller gets the replies for an unreachable callee, and sees the callee as offline',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const mallory = await scenario.addClient('mallory', 'phone', { node: scenario.lastNode })
    t.equal(await blocks(bob, 'PUT', scenario, 'mallory'), 204)
    t.same((await bob.request('GET', 'blocks')).body, { blocks: ['mallory'] })
    const call = async (to: string, callId: string) => {
      const { status, body } = await mallory.request('POST', 'calls', { callId, to })
      return { status, body }
    }
    t.same(await call('bob', 'c1'), await call('nobody', 'c2'))
    await alice.post('calls', { callId: 'c3', to: 'bob' })
    await bob.expectEvent('call.incoming')
    t.same(await call('bob', 'c4'), await call('nobody', 'c5'), 'also while the callee is busy')
    await bob.post('calls/c3/accept')
    await alice.expectEvent('call.accepted')
    const presenceOf = async (user: string) =>
      scenario.fromWire(
        (await mallory.request('GET', `presence?users=${scenario.toPath(user)}`)).body.presences as object[]
      )[0]
    t.same({ ...(await presenceOf('bob')), user: '' }, { ...(await presenceOf('nobody')), user: '' })

    await mallory.post('rooms/r1/participants')
    const invite = async (user: string) => {
      const { status, body } = await mallory.request('POST', 'rooms/r1/invitations', { users: [scenario.toWire(user)] })
      const [sent] = body.invitations as [{ invitationId: string }]
      return { status, refused: body.refused, sent: { ...sent, user: '', invitationId: '' } }
    }
    t.same(await invite('bob'), await invite('nobody'))
    t.same((await bob.request('GET', 'snapshot')).body.invitations, [])

    await alice.post('calls/c3/hangup')
    await bob.expectEvent('call.ended')
    t.equal(await blocks(bob, 'DELETE', scenario, 'mallory'), 204)
    t.equal((await call('bob', 'c6')).status, 201)
    await bob.expectEvent('call.incoming')
    await mallory.post('calls/c6/cancel')
    await bob.expectEvent('call.ended')
  },
  { env: { PRESENCE_VISIBILITY: 'everyone' } }
)

flow(
  'a blocked caller is refused when unknown callers are, and takes nothing of their budget',
  async (t, scenario) => {
    await scenario.addClient('bob', 'laptop', { silent: true })
    const [eve, dora, mallory] = await Promise.all(
      ['eve', 'dora', 'mallory'].map((user, n) =>
        scenario.addClient(user, 'phone', { node: n % 2 ? 0 : scenario.lastNode, silent: true })
      )
    )
    await blocks(await scenario.addClient('bob', 'tablet', { silent: true }), 'PUT', scenario, 'mallory')
    await scenario.advance(60_000 - (scenario.now() % 60_000))
    let attempts = 0
    const ring = async (who: TestClient) => {
      const id = `x${attempts++}`
      const call = await who.request('POST', 'calls', { callId: id, to: 'bob', ringTimeoutMs: 5000 })
      if (call.status === 201) await who.post(`calls/${id}/cancel`)
      await who.post(`rooms/${id}/participants`)
      const invited = await who.request('POST', `rooms/${id}/invitations`, { users: [scenario.toWire('bob')] })
      return [call.status, call.status === 429 ? call.body : null, invited.body.refused]
    }
    const granted = [201, null, []]
    const refused = [429, { code: 'rate_limited' }, [{ user: 'bob', reason: 'rate_limited' }]]
    const cases = [
      ['blocked, the budget is full', mallory, granted],
      ['blocked, repeated', mallory, granted],
      ['blocked, repeated', mallory, granted],
      ['the first unknown caller', eve, granted],
      ['blocked, half of the budget is spent', mallory, granted],
      ['the second unknown caller', dora, granted],
      ['an unknown caller, the budget is spent', eve, refused],
      ['blocked, the budget is spent', mallory, refused]
    ] as const
    for (const [name, who, expected] of cases) t.match(await ring(who as TestClient), expected, name)
    t.same(await ring(mallory as TestClient), await ring(dora as TestClient), 'both refusals are equal')
    await scenario.advance(60_000)
    t.match(await ring(mallory as TestClient), granted)
  },
  { env: { OFFLINE_CALLS: 'ring', RATE_LIMIT_CALLS_PER_PAIR: '50', RATE_LIMIT_CALLS_PER_CALLEE: '4' } }
)

flow(
  'with OFFLINE_CALLS=ring the call of a blocked caller rings no device, has no lease on the callee, and ends as no_answer',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const mallory = await scenario.addClient('mallory', 'phone', { node: scenario.lastNode })
    await blocks(bob, 'PUT', scenario, 'mallory')
    const made = await mallory.post('calls', { callId: 'm1', to: 'bob', ringTimeoutMs: 5000 })
    t.match(made, { resolution: 'created', call: { state: 'ringing' }, delivery: { online: 0, queued: 0 } })
    t.same(await scenario.store.leases.list(scenario.toWire('bob')), [])
    for (const path of ['calls/m1/accept', 'calls/m1/reject']) await bob.expectRefusal('call_not_found', path)
    t.same(await bob.activeCalls(), [])
    await bob.expectRefusal('callee_busy', 'calls', { callId: 'b1', to: 'mallory' })
    const tablet = await scenario.addClient('bob', 'tablet')
    await alice.post('calls', { callId: 'a1', to: 'bob' })
    for (const his of [bob, tablet]) await his.expectEvent('call.incoming')
    await scenario.advance(6500)
    t.match(await mallory.expectEvent('call.ended'), { reason: 'no_answer' })
    await alice.post('calls/a1/cancel')
    for (const his of [bob, tablet]) await his.expectEvent('call.ended')
  },
  { env: { OFFLINE_CALLS: 'ring' } }
)
