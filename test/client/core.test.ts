// The headless core against two real nodes and a Redis.
import t, { type Test } from 'tap'
import { SignalpostCore } from '../../packages/client/src/core.js'
import { createToken } from '../../src/development.js'
import { Fleet } from '../helpers/fleet.js'
import { until } from '../helpers/until.js'

const fleet = await Fleet.launch(2)
t.teardown(() => fleet.stop())

function createClient(t: Test, user: string, node = 0): SignalpostCore {
  const client = new SignalpostCore({
    url: fleet.urlOf(node),
    token: () => createToken(fleet.config, { user }),
    device: 'laptop'
  })
  t.teardown(() => client.close())
  return client
}

t.test('a call from one node arrives as an event on another', async t => {
  const alice = createClient(t, 'alice', 0)
  const bob = createClient(t, 'bob', 1)
  const snapshot = await bob.connect()
  t.same([snapshot.calls, bob.user, bob.connection], [[], 'bob', 'live'])
  const received: string[] = []
  bob.on('event', ({ type }) => received.push(type))
  const { call } = await alice.request('POST', '/calls', { to: 'bob' })
  await until('it arrives', () => received.length > 0)
  await bob.request('POST', `/calls/${call.callId}/reject`)
  t.strictSame(received, ['call.incoming'])
})
