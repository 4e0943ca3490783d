// A node is killed in the midst of a room's fan-out: some mailboxes have the message, others don't. Another node takes over, and
// everybody gets each event once, in order.
import t from 'tap'
import { Fleet } from '../helpers/fleet.js'
import { startProxy } from '../helpers/proxy.js'
import { startRedis } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { type ReceivedEvent, TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'

const SURVIVOR = 0
const VICTIM = 1
const PEOPLE = 24
const REACHED_BY_VICTIM = 9
const HOUR_MS = '3600000'
/** Nobody is missed for want of a stream, and no check of the room starts its fan-out: that is for the sweeper to do. */
const PATIENT = { AWAY_AFTER_MS: HOUR_MS, GRACE_MS: HOUR_MS, PRESENCE_TTL_MS: HOUR_MS, RETENTION_MS: HOUR_MS }
/** What a dead node left is published within this time. */
const TAKEOVER_MS = 2_000

const redis = await startRedis()
const proxy = await startProxy(redis.port)
const THROUGH_PROXY = { REDIS_URL: `redis://127.0.0.1:${proxy.port}` }
const store = await openRedisStore(redis.url)
const fleet = await Fleet.launch(1, redis, PATIENT)
t.teardown(async () => {
  await store.close()
  await proxy.close()
  await fleet.sink()
})

const post = (client: TestClient, path: string, messageId: string) =>
  client.post(path, { messageId, content: `This is ${messageId}` })

const linesIn = (told: readonly ReceivedEvent[]) =>
  told.filter(({ type }) => type === 'chat.message').map(({ data }) => String(data.messageId))

/** How many mailboxes end with this message. */
async function countReached(people: readonly TestClient[], messageId: string): Promise<number> {
  const options = { limit: 500, maxBytes: 1_048_576, now: Date.now() }
  const found = await Promise.all(
    people.map(({ user, device }) => store.mailboxes.read(user, device, { from: 'start', ...options }))
  )
  const last = found.map(result => (result.status === 'ok' ? result.events.at(-1)?.envelope : undefined))
  return last.filter(envelope => envelope?.includes(messageId)).length
}

/** All are at the survivor, and have been told of each other. */
async function meet(roomId: string): Promise<TestClient[]> {
  const people: TestClient[] = []
  for (let i = 0; i < PEOPLE; i++) {
    const client = await TestClient.create(fleet, { user: `${roomId}${i}`, device: 'phone', node: SURVIVOR })
    await client.poll()
    await client.post(`rooms/${roomId}/participants`)
    people.push(client)
  }
  await until('all joinings are published', async () => {
    const room = await store.rooms.load(roomId, [])
    return room !== null && room.publishedVersion === room.version
  })
  for (const client of people) await client.poll()
  return people
}

/** The author's message is accepted, and its node killed when some mailboxes have it. */
async function postAndDie(author: TestClient, people: readonly TestClient[], path: string): Promise<void> {
  author.useNode(VICTIM)
  const cut = proxy.cutAfter(REACHED_BY_VICTIM, 'taken:')
  await post(author, path, 'first')
  await cut
  await until('what went through was done', async () => (await countReached(people, 'first')) >= REACHED_BY_VICTIM)
  await fleet.kill(VICTIM)
  author.useNode(SURVIVOR)
}

/** What each has heard when they have heard the last message. */
async function hearUpTo(people: readonly TestClient[], last: string): Promise<string[][]> {
  const heard = people.map(client => ({ client, lines: [] as string[] }))
  await until(`all have heard ${last}`, async () => {
    const waiting = heard.filter(({ lines }) => !lines.includes(last))
    await Promise.all(waiting.map(async ({ client, lines }) => lines.push(...linesIn(await client.poll()))))
    return waiting.length === 0
  })
  return heard.map(({ lines }) => lines)
}

t.test('its message reaches everybody else in time, though nothing more happens in the room', async t => {
  await fleet.start(VICTIM, THROUGH_PROXY)
  const [author, ...listeners] = (await meet('hall')) as [TestClient, ...TestClient[]]
  await postAndDie(author, listeners, 'rooms/hall/messages')
  const diedAt = performance.now()
  await until('all mailboxes have it', async () => (await countReached(listeners, 'first')) === listeners.length)
  const tookMs = performance.now() - diedAt
  t.ok(tookMs < TAKEOVER_MS, `after ${Math.round(tookMs)} ms`)
  for (const lines of await hearUpTo(listeners, 'first')) t.same(lines, ['first'])
  for (const client of [author, ...listeners]) await client.checkMailbox(t)
})

t.test('and before what others post meanwhile; a retry finds it posted', async t => {
  await fleet.start(VICTIM, THROUGH_PROXY)
  const [author, other, ...listeners] = (await meet('yard')) as [TestClient, TestClient, ...TestClient[]]
  await postAndDie(author, [other, ...listeners], 'rooms/yard/messages')
  await post(other, 'rooms/yard/messages', 'second')
  t.match(await post(author, 'rooms/yard/messages', 'first'), { message: { messageId: 'first' } })
  await post(author, 'rooms/yard/messages', 'third')
  for (const lines of await hearUpTo(listeners, 'third')) t.same(lines, ['first', 'second', 'third'])
  t.same(await hearUpTo([author], 'second'), [['second']])
  t.same(await hearUpTo([other], 'third'), [['first', 'third']])
  for (const client of [author, other, ...listeners]) await client.checkMailbox(t)
})
