// Presence events while nodes are killed and Redis hangs: watchers get the real changes and no others.
import t from 'tap'
import { Fleet } from '../helpers/fleet.js'
import { openScenario } from '../helpers/own-redis.js'
import { TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'

const states = async (who: TestClient) => {
  const { body } = await who.request('GET', 'presence/watch')
  return (body.watching as { user: string; state: string }[]).map(({ user, state }) => `${user} ${state}`)
}

t.test('when a node is killed, users who do not reconnect become offline once, and the others do not', async t => {
  const [ttlMs, debounceMs] = [3_000, 500]
  const env = {
    PRESENCE_TTL_MS: `${ttlMs}`,
    PRESENCE_DEBOUNCE_MS: `${debounceMs}`,
    HEARTBEAT_MS: '500',
    PRESENCE_VISIBILITY: 'everyone'
  }
  const fleet = await Fleet.launch(3, undefined, env)
  t.teardown(() => fleet.stop())
  const [VICTIM, NEAR, FAR] = [0, 1, 2]
  const enter = async (user: string, node: number) => {
    const client = await TestClient.create(fleet, { user, device: 'phone', node })
    await client.openStream()
    return client
  }
  const [alice, eve] = [await enter('alice', NEAR), await enter('eve', FAR)]
  const [bob, carol] = [await enter('bob', VICTIM), await enter('carol', VICTIM)]
  for (const who of [alice, eve]) await who.request('PUT', 'presence/watch', { users: ['bob', 'carol'] })
  t.same(await states(alice), ['bob online', 'carol online'])

  await fleet.kill(VICTIM)
  const killedAt = Date.now()
  carol.useNode(FAR)
  await carol.openStream()
  await until('bob is offline', async () => (await states(alice)).includes('bob offline'))
  // A deadline may run a second late, and later on a busy machine.
  const tookMs = Date.now() - killedAt
  t.ok(tookMs < ttlMs + debounceMs + 5_000, `after ${tookMs} ms`)
  await until('carol would be offline too', () => Date.now() - killedAt > ttlMs + debounceMs + 1_500)
  for (const who of [alice, eve]) {
    t.match(await who.expectEvent('presence.changed'), { user: 'bob', state: 'offline' })
    t.same(await states(who), ['bob offline', 'carol online'])
    await who.checkMailbox(t)
  }
  for (const who of [bob, carol]) await who.closeStream()
})

t.test('no user becomes offline while Redis hangs for longer than PRESENCE_TTL_MS', async t => {
  const { scenario, redis } = await openScenario(t)
  const alice = await scenario.addClient('alice', 'phone')
  const users = ['bob', 'carol', 'dan']
  for (const [n, user] of users.entries()) await scenario.addClient(user, 'laptop', { node: n % 2 })
  await alice.request('PUT', 'presence/watch', { users })
  const isReady = async (ready: boolean) => {
    const replies = await Promise.all([0, 1].map(node => fetch(`${scenario.urlOf(node)}/readyz`)))
    return replies.every(({ ok }) => ok === ready)
  }

  redis.pause()
  await until('both nodes are not ready', () => isReady(false))
  for (let s = 0; s < 3 * scenario.config.presenceTtlMs; s += 1_000) {
    scenario.cluster.clock.advance(1_000)
    await new Promise(setImmediate)
  }
  redis.resume()
  await until('both nodes are ready', () => isReady(true))
  await scenario.advance(scenario.config.presenceTtlMs + 5_000)
  t.same(await states(alice), ['bob online', 'carol online', 'dan online'])
  await scenario.checkMailboxes(t)
})
