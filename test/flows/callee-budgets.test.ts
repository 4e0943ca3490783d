// Calls to several users: what they take of the budgets that protect a user from being rung.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { joinIds } from '../../src/id-text.js'
import type { Call } from '../../src/schemas/call.js'
import { flow } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'

/** state/reason of each callee. */
const statesOf = ({ callees = [] }: Call) => callees.map(({ state, reason }) => `${state}/${reason}`)

flow(
  'attempts at the users of a sequence count when their turns begin, so that none are saved up',
  async (t, scenario) => {
    const victim = await scenario.addClient('victim', 'phone', { node: scenario.lastNode })
    const pairs: { caller: TestClient; helper: TestClient }[] = []
    for (const i of [1, 2, 3]) {
      const helper = await scenario.addClient(`helper${i}`, 'phone')
      pairs.push({ caller: await scenario.addClient(`caller${i}`, 'phone'), helper })
    }
    const begin = async ({ caller, helper }: (typeof pairs)[number], i: number) => {
      const to = [helper.user, 'victim'].map(user => ({ user, ringTimeoutMs: 90_000 }))
      await caller.post('calls', { callId: `c${i}`, to, ringStrategy: 'sequence' })
      await helper.expectEvent('call.incoming')
    }
    const [one, two, three] = pairs as [(typeof pairs)[0], (typeof pairs)[0], (typeof pairs)[0]]
    // Two attempts of this minute are begun, and wait for the next one, in which a third is begun.
    await begin(one, 1)
    await begin(two, 2)
    await scenario.advance(60_000)
    await begin(three, 3)
    for (const [i, { helper }] of pairs.entries()) await helper.post(`calls/c${i + 1}/reject`)
    for (const { caller } of [one, two]) {
      await victim.expectEvent('call.incoming')
      for (const state of ['ended', 'ringing'])
        t.match(await caller.expectEvent('call.callee_changed'), { callee: { state } })
    }
    const { caller } = three
    await caller.expectEvent('call.callee_changed')
    t.match(await caller.expectEvent('call.ended'), { reason: 'no_answer' })
    t.strictSame(statesOf(await caller.call('c3')), ['ended/declined', 'ended/unreachable'])
  },
  { env: { RATE_LIMIT_CALLS_PER_CALLEE: '2' } }
)

flow('in a sequence a user whom the caller may not ring yet is left out', async (t, scenario) => {
  const [alice, bob, carol] = [
    await scenario.addClient('alice', 'phone'),
    await scenario.addClient('bob', 'phone', { node: scenario.lastNode }),
    await scenario.addClient('carol', 'phone')
  ]
  await alice.post('calls', { callId: 'c1', to: ['bob', 'carol'], ringStrategy: 'sequence', ringTimeoutMs: 90_000 })
  await bob.expectEvent('call.incoming')
  const outcome = { peer: scenario.toWire('alice'), outcome: 'failed', keepMs: 600_000, backoffMs: 5000 } as const
  await scenario.store.contacts.record(scenario.toWire('carol'), outcome, scenario.now())
  await bob.post('calls/c1/reject')
  await alice.expectEvent('call.callee_changed')
  await alice.expectEvent('call.ended')
  t.strictSame(statesOf(await alice.call('c1')), ['ended/declined', 'ended/unreachable'])
  t.equal((await carol.request('GET', 'calls/c1')).status, 404)
})

const receiver = createServer((_request, reply) => void reply.writeHead(204).end()).listen(0, '127.0.0.1')
await once(receiver, 'listening')
t.teardown(() => void receiver.close().closeAllConnections())

flow(
  'in a sequence a user who is held by a create that stalls is not charged a push for each claim',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone', { silent: true })
    const bob = await scenario.addClient('bob', 'phone', { node: scenario.lastNode })
    const to = [{ user: 'bob' }, { user: 'carol' }]
    await alice.post('calls', { callId: 'c1', to, ringStrategy: 'sequence', whenOffline: 'ring' })
    await bob.expectEvent('call.incoming')
    // A create by carol to alice that is not committed, and stalls: it is taken over after 2 s.
    const [hers, peer, ghost] = ['carol', 'alice', 'ghost'].map(name => scenario.toWire(name)) as [
      string,
      string,
      string
    ]
    const lease = {
      holder: joinIds(ghost, hers, '1'),
      peer,
      kind: 'active',
      role: 'phone',
      at: scenario.now()
    } as const
    await scenario.store.leases.take(hers, lease, {})
    await bob.post('calls/c1/reject')
    await scenario.advance(2_500)
    t.strictSame(statesOf(await alice.call('c1')), ['ended/declined', 'ringing/null'])
    const pushes = { name: 'pushesOfUnknown', windowMs: 60_000, max: 50, now: scenario.now() }
    // The call's deadline has begun the turn once more meanwhile.
    t.ok((await scenario.store.counters.left(hers, pushes)) >= 46)
    await alice.post('calls/c1/cancel')
  },
  {
    env: {
      RATE_LIMIT_PUSHES: '50',
      WEBHOOK_URLS: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/#push`,
      WEBHOOK_SECRETS: `whsec_${Buffer.alloc(24, 1).toString('base64')}`,
      WEBHOOK_ALLOW_PRIVATE: 'true'
    }
  }
)
