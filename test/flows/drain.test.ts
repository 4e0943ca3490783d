// A node is drained: who reconnects elsewhere was never away, and who does not is missed in time.

import { join } from '../helpers/rooms.js'
import { flow, type Stage } from '../helpers/scenario.js'
import type { Person } from '../helpers/test-client.js'

/** How late a deadline may be, and some time for what follows from it. */
const LATE_MS = 1_500

/** The first two are at the node that stays; the others at the one that will go. */
async function gather(stage: Stage): Promise<{ stay: Person[]; move: Person[] }> {
  const near = (user: string) => stage.enter(user, 'phone')
  const far = (user: string) => stage.enter(user, 'phone', { node: stage.far })
  return {
    stay: [await near('alice'), await near('bob')],
    move: [await far('carol'), await far('dave'), await far('erin')]
  }
}

flow(
  'in a room of several, in a call and to those who watch nobody is announced away',
  async (t, stage) => {
    if (stage.far === 0) return
    const { stay, move } = await gather(stage)
    const [alice, bob] = stay as [Person, Person]
    const [carol, dave, erin] = move as [Person, Person, Person]
    const people = [alice, carol, dave, erin]
    for (const [n, who] of people.entries()) {
      await join(who, 'r1')
      for (const other of people.slice(0, n)) await other.hears('room.participant_joined')
    }
    await bob.does('calls', { callId: 'c1', to: 'carol' })
    await carol.hears('call.incoming')
    await carol.does('calls/c1/accept')
    await bob.hears('call.accepted')
    await stage.pass(5_000)
    t.equal((await bob.ask('PUT', 'presence/watch', { users: ['dave'] })).status, 200)

    await stage.house.drainNode(stage.far)
    await stage.pass(1_000)
    for (const who of [carol, dave, erin]) {
      who.goesTo(0)
      await who.listens()
    }
    await stage.pass(stage.config.presenceTtlMs + LATE_MS)
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
  async (t, stage) => {
    if (stage.far === 0) return
    const { stay, move } = await gather(stage)
    const [alice] = stay as [Person]
    const [carol, dave] = move as [Person, Person]
    for (const who of [alice, carol, dave]) await join(who, 'r1')
    await alice.hearsAll('room.participant_joined', 'room.participant_joined')
    await carol.hears('room.participant_joined')
    await stage.house.drainNode(stage.far)
    carol.goesTo(0)
    await carol.listens()
    const { awayAfterMs, roomReconnectMs } = stage.config
    await stage.pass(awayAfterMs + LATE_MS)
    for (const who of [alice, carol]) {
      t.match(await who.hears('room.participant_updated'), { participant: { user: 'dave', away: true } })
    }
    await stage.pass(roomReconnectMs + LATE_MS)
    for (const who of [alice, carol])
      t.match(await who.hears('room.participant_left'), { user: 'dave', reason: 'lost' })
    await dave.leaves()
    await dave.listens()
    t.match(await dave.hears('room.participant_left'), { reason: 'lost' })
  },
  { alone: true }
)
