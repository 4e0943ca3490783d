// What a participant sends exists on the media service before the room commits it. If the commit is refused, it is closed there.
import t from 'tap'
import { flow, type Scenario } from '../helpers/scenario.js'
import { type MediaClient, meetInSfu, startMediaService } from '../helpers/sfu.js'
import type { Reply } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'

const { service, env } = await startMediaService()
t.teardown(() => service.close())

const MAX = 16

interface Kind {
  readonly name: 'producers' | 'data-producers'
  create(client: MediaClient, id: string): Promise<Reply>
}

const KINDS: readonly Kind[] = [
  { name: 'producers', create: (client, id) => client.produce(id) },
  { name: 'data-producers', create: (client, id) => client.produceData(id) }
]

/** What the media service has of the participant. */
function atService(scenario: Scenario, { id }: MediaClient, { name }: Kind): string[] {
  const [session] = service.sessionsOf(scenario.toWire('r1'))
  return [...(session?.participants.get(id)?.resources[name].keys() ?? [])].sort()
}

/** What the room says that the participant sends. */
async function inRoom(client: MediaClient, { name }: Kind): Promise<string[]> {
  const { producers, dataProducers } = (await client.request('GET', 'producers')).body
  const items = (name === 'producers' ? producers : dataProducers) as Record<string, string>[]
  return items.map(item => String(item[name === 'producers' ? 'producerId' : 'dataProducerId'])).sort()
}

/** Starts the requests while the service holds their replies back; `meanwhile` runs when it has received all. */
async function whileHeld(
  requests: readonly (() => Promise<Reply>)[],
  meanwhile = async (): Promise<unknown> => undefined
): Promise<Reply[]> {
  const release = service.inject('create', 'hold')
  const before = service.countOf('create')
  const replies = Promise.all(requests.map(request => request()))
  await until('the media service has received them', () => service.countOf('create') === before + requests.length)
  await meanwhile()
  release()
  return replies
}

/** Takes the events that have arrived. */
const drain = async ({ who }: MediaClient): Promise<void> => void (await who.poll())

for (const kind of KINDS) {
  flow(
    `when a participant loses the right to send while the service creates one of its ${kind.name}, it is closed there`,
    async (t, scenario) => {
      const [alice, bob] = await meetInSfu(scenario)
      const setRole = (role: string) => alice.who.request('PATCH', `rooms/r1/participants/${bob.id}`, { role })
      const [reply] = await whileHeld([() => kind.create(bob, 'x')], () => setRole('listener'))
      t.match(reply, { status: 403, body: { code: 'not_permitted' } })
      t.strictSame(atService(scenario, bob, kind), [])
      t.strictSame(await inRoom(alice, kind), [])
      await bob.who.expectEvent('room.participant_updated')
    },
    { env }
  )

  flow(
    `a participant has at most ${MAX} ${kind.name}, and a refused one is closed at the media service`,
    async (t, scenario) => {
      const [alice, bob] = await meetInSfu(scenario)
      for (let i = 1; i < MAX; i++) await kind.create(alice, `p${i}`)
      const replies = await whileHeld(['x', 'y'].map(id => () => kind.create(alice, id)))
      t.strictSame(replies.map(({ status, body }) => body.code ?? status).sort(), [201, 'too_many_media'])
      t.equal(atService(scenario, alice, kind).length, MAX)
      t.strictSame(atService(scenario, alice, kind), await inRoom(bob, kind))
      t.match(await kind.create(alice, 'one more'), { status: 409, body: { code: 'too_many_media' } })
      t.equal((await kind.create(alice, 'p1')).status, 200, 'a repeat creates nothing')
      await alice.request('DELETE', `${kind.name}/p1`)
      t.equal((await kind.create(alice, 'one more')).status, 201)
      t.strictSame(atService(scenario, alice, kind), await inRoom(bob, kind))
      await scenario.cluster.settle()
      await drain(bob)
    },
    { env }
  )

  flow(
    `${kind.name} are charged for each recipient, and one that is refused for it is closed at the media service`,
    async (t, scenario) => {
      const [alice, bob] = await meetInSfu(scenario)
      const replies = []
      for (const id of ['a', 'b', 'c', 'd']) replies.push(await kind.create(alice, id))
      t.strictSame(
        replies.map(({ status, body }) => body.code ?? status),
        [201, 201, 201, 'rate_limited']
      )
      t.strictSame(atService(scenario, alice, kind), ['a', 'b', 'c'])
      t.match(await kind.create(alice, 'a'), { status: 200 }, 'a repeat publishes nothing')
      await scenario.advance(10_000)
      t.equal((await kind.create(alice, 'd')).status, 201)
      await scenario.cluster.settle()
      await drain(bob)
    },
    // One unit is spent by the join.
    { env: { ...env, RATE_LIMIT_DELIVERIES: '4' } }
  )
}
