// A node is killed in the middle of a room's fan-out, when some mailboxes have the message and others do not. Another node takes over, and
// each participant gets every event once, in order.
import t from 'tap'
import { Fleet } from '../helpers/fleet.js'
import { startProxy } from '../helpers/proxy.js'
import { startRedis } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { type ReceivedEvent, TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'

const SURVIVOR = 0
const VICTIM = 1
const PARTICIPANTS = 24
const REACHED_BY_VICTIM = 9
const HOUR_MS = '3600000'
/** No device counts as away without a stream, and no deadline of the room starts its fan-out: only the sweeper of stale outboxes does. */
const NEVER_AWAY = { AWAY_AFTER_MS: HOUR_MS, GRACE_MS: HOUR_MS, PRESENCE_TTL_MS: HOUR_MS, RETENTION_MS: HOUR_MS }
/** Within this time another node publishes what a dead node left. */
const TAKEOVER_MS = 2_000

const redis = await startRedis()
const proxy = await startProxy(redis.port)
const THROUGH_PROXY = { REDIS_URL: `redis://127.0.0.1:${proxy.port}` }
const store = await openRedisStore(redis.url)
const fleet = await Fleet.launch(1, redis, NEVER_AWAY)
t.teardown(async () => {
  await store.close()
  await proxy.close()
  await fleet.stop()
})

const post = (client: TestClient, path: string, messageId: string) =>
  client.post(path, { messageId, content: `This is ${messageId}` })

const messagesIn = (events: readonly ReceivedEvent[]) =>
  events.filter(({ type }) => type === 'chat.message').map(({ data }) => String(data.messageId))

/** How many mailboxes end with this message. */
async function countReached(participants: readonly TestClient[], messageId: string): Promise<number> {
  const options = { limit: 500, maxBytes: 1_048_576, now: Date.now() }
  const found = await Promise.all(
    participants.map(({ user, device }) => store.mailboxes.read(user, device, { from: 'start', ...options }))
  )
  const last = found.map(result => (result.status === 'ok' ? result.events.at(-1)?.envelope : undefined))
  return last.filter(envelope => envelope?.includes(messageId)).length
}

/** Participants whose requests go to the survivor, and who have received all joins. */
async function joinAll(roomId: string): Promise<TestClient[]> {
  const participants: TestClient[] = []
  for (let i = 0; i < PARTICIPANTS; i++) {
    const client = await TestClient.create(fleet, { user: `${roomId}${i}`, device: 'phone', node: SURVIVOR })
    await client.poll()
    await client.post(`rooms/${roomId}/participants`)
    participants.push(client)
  }
  await until('all joins are published', async () => {
    const room = await store.rooms.load(roomId, [])
    return room !== null && room.publishedVersion === room.version
  })
  for (const client of participants) await client.poll()
  return participants
}

/** Posts a message at the victim, and kills the victim once some mailboxes have the message. */
async function postAndKill(author: TestClient, participants: readonly TestClient[], path: string): Promise<void> {
  author.useNode(VICTIM)
  const cut = proxy.cutAfter(REACHED_BY_VICTIM, 'taken:')
  await post(author, path, 'first')
  await cut
  await until(
    'the appends that passed the proxy were executed',
    async () => (await countReached(participants, 'first')) >= REACHED_BY_VICTIM
  )
  await fleet.kill(VICTIM)
  author.useNode(SURVIVOR)
}

/** Polls until each has received the message `last`. Resolves to the messages of each. */
async function receiveUpTo(participants: readonly TestClient[], last: string): Promise<string[][]> {
  const received = participants.map(client => ({ client, messages: [] as string[] }))
  await until(`all have received ${last}`, async () => {
    const waiting = received.filter(({ messages }) => !messages.includes(last))
    await Promise.all(waiting.map(async ({ client, messages }) => messages.push(...messagesIn(await client.poll()))))
    return waiting.length === 0
  })
  return received.map(({ messages }) => messages)
}

t.test('the message of a killed node reaches all others in time, without further requests in the room', async t => {
  await fleet.start(VICTIM, THROUGH_PROXY)
  const [author, ...listeners] = (await joinAll('hall')) as [TestClient, ...TestClient[]]
  await postAndKill(author, listeners, 'rooms/hall/messages')
  const diedAt = performance.now()
  await until(
    'all mailboxes have the message',
    async () => (await countReached(listeners, 'first')) === listeners.length
  )
  const tookMs = performance.now() - diedAt
  t.ok(tookMs < TAKEOVER_MS, `after ${Math.round(tookMs)} ms`)
  for (const messages of await receiveUpTo(listeners, 'first')) t.same(messages, ['first'])
  for (const client of [author, ...listeners]) await client.checkMailbox(t)
})

t.test('the message of a killed node precedes later messages, and a retry finds it posted', async t => {
  await fleet.start(VICTIM, THROUGH_PROXY)
  const [author, other, ...listeners] = (await joinAll('yard')) as [TestClient, TestClient, ...TestClient[]]
  await postAndKill(author, [other, ...listeners], 'rooms/yard/messages')
  await post(other, 'rooms/yard/messages', 'second')
  t.match(await post(author, 'rooms/yard/messages', 'first'), { message: { messageId: 'first' } })
  await post(author, 'rooms/yard/messages', 'third')
  for (const messages of await receiveUpTo(listeners, 'third')) t.same(messages, ['first', 'second', 'third'])
  t.same(await receiveUpTo([author], 'second'), [['second']])
  t.same(await receiveUpTo([other], 'third'), [['first', 'third']])
  for (const client of [author, other, ...listeners]) await client.checkMailbox(t)
})
