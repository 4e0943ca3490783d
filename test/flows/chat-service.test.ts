// Every message to the chat service, whatever happens to it, to the nodes or to the room; and nobody waits for it.
import assert from 'node:assert/strict'
import t from 'tap'
import { ChatHost } from '../helpers/chat-service.js'
import { run } from '../helpers/child-process.js'
import { join, meet, type Seat } from '../helpers/rooms.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'

const host = await ChatHost.open()
t.teardown(() => host.close())

const MESSAGES = 'rooms/r1/messages'
const env = { CHAT_SERVICE_URL: host.url, CHAT_SERVICE_RETRY_MAX_MS: '2000', RETENTION_MS: '120000' }

const arrived = (scenario: Scenario) => host.of(scenario.toWire('r1')).map(({ content }) => content)

/** The clock moves on until the service has so many messages of the story. */
async function passUntil(scenario: Scenario, count: number): Promise<string[]> {
  await until(`${count} messages are there`, async () => {
    await scenario.advance(500)
    return arrived(scenario).length >= count
  })
  return arrived(scenario)
}

async function write(who: TestClient, ...texts: string[]): Promise<void> {
  for (const content of texts) await who.post(MESSAGES, { content })
}

/** A node commits a message, and dies right after it. */
async function postAndDie(
  scenario: Scenario,
  { who, id: participantId }: Seat,
  { content, ...line }: Orphan
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
    ...{ ...commit, logEntry: { ...line, value, keepsExcess: true }, emptyDeadlineAt: now + 1e6, node: 'dead', now }
  })
  assert.equal(status, 'ok')
}

interface Orphan {
  readonly id: string
  readonly content: string
  readonly keep: number
}

/**
 * No message that became a dead letter is still on its way: the log begins after them, so who delivers from now on does not see them,
 * and nobody is at work who read it before.
 */
