// The chat service receives every message, whatever happens to it, to nodes or to rooms, and no request waits for it.
import assert from 'node:assert/strict'
import t from 'tap'
import { ChatService } from '../helpers/chat-service.js'
import { run } from '../helpers/child-process.js'
import { type JoinedClient, join, meet } from '../helpers/rooms.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'

const service = await ChatService.open()
t.teardown(() => service.close())

const MESSAGES = 'rooms/r1/messages'
const env = { CHAT_SERVICE_URL: service.url, CHAT_SERVICE_RETRY_MAX_MS: '2000', RETENTION_MS: '120000' }

const arrived = (scenario: Scenario) => service.messagesOf(scenario.toWire('r1')).map(({ content }) => content)

/** Advances the clock until the service has `count` messages of the room. */
async function passUntil(scenario: Scenario, count: number): Promise<string[]> {
  await until(`${count} messages have arrived`, async () => {
    await scenario.advance(500)
    return arrived(scenario).length >= count
  })
  return arrived(scenario)
}

async function post(who: TestClient, ...texts: string[]): Promise<void> {
  for (const content of texts) await who.post(MESSAGES, { content })
}

/** Commits a message as a node that dies right after it. */
async function postAndDie(
  scenario: Scenario,
  { who, id: participantId }: JoinedClient,
  { content, ...entry }: OrphanedMessage
): Promise<void> {
  const now = scenario.now()
  const from = { ...who.endpoint, participantId }
  const value = JSON.stringify({ from, content, sentAt: now, roomCreatedAt: now })
  const commit = {
    reads: {},
    writes: {},
    participantsMax: 9,
    items: [],
    tag: 'x',
    deadlineAt: null,
    expireInMs: null
  }
  const { status } = await scenario.store.rooms.commit(scenario.toWire('r1'), {
    ...{ ...commit, logEntry: { ...entry, value, keepsExcess: true }, emptyDeadlineAt: now + 1e6, node: 'dead', now }
  })
  assert.equal(status, 'ok')
}

interface OrphanedMessage {
  readonly id: string
  readonly content: string
  readonly keep: number
}

/**
 * No dead letter is still being delivered: the log begins after them, so a delivery that starts now does not read them, and no delivery that
 * has read them is running.
 */
async function untilDeliveryStopped(scenario: Scenario, oldest: string): Promise<void> {
  const { rooms, aggregates } = scenario.store
  const id = scenario.toWire('r1')
  await until('the log is trimmed', async () => {
    const [first] = await rooms.log(id, { after: 0, limit: 1 })
    return JSON.parse(first?.value ?? '{}').content === oldest
  })
  await until('no node delivers', async () => {
    const queue = await aggregates.load({ kind: 'chat', id })
    return queue === null || JSON.parse(queue.state).deliveringNode === null
  })
}

interface Letter {
  readonly reason: string
  readonly status?: number
  readonly message: { readonly roomId: string; readonly content: string }
}

async function deadLetters(scenario: Scenario): Promise<string[]> {
  const letters = (await scenario.store.deadLetters.list({ limit: 1000 })).map(({ text }) => JSON.parse(text) as Letter)
  const ours = letters.filter(({ message }) => message.roomId === scenario.toWire('r1'))
  return ours.map(({ reason, status, message }) => `${reason}${status ? ` ${status}` : ''}: ${message.content}`)
}

/** The greatest value of all nodes. */
async function lagSeconds(scenario: Scenario): Promise<number> {
  const nodes = Array.from({ length: scenario.lastNode + 1 }, (_, node) => fetch(`${scenario.urlOf(node)}/metrics`))
  const texts = await Promise.all((await Promise.all(nodes)).map(reply => reply.text()))
  return Math.max(...texts.map(text => Number(/^signalpost_chat_lag_seconds (\S+)$/m.exec(text)?.[1])))
}

flow(
  'when participants post messages, the service receives all of them in the order of the room',
  async (t, scenario) => {
    const participants = await meet(scenario)
    await Promise.all(
      participants.flatMap(({ who, id }) =>
        Array.from({ length: 8 }, (_, n) => who.post(MESSAGES, { content: `${id} ${n}` }))
      )
    )
    const { body } = await participants[0].who.request('GET', `${MESSAGES}?limit=100`)
    for (const { who } of participants) for (let n = 0; n < 16; n++) await who.expectEvent('chat.message')
    await until('all have arrived', () => arrived(scenario).length === 24)
    t.same(
      scenario.fromWire(service.messagesOf(scenario.toWire('r1')).map(stored => ({ ...stored, roomId: 'r1' }))),
      body.messages
    )
  },
  { env }
)

flow(
  'when the service was down and the posting node has closed, no message is lost',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    await alice.closeStream()
    alice.useNode(scenario.lastNode)
    await alice.openStream()
    await join(alice, 'r1')
    await join(bob, 'r1')
    await alice.expectEvent('room.participant_joined')
    alice.useNode(0)
    await post(alice, 'a')
    await until('the first has arrived', () => arrived(scenario).length === 1)
    service.stop()
    await post(alice, 'b', 'c')
    await bob.expectEvents('chat.message', 'chat.message', 'chat.message')
    await scenario.advance(10_000)
    const lag = await lagSeconds(scenario)
    t.ok(lag >= 5 && lag <= 10, `the lag is ${lag} s`)
    await post(alice, 'd')
    await bob.expectEvent('chat.message')
    if (scenario.lastNode > 0) await scenario.cluster.closeNode(0)
    await post(alice, 'e')
    await bob.expectEvent('chat.message')
    t.same(arrived(scenario), ['a'])
    service.restart()
    t.same(await passUntil(scenario, 5), ['a', 'b', 'c', 'd', 'e'])
    await scenario.advance(30_000)
    t.equal(await lagSeconds(scenario), 0)
    t.same(arrived(scenario), ['a', 'b', 'c', 'd', 'e'], 'no message is repeated')
    t.same(await deadLetters(scenario), [])
  },
  { env, ownCluster: true }
)

