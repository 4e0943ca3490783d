// Producers that are paused and resumed by many requests at once, and by requests that fail between the media service and the commit.
import t from 'tap'
import { Fleet } from '../helpers/fleet.js'
import { passUntil } from '../helpers/media-fixture.js'
import { join } from '../helpers/rooms.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { MediaClient, meetInSfu, startMediaService } from '../helpers/sfu.js'
import { type Reply, TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'

const { service, env } = await startMediaService()
t.teardown(() => service.close())

/** What the room says the participant sends, and whether it is paused. */
async function inRoom({ id }: MediaClient, asker: MediaClient): Promise<Record<string, boolean>> {
  const { body } = await asker.request('GET', 'producers')
  const producers = body.producers as { participantId: string; producerId: string; paused: boolean }[]
  const own = producers.filter(({ participantId }) => participantId === id)
  return Object.fromEntries(own.map(({ producerId, paused }) => [producerId, paused]))
}

/** The same at the media service. */
function atService(roomId: string, { id }: MediaClient): Record<string, boolean> {
  const [session] = service.sessionsOf(roomId).slice(-1)
  const producers = session?.participants.get(id)?.resources.producers ?? new Map<string, never>()
  return Object.fromEntries([...producers].map(([producerId, { state }]) => [producerId, Boolean(state.paused)]))
}

/** Sends the request to a node. */
async function pauseAt(
  scenario: Scenario,
  { who, room }: MediaClient,
  { node, path, paused }: { readonly node: number; readonly path: string; readonly paused: boolean }
): Promise<number> {
  const url = `${scenario.urlOf(node)}/v1/rooms/${scenario.toPath(room)}/sfu/${path}`
  const headers = { ...who.credentials.headers, 'content-type': 'application/json' }
  const reply = await fetch(url, { method: 'PATCH', headers, body: JSON.stringify({ paused }) })
  const { producer } = (await reply.json()) as { producer?: { paused: boolean } }
  if (reply.ok) t.equal(producer?.paused, paused)
  return reply.status
}

const drain = async ({ who }: MediaClient): Promise<void> => void (await who.poll())

for (const producers of [1, 16]) {
  flow(
    `of 200 pauses and resumes at once, of ${producers} producers, none fails, and room and media service agree`,
    async (t, scenario) => {
      const [alice, bob] = await meetInSfu(scenario)
      const ids = Array.from({ length: producers }, (_, i) => `p${i}`)
      for (const id of ids) await bob.produce(id)
      const remove = service.inject('update', { delayMs: 50 })
      const asked = service.countOf('update')
      const requests = Array.from({ length: 200 }, (_, i) =>
        pauseAt(scenario, bob, {
          node: i % (scenario.lastNode + 1),
          path: `producers/${ids[Math.floor(i / 4) % ids.length]}`,
          paused: i % 4 > 1
        })
      )
      const path = `participants/${bob.id}/producers/p0`
      const byHost = Array.from({ length: 10 }, (_, i) =>
        pauseAt(scenario, alice, { node: i % (scenario.lastNode + 1), path, paused: true })
      )
      const statuses = await Promise.all([...requests, ...byHost])
      remove()
      t.strictSame([...new Set(statuses)], [200])
      t.ok(service.countOf('update') - asked < statuses.length, 'the media service is asked for several at once')
      t.strictSame(atService(scenario.toWire('r1'), bob), await inRoom(bob, alice))
      await scenario.cluster.settle()
      for (const each of [alice, bob]) await drain(each)
    },
    // The machine of the test may be busy.
    { env: { ...env, MEDIA_SERVICE_TIMEOUT_MS: '20000' } }
  )
}

flow(
  'a pause that the media service executes without a reply is taken back, because the request was refused',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    await bob.produce('camera')
    const remove = service.inject('update', 'die')
    t.match(await bob.pause('camera'), { status: 503, body: { code: 'media_unavailable' } })
    remove()
    t.strictSame(atService(scenario.toWire('r1'), bob), { camera: true })
    t.strictSame(await inRoom(bob, alice), { camera: false })
    await passUntil(scenario, 'they agree', () => atService(scenario.toWire('r1'), bob).camera === false)
    t.strictSame(await inRoom(bob, alice), { camera: false })
    await scenario.cluster.settle()
    for (const each of [alice, bob]) await drain(each)
  },
  { env, ownCluster: true }
)

flow(
  'a pause that is refused after the media service has executed it is taken back at once',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    await bob.produce('camera')
    const replies: Reply[] = []
    for (let paused = true; replies.at(-1)?.status !== 429; paused = !paused)
      replies.push(await bob.pause('camera', paused))
    t.match(replies.at(-1), { body: { code: 'rate_limited' } })
    t.strictSame(atService(scenario.toWire('r1'), bob), await inRoom(bob, alice))
    await scenario.cluster.settle()
    for (const each of [alice, bob]) await drain(each)
  },
  { env: { ...env, RATE_LIMIT_DELIVERIES: '4' } }
)

t.test('a node that is killed between the media service and the commit leaves no difference', async t => {
  const fleet = await Fleet.launch(2, undefined, { ...env, PRESENCE_TTL_MS: '2000', HEARTBEAT_MS: '1000' })
  t.teardown(() => fleet.stop())
  const [VICTIM, SURVIVOR] = [0, 1]
  const bob = await TestClient.create(fleet, { user: 'bob', device: 'phone', node: SURVIVOR })
  await bob.openStream()
  await bob.request('PUT', 'rooms/r1', { mode: 'sfu' })
  const sender = await new MediaClient(await join(bob, 'r1'), 'r1').openTransports()
  t.equal((await sender.produce('camera')).status, 201)
  const release = service.inject('update', 'hold')
  const before = service.countOf('update')
  bob.useNode(VICTIM)
  const lost = t.rejects(sender.pause('camera'), 'the node does not answer any more')
  await until('the media service was asked', () => service.countOf('update') > before)
  await fleet.kill(VICTIM)
  await lost
  release()
  await until('the media service has executed the request', () => atService('r1', sender).camera === true)
  bob.useNode(SURVIVOR)
  t.strictSame(await inRoom(sender, sender), { camera: false })
  await until('they agree', () => atService('r1', sender).camera === false)
  t.strictSame(await inRoom(sender, sender), { camera: false })
  await bob.checkMailbox(t)
})
