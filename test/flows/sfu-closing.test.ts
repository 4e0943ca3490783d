// What a participant stops to send is closed in the room and at the media service, whatever fails between the two.
import t from 'tap'
import { Fleet } from '../helpers/fleet.js'
import { passUntil } from '../helpers/media-fixture.js'
import type { Operation } from '../helpers/media-service.js'
import { join } from '../helpers/rooms.js'
import { flow } from '../helpers/scenario.js'
import { MediaClient, meetInSfu, startMediaService } from '../helpers/sfu.js'
import { type Reply, TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'

const { service, env } = await startMediaService()
t.teardown(() => service.close())

/** All that the participant sends, as the media service has it. */
function atService(roomId: string, { id }: MediaClient): string[] {
  const resources = service.sessionsOf(roomId).at(-1)?.participants.get(id)?.resources
  return [...(resources?.producers.keys() ?? []), ...(resources?.['data-producers'].keys() ?? [])].sort()
}

/** The same as the room has it. */
async function inRoom({ id }: MediaClient, asker: MediaClient): Promise<string[]> {
  const { producers, dataProducers } = (await asker.request('GET', 'producers')).body
  const sent = [...(producers as Record<string, string>[]), ...(dataProducers as Record<string, string>[])]
  return sent
    .filter(({ participantId }) => participantId === id)
    .map(({ producerId, dataProducerId }) => String(producerId ?? dataProducerId))
    .sort()
}

interface Closing {
  readonly what: string
  readonly path: string
  /** What the participant sends after it. */
  readonly left: readonly string[]
  /** When the media service does not answer. */
  readonly status: number
}

const CLOSINGS: readonly Closing[] = [
  { what: 'a producer', path: 'producers/camera', left: ['chat'], status: 204 },
  { what: 'a data producer', path: 'data-producers/chat', left: ['camera'], status: 204 },
  // The room has no transports: the client repeats the request.
  { what: 'a transport', path: 'transports/send', left: [], status: 503 }
]

async function send(client: MediaClient): Promise<MediaClient> {
  const replies = [await client.produce('camera'), await client.produceData('chat')]
  t.strictSame(
    replies.map(({ status }) => status),
    [201, 201]
  )
  return client
}

const drain = async ({ who }: MediaClient): Promise<void> => void (await who.poll())

for (const { what, path, left, status } of CLOSINGS) {
  for (const fault of ['error', 'die', 'hang'] as const) {
    flow(
      `the media service fails (${fault}) while ${what} is closed: the room has closed it, and the service does so later`,
      async (t, scenario) => {
        const [alice, bob] = await meetInSfu(scenario)
        await send(bob)
        const repair = service.inject('close', fault)
        t.equal((await scenario.advanceDuring(bob.request('DELETE', path))).status, status)
        t.strictSame(await inRoom(bob, alice), left)
        repair()
        await passUntil(scenario, 'they agree', () => atService(scenario.toWire('r1'), bob).join() === left.join())
        t.strictSame(await inRoom(bob, alice), left)
        t.equal((await bob.request('DELETE', path)).status, 204, 'a repeat')
        await scenario.cluster.settle()
        for (const each of [alice, bob]) await drain(each)
      },
      { env: { ...env, MEDIA_SERVICE_TIMEOUT_MS: '1000' }, ownCluster: true }
    )
  }

  flow(
    `${what} whose end is refused stays in the room and at the media service`,
    async (t, scenario) => {
      const [alice, bob] = await meetInSfu(scenario)
      await send(bob)
      let refusal: Reply | undefined
      for (let paused = true; refusal?.status !== 429; paused = !paused) refusal = await bob.pause('camera', paused)
      t.match(await bob.request('DELETE', path), { status: 429, body: { code: 'rate_limited' } })
      t.strictSame(await inRoom(bob, alice), ['camera', 'chat'])
      t.strictSame(atService(scenario.toWire('r1'), bob), ['camera', 'chat'])
      await scenario.cluster.settle()
      for (const each of [alice, bob]) await drain(each)
    },
    { env: { ...env, RATE_LIMIT_DELIVERIES: '6' } }
  )
}

flow(
  'ids that are closed and created again at the same moment exist in both or in neither',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    const repair = service.inject('close', { delayMs: 20 })
    const replies = await scenario.advanceDuring(
      Promise.all(
        Array.from({ length: 10 }, () => [
          bob.request('DELETE', 'producers/camera'),
          bob.produce('camera'),
          bob.request('DELETE', 'data-producers/chat'),
          bob.produceData('chat')
        ]).flat()
      )
    )
    repair()
    t.strictSame(
      [...new Set(replies.map(({ status }) => status))].filter(status => ![200, 201, 204, 503].includes(status)),
      []
    )
    await passUntil(
      scenario,
      'they agree',
      async () => (await inRoom(bob, alice)).join() === atService(scenario.toWire('r1'), bob).join()
    )
    for (const each of [alice, bob]) await drain(each)
  },
  { env }
)

flow(
  'a request to close that is late closes nothing that was created meanwhile',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    await send(bob)
    const late = (path: string) => {
      const release = service.inject('close', 'hold')
      const before = service.countOf('close')
      const closed = bob.request('DELETE', path)
      return { closed, release, asked: until('the media service was asked', () => service.countOf('close') > before) }
    }
    for (const [path, create] of [
      ['producers/camera', () => bob.produce('camera')],
      ['data-producers/chat', () => bob.produceData('chat')]
    ] as const) {
      const first = late(path)
      await first.asked
      // Another request of the same kind is done first.
      const { closed, release, asked } = late(path)
      await asked
      release()
      t.equal((await closed).status, 204)
      t.equal((await create()).status, 201)
      first.release()
      t.equal((await first.closed).status, 204)
      t.strictSame(await inRoom(bob, alice), atService(scenario.toWire('r1'), bob))
      t.equal((await inRoom(bob, alice)).length, 2)
    }
    await scenario.cluster.settle()
    for (const each of [alice, bob]) await drain(each)
  },
  { env }
)

t.test('a node that is killed between the commit and the media service leaves no difference', async t => {
  const fleet = await Fleet.launch(2, undefined, { ...env, PRESENCE_TTL_MS: '2000', HEARTBEAT_MS: '1000' })
  t.teardown(() => fleet.stop())
  const [VICTIM, SURVIVOR] = [0, 1]
  const bob = await TestClient.create(fleet, { user: 'bob', device: 'phone', node: SURVIVOR })
  await bob.openStream()
  await bob.request('PUT', 'rooms/r1', { mode: 'sfu' })
  const sender = await send(await new MediaClient(await join(bob, 'r1'), 'r1').openTransports())
  const operation: Operation = 'close'
  const release = service.inject(operation, 'hold')
  const before = service.countOf(operation)
  bob.useNode(VICTIM)
  const lost = t.rejects(sender.request('DELETE', 'producers/camera'), 'the node does not answer any more')
  await until('the media service was asked', () => service.countOf(operation) > before)
  await fleet.kill(VICTIM)
  await lost
  release()
  bob.useNode(SURVIVOR)
  await until('the media service has closed it', () => atService('r1', sender).join() === 'chat')
  t.strictSame(await inRoom(sender, sender), ['chat'])
})
