// A node is drained: a device that reconnects elsewhere is not announced away, and one that does not is.

import { join } from '../helpers/rooms.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'

/** How late a deadline may fire, and some time for its effects. */
const LATE_MS = 1_500

/** Two clients on the node that stays, three on the node that is drained. */
async function addClients(scenario: Scenario): Promise<{ stay: TestClient[]; move: TestClient[] }> {
  const near = (user: string) => scenario.addClient(user, 'phone')
  const far = (user: string) => scenario.addClient(user, 'phone', { node: scenario.lastNode })
  return {
    stay: [await near('alice'), await near('bob')],
    move: [await far('carol'), await far('dave'), await far('erin')]
  }
}

flow(
  'devices that reconnect after a drain are not announced away in rooms, calls or presence',
  async (t, scenario) => {
    if (scenario.lastNode === 0) return
    const { stay, move } = await addClients(scenario)
    const [alice, bob] = stay as [TestClient, TestClient]
    const [carol, dave, erin] = move as [TestClient, TestClient, TestClient]
    const people = [alice, carol, dave, erin]
    for (const [n, who] of people.entries()) {
      await join(who, 'r1')
      for (const other of people.slice(0, n)) await other.expectEvent('room.participant_joined')
    }
    await bob.post('calls', { callId: 'c1', to: 'carol' })
    await carol.expectEvent('call.incoming')
    await carol.post('calls/c1/accept')
    await bob.expectEvent('call.accepted')
    await scenario.advance(5_000)
    t.equal((await bob.request('PUT', 'presence/watch', { users: ['dave'] })).status, 200)

    await scenario.cluster.drainNode(scenario.lastNode)
    await scenario.advance(1_000)
    for (const who of [carol, dave, erin]) {
      who.useNode(0)
      await who.openStream()
    }
    await scenario.advance(scenario.config.presenceTtlMs + LATE_MS)
    const { body } = await alice.request('GET', 'rooms/r1')
    const seen = (body.participants as { user: string; away: boolean }[]).map(({ user, away }) => [user, away])
    t.same(
      seen,
      people.map(({ user }) => [user, false])
    )
    t.match(
      await bob.call('c1'),
      { state: 'connecting' },
      'no event was sent: the mailbox check at the end fails otherwise'
    )
  },
  { ownCluster: true, env: { CONNECT_TIMEOUT_MS: '3600000', PRESENCE_TTL_MS: '15000' } }
)

flow(
  'a device that does not reconnect after a drain is announced away, and leaves the room as lost',
  async (t, scenario) => {
    if (scenario.lastNode === 0) return
    const { stay, move } = await addClients(scenario)
    const [alice] = stay as [TestClient]
    const [carol, dave] = move as [TestClient, TestClient]
    for (const who of [alice, carol, dave]) await join(who, 'r1')
    await alice.expectEvents('room.participant_joined', 'room.participant_joined')
    await carol.expectEvent('room.participant_joined')
    await scenario.cluster.drainNode(scenario.lastNode)
    carol.useNode(0)
    await carol.openStream()
    const { awayAfterMs, roomReconnectMs } = scenario.config
    await scenario.advance(awayAfterMs + LATE_MS)
    for (const who of [alice, carol]) {
      t.match(await who.expectEvent('room.participant_updated'), { participant: { user: 'dave', away: true } })
    }
    await scenario.advance(roomReconnectMs + LATE_MS)
    for (const who of [alice, carol])
      t.match(await who.expectEvent('room.participant_left'), { user: 'dave', reason: 'lost' })
    await dave.closeStream()
    await dave.openStream()
    t.match(await dave.expectEvent('room.participant_left'), { reason: 'lost' })
  },
  { ownCluster: true }
)