flow(
  'when the posting node dies right after the commit, another node delivers the message',
  async (t, scenario) => {
    const alice = await join(await scenario.addClient('alice', 'phone'), 'r1')
    await postAndDie(scenario, alice, { id: 'm1', content: 'orphan', keep: 9 })
    t.same(await passUntil(scenario, 1), ['orphan'])
  },
  { env }
)

flow(
  'when the service refuses a message, it becomes a dead letter and the next one is delivered',
  async (t, scenario) => {
    const alice = await join(await scenario.addClient('alice', 'phone'), 'r1')
    await post(alice.who, 'a', 'spam b', 'c')
    t.same(await passUntil(scenario, 2), ['a', 'c'])
    t.same(await deadLetters(scenario), ['refused 422: spam b'])
    const { redisUrl } = scenario.cluster
    if (redisUrl === null) return
    const operator = run(t, 'npm', ['run', '--silent', 'dead-letters'], { env: { REDIS_URL: redisUrl } })
    t.equal(await operator.waitForExit(), 0, operator.stderr())
    const letters = operator.stdout().trimEnd().split('\n')
    const stored = await scenario.store.deadLetters.list({ limit: 1000 })
    t.strictSame(
      letters,
      stored.map(({ text }) => text),
      'one line for each, as stored'
    )
    t.match(JSON.parse(letters.at(-1) ?? ''), {
      ...{ reason: 'refused', status: 422, at: new Date(scenario.now()).toISOString().slice(0, 14) },
      message: { roomId: scenario.toWire('r1'), content: 'spam b', from: { device: 'phone' } }
    })
  },
  { env }
)

flow(
  'when messages leave the history while the service is down, they become dead letters',
  async (t, scenario) => {
    const alice = await join(await scenario.addClient('alice', 'phone'), 'r1')
    await post(alice.who, 'a')
    await until('the first has arrived', () => arrived(scenario).length === 1)
    service.stop()
    await post(alice.who, 'b', 'c', 'd', 'e', 'f', 'g')
    await until('two are dead letters', async () => (await deadLetters(scenario)).length === 2)
    await untilDeliveryStopped(scenario, 'd')
    service.restart()
    t.same(await passUntil(scenario, 5), ['a', 'd', 'e', 'f', 'g'])
    t.same((await deadLetters(scenario)).sort(), ['evicted: b', 'evicted: c'])
  },
  { env: { ...env, CHAT_HISTORY_MAX: '4' } }
)

flow(
  'when the posting node dies before it trims the history, the next message makes the excess dead letters, once',
  async (t, scenario) => {
    const alice = await join(await scenario.addClient('alice', 'phone'), 'r1')
    service.stop()
    await post(alice.who, 'a', 'b', 'c', 'd')
    await postAndDie(scenario, alice, { id: 'm1', content: 'e', keep: 4 })
    await Promise.all([post(alice.who, 'f'), post(alice.who, 'g')])
    await until('three are dead letters', async () => (await deadLetters(scenario)).length >= 3)
    await untilDeliveryStopped(scenario, 'd')
    service.restart()
    const [d, e, ...others] = await passUntil(scenario, 4)
    t.same([d, e, others.sort()], ['d', 'e', ['f', 'g']])
    t.same((await deadLetters(scenario)).sort(), ['evicted: a', 'evicted: b', 'evicted: c'])
  },
  { env: { ...env, CHAT_HISTORY_MAX: '4' } }
)

flow(
  'when the posting node dies before it trims the history and no message follows, the service receives the excess',
  async (t, scenario) => {
    const alice = await join(await scenario.addClient('alice', 'phone'), 'r1')
    service.stop()
    await post(alice.who, 'a', 'b', 'c', 'd')
    await postAndDie(scenario, alice, { id: 'm1', content: 'e', keep: 4 })
    service.restart()
    t.same(await passUntil(scenario, 5), ['a', 'b', 'c', 'd', 'e'])
    t.same(await deadLetters(scenario), [])
  },
  { env: { ...env, CHAT_HISTORY_MAX: '4' } }
)

flow(
  'when a room has closed, its messages are delivered or become dead letters before its log expires',
  async (t, scenario) => {
    const alice = await join(await scenario.addClient('alice', 'phone'), 'r1')
    service.stop()
    await post(alice.who, 'a', 'b')
    await alice.who.request('DELETE', 'rooms/r1')
    await scenario.advance(20_000)
    service.restart()
    t.same(await passUntil(scenario, 2), ['a', 'b'])

    const other = 'rooms/r2/messages'
    await join(alice.who, 'r2')
    service.stop()
    await alice.who.post(other, { content: 'c' })
    await alice.who.request('DELETE', 'rooms/r2')
    const letters = async () =>
      (await scenario.store.deadLetters.list({ limit: 1000 }))
        .map(({ text }) => JSON.parse(text) as Letter)
        .filter(({ message }) => message.roomId === scenario.toWire('r2'))
    await until('it is a dead letter', async () => {
      await scenario.advance(5000)
      return (await letters()).length > 0
    })
    service.restart()
    t.match(await letters(), [{ reason: 'expired', message: { content: 'c' } }])
    t.same(service.messagesOf(scenario.toWire('r2')), [])
  },
  { env }
)