async function leavesNothingUnderWay(scenario: Scenario, oldest: string): Promise<void> {
  const { rooms, aggregates } = scenario.store
  const id = scenario.toWire('r1')
  await until('the log is trimmed', async () => {
    const [first] = await rooms.log(id, { after: 0, limit: 1 })
    return JSON.parse(first?.value ?? '{}').content === oldest
  })
  await until('nobody is at work', async () => {
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
  const letters = (await scenario.store.deadLetters.list(1000)).map(text => JSON.parse(text) as Letter)
  const ours = letters.filter(({ message }) => message.roomId === scenario.toWire('r1'))
  return ours.map(({ reason, status, message }) => `${reason}${status ? ` ${status}` : ''}: ${message.content}`)
}

/** The greatest of all nodes. */
async function lagSeconds(scenario: Scenario): Promise<number> {
  const nodes = Array.from({ length: scenario.lastNode + 1 }, (_, node) => fetch(`${scenario.urlOf(node)}/metrics`))
  const texts = await Promise.all((await Promise.all(nodes)).map(reply => reply.text()))
  return Math.max(...texts.map(text => Number(/^signalpost_chat_lag_seconds (\S+)$/m.exec(text)?.[1])))
}

flow(
  'the service gets every message, in the order of the room',
  async (t, scenario) => {
    const seats = await meet(scenario)
    await Promise.all(
      seats.flatMap(({ who, id }) => Array.from({ length: 8 }, (_, n) => who.post(MESSAGES, { content: `${id} ${n}` })))
    )
    const { body } = await seats[0].who.request('GET', `${MESSAGES}?limit=100`)
    for (const { who } of seats) for (let n = 0; n < 16; n++) await who.expectEvent('chat.message')
    await until('all are there', () => arrived(scenario).length === 24)
    t.same(scenario.fromWire(host.of(scenario.toWire('r1')).map(kept => ({ ...kept, roomId: 'r1' }))), body.messages)
  },
  { env }
)

flow(
  'a service that was dead for a while misses nothing, though the node that posted has closed',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    await alice.closeStream()
    alice.useNode(scenario.lastNode)
    await alice.openStream()
    await join(alice, 'r1')
    await join(bob, 'r1')
    await alice.expectEvent('room.participant_joined')
    alice.useNode(0)
    await write(alice, 'a')
    await until('the first is there', () => arrived(scenario).length === 1)
    host.dies()
    await write(alice, 'b', 'c')
    await bob.expectEvents('chat.message', 'chat.message', 'chat.message')
    await scenario.advance(10_000)
    const lag = await lagSeconds(scenario)
    t.ok(lag >= 5 && lag <= 10, `the lag is ${lag} s`)
    await write(alice, 'd')
    await bob.expectEvent('chat.message')
    if (scenario.lastNode > 0) await scenario.cluster.closeNode(0)
    await write(alice, 'e')
    await bob.expectEvent('chat.message')
    t.same(arrived(scenario), ['a'])
    host.returns()
    t.same(await passUntil(scenario, 5), ['a', 'b', 'c', 'd', 'e'])
    await scenario.advance(30_000)
    t.equal(await lagSeconds(scenario), 0)
    t.same(arrived(scenario), ['a', 'b', 'c', 'd', 'e'], 'and nothing else comes')
    t.same(await deadLetters(scenario), [])
  },
  { env, ownCluster: true }
)

flow(
  'a message whose poster died right after its commit is delivered too',
  async (t, scenario) => {
    const alice = await join(await scenario.addClient('alice', 'phone'), 'r1')
    await postAndDie(scenario, alice, { id: 'm1', content: 'orphan', keep: 9 })
    t.same(await passUntil(scenario, 1), ['orphan'])
  },
  { env }
)

flow(
  'what the service refuses becomes a dead letter, and the next message follows',
  async (t, scenario) => {
    const alice = await join(await scenario.addClient('alice', 'phone'), 'r1')
    await write(alice.who, 'a', 'spam b', 'c')
    t.same(await passUntil(scenario, 2), ['a', 'c'])
    t.same(await deadLetters(scenario), ['refused 422: spam b'])
    const { redisUrl } = scenario.cluster
    if (redisUrl === null) return
    const operator = run(t, 'npm', ['run', '--silent', 'dead-letters'], { env: { REDIS_URL: redisUrl } })
    t.equal(await operator.waitForExit(), 0, operator.stderr())
    const letters = operator.stdout().trimEnd().split('\n')
    t.strictSame(letters, await scenario.store.deadLetters.list(1000), 'a line each, as they are kept')
    t.match(JSON.parse(letters.at(-1) ?? ''), {
      ...{ reason: 'refused', status: 422, at: new Date(scenario.now()).toISOString().slice(0, 14) },
      message: { roomId: scenario.toWire('r1'), content: 'spam b', from: { device: 'phone' } }
    })
  },
  { env }
)

flow(
  'what falls out of the history while the service is dead becomes a dead letter',
  async (t, scenario) => {
    const alice = await join(await scenario.addClient('alice', 'phone'), 'r1')
    await write(alice.who, 'a')
    await until('the first is there', () => arrived(scenario).length === 1)
    host.dies()
    await write(alice.who, 'b', 'c', 'd', 'e', 'f', 'g')
    await until('two are given up', async () => (await deadLetters(scenario)).length === 2)
    await leavesNothingUnderWay(scenario, 'd')
    host.returns()
    t.same(await passUntil(scenario, 5), ['a', 'd', 'e', 'f', 'g'])
    t.same((await deadLetters(scenario)).sort(), ['evicted: b', 'evicted: c'])
  },
  { env: { ...env, CHAT_HISTORY_MAX: '4' } }
)

flow(
  'or when its poster dies in that moment: the next message makes it one, once',
  async (t, scenario) => {
    const alice = await join(await scenario.addClient('alice', 'phone'), 'r1')
    host.dies()
    await write(alice.who, 'a', 'b', 'c', 'd')
    await postAndDie(scenario, alice, { id: 'm1', content: 'e', keep: 4 })
    await Promise.all([write(alice.who, 'f'), write(alice.who, 'g')])
    await until('three are given up', async () => (await deadLetters(scenario)).length >= 3)
    await leavesNothingUnderWay(scenario, 'd')
    host.returns()
    const [d, e, ...others] = await passUntil(scenario, 4)
    t.same([d, e, others.sort()], ['d', 'e', ['f', 'g']])
    t.same((await deadLetters(scenario)).sort(), ['evicted: a', 'evicted: b', 'evicted: c'])
  },
  { env: { ...env, CHAT_HISTORY_MAX: '4' } }
)

flow(
  'or none: if no message follows, the service gets it after all',
  async (t, scenario) => {
    const alice = await join(await scenario.addClient('alice', 'phone'), 'r1')
    host.dies()
    await write(alice.who, 'a', 'b', 'c', 'd')
    await postAndDie(scenario, alice, { id: 'm1', content: 'e', keep: 4 })
    host.returns()
    t.same(await passUntil(scenario, 5), ['a', 'b', 'c', 'd', 'e'])
    t.same(await deadLetters(scenario), [])
  },
  { env: { ...env, CHAT_HISTORY_MAX: '4' } }
)

flow(
  'a room that has closed is delivered to its end, and what cannot be becomes dead letters before its log goes',
  async (t, scenario) => {
    const alice = await join(await scenario.addClient('alice', 'phone'), 'r1')
    host.dies()
    await write(alice.who, 'a', 'b')
    await alice.who.request('DELETE', 'rooms/r1')
    await scenario.advance(20_000)
    host.returns()
    t.same(await passUntil(scenario, 2), ['a', 'b'])

    const other = 'rooms/r2/messages'
    await join(alice.who, 'r2')
    host.dies()
    await alice.who.post(other, { content: 'c' })
    await alice.who.request('DELETE', 'rooms/r2')
    const letters = async () =>
      (await scenario.store.deadLetters.list(1000))
        .map(text => JSON.parse(text) as Letter)
        .filter(({ message }) => message.roomId === scenario.toWire('r2'))
    await until('it is given up', async () => {
      await scenario.advance(5000)
      return (await letters()).length > 0
    })
    host.returns()
    t.match(await letters(), [{ reason: 'expired', message: { content: 'c' } }])
    t.same(host.of(scenario.toWire('r2')), [])
  },
  { env }
)
