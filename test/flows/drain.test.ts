// A node is drained: who reconnects elsewhere was never away, and who does not is missed in time.

import { join } from '../helpers/rooms.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'

/** How late a deadline may be, and some time for what follows from it. */
const LATE_MS = 1_500

/** The first two are at the node that stays; the others at the one that will go. */
async function gather(scenario: Scenario): Promise<{ stay: TestClient[]; move: TestClient[] }> {
  const near = (user: string) => scenario.enter(user, 'phone')
  const far = (user: string) => scenario.enter(user, 'phone', { node: scenario.far })
  return {
    stay: [await near('alice'), await near('bob')],
    move: [await far('carol'), await far('dave'), await far('erin')]
  }
}

flow(
  'in a room of several, in a call and to those who watch nobody is announced away',
  async (t, scenario) => {
    if (scenario.far === 0) return
    const { stay, move } = await gather(scenario)
    const [alice, bob] = stay as [TestClient, TestClient]
    const [carol, dave, erin] = move as [TestClient, TestClient, TestClient]
    const people = [alice, carol, dave, erin]
    for (const [n, who] of people.entries()) {
      await join(who, 'r1')
      for (const other of people.slice(0, n)) await other.hears('room.participant_joined')
    }
    await bob.does('calls', { callId: 'c1', to: 'carol' })
    await carol.hears('call.incoming')
    await carol.does('calls/c1/accept')
    await bob.hears('call.accepted')
    await scenario.pass(5_000)
    t.equal((await bob.ask('PUT', 'presence/watch', { users: ['dave'] })).status, 200)

    await scenario.cluster.drainNode(scenario.far)
    await scenario.pass(1_000)
    for (const who of [carol, dave, erin]) {
      who.goesTo(0)
      await who.listens()
    }
    await scenario.pass(scenario.config.presenceTtlMs + LATE_MS)
    const { body } = await alice.ask('GET', 'rooms/r1')
    const seen = (body.participants as { user: string; away: boolean }[]).map(({ user, away }) => [user, away])
    t.same(
      seen,
      people.map(({ user }) => [user, false])
    )
    t.match(
      await bob.call('c1'),
      { state: 'connecting' },
      'and nothing was heard of it: mailboxes are held against that'
    )
  },
  { alone: true, env: { CONNECT_TIMEOUT_MS: '3600000', PRESENCE_TTL_MS: '15000' } }
)

flow(
  'who does not come back is announced away and put out of the room in time',
  async (t, scenario) => {
    if (scenario.far === 0) return
    const { stay, move } = await gather(scenario)
    const [alice] = stay as [TestClient]
    const [carol, dave] = move as [TestClient, TestClient]
    for (const who of [alice, carol, dave]) await join(who, 'r1')
    await alice.hearsAll('room.participant_joined', 'room.participant_joined')
    await carol.hears('room.participant_joined')
    await scenario.cluster.drainNode(scenario.far)
    carol.goesTo(0)
    await carol.listens()
    const { awayAfterMs, roomReconnectMs } = scenario.config
    await scenario.pass(awayAfterMs + LATE_MS)
    for (const who of [alice, carol]) {
      t.match(await who.hears('room.participant_updated'), { participant: { user: 'dave', away: true } })
    }
    await scenario.pass(roomReconnectMs + LATE_MS)
    for (const who of [alice, carol])
      t.match(await who.hears('room.participant_left'), { user: 'dave', reason: 'lost' })
    await dave.leaves()
    await dave.listens()
    t.match(await dave.hears('room.participant_left'), { reason: 'lost' })
  },
  { alone: true }
)
