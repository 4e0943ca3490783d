// Webhooks reach a receiver that fails: each event at least once, in the order of its call, and no call delays another.
import assert from 'node:assert/strict'
import { flow, type Scenario } from '../helpers/scenario.js'
import { until } from '../helpers/until.js'
import { admin, CallEvents, OPERATOR, openReceiver } from '../helpers/webhooks.js'

const plain = await openReceiver()

flow(
  'the events of a call arrive in order, each once and signed',
  async (t, scenario) => {
    const events = new CallEvents(scenario, plain.receiver)
    await events.queue(3)
    t.strictSame(await events.passUntil(3), [1, 2, 3])
    await events.queue(1)
    t.strictSame(await events.passUntil(4), [1, 2, 3, 4])
    t.strictSame(events.attempts, [1, 2, 3, 4])
    t.equal(plain.receiver.counts.refused, 0)
    await idle(scenario)
    const { destination } = events
    t.equal(await sumOf(scenario, `webhook_deliveries_total{destination="${destination}",outcome="delivered"}`), 4)
    t.equal(await sumOf(scenario, 'webhook_lag_seconds_count'), 4)
    await scenario.advance(15_000)
    t.equal(await sumOf(scenario, `webhook_up{destination="${destination}"}`), scenario.lastNode + 1)
    t.equal(await sumOf(scenario, 'webhook_queues'), 0)
  },
  { env: plain.env }
)

/** The sum of a metric over all nodes. */
async function sumOf(scenario: Scenario, name: string): Promise<number> {
  let sum = 0
  for (let node = 0; node <= scenario.lastNode; node++) {
    const headers = { authorization: `Bearer ${OPERATOR}` }
    const { body } = await scenario.cluster.adminOf(node).inject({ url: '/metrics', headers })
    const line = body.split('\n').find(each => each.startsWith(`signalpost_${name} `))
    sum += Number(line?.split(' ').at(-1) ?? 0)
  }
  return sum
}

/** Nothing waits: the last reply has been recorded. */
const idle = (scenario: Scenario) =>
  until('no queue waits', async () => (await scenario.store.webhookQueues.backlog()).queues === 0)

const stopped = await openReceiver()

flow(
  'when the receiver is killed and comes back, every event arrives in order',
  async (t, scenario) => {
    const { receiver } = stopped
    const [one, two] = [new CallEvents(scenario, receiver, 'c1'), new CallEvents(scenario, receiver, 'c2')]
    await one.queue(1)
    await one.passUntil(1)
    receiver.stop()
    await one.queue(3)
    await two.queue(2)
    await scenario.advance(60_000)
    t.strictSame([one.arrived, two.arrived], [[1], []])
    receiver.restart()
    t.strictSame(await one.passUntil(4), [1, 2, 3, 4])
    t.strictSame(await two.passUntil(2), [1, 2])
    await idle(scenario)
  },
  { env: stopped.env }
)

const wrong = await openReceiver()

flow(
  'when the events of one call fail, only that call waits, and goes on in order',
  async (t, scenario) => {
    const { receiver } = wrong
    const [bad, good] = [new CallEvents(scenario, receiver, 'bad'), new CallEvents(scenario, receiver, 'good')]
    let isBad = true
    receiver.behaviour = ({ data }) => (isBad && data.callId === bad.ref.source.id ? { status: 422 } : {})
    await bad.queue(2)
    await good.queue(2)
    t.strictSame(await good.passUntil(2), [1, 2])
    await until('the bad one was tried twice', async () => {
      await scenario.advance(500)
      return bad.attempts.length >= 2
    })
    await good.queue(1)
    t.strictSame(await good.passUntil(3), [1, 2, 3])
    t.ok(
      bad.attempts.every(n => n === 1),
      'the second is not sent before the first'
    )
    isBad = false
    t.strictSame(await bad.passUntil(2), [1, 2])
    await idle(scenario)
  },
  { env: wrong.env }
)

const misbehaving = await openReceiver()

for (const [what, behaviour] of [
  ['closes the connection', { closes: true }],
  ['replies 500', { status: 500 }],
  ['redirects', { status: 307, location: '/hook' }],
  ['replies 301', { status: 301, location: 'http://127.0.0.1:1/' }],
  ['replies 404', { status: 404 }]
] as const) {
  flow(
    `an event is sent again when the receiver ${what}`,
    async (t, scenario) => {
      const { receiver } = misbehaving
      const events = new CallEvents(scenario, receiver, what)
      receiver.behaviour = () => (events.attempts.length === 1 ? behaviour : {})
      await events.queue(2)
      t.strictSame(await events.passUntil(2), [1, 2])
      t.strictSame(events.attempts, [1, 1, 2])
      const ids = receiver.attempts.slice(-3).map(({ id }) => id)
      t.equal(ids[0], ids[1], 'the id is the same in every attempt')
      t.not(ids[1], ids[2])
      await idle(scenario)
    },
    { env: misbehaving.env }
  )
}

flow(
  'a huge reply is cut off, and its event is delivered once',
  async (t, scenario) => {
    const { receiver } = misbehaving
    const events = new CallEvents(scenario, receiver)
    receiver.behaviour = () => ({ status: 200, bytes: 10_000_000 })
    await events.queue(2)
    t.strictSame(await events.passUntil(2), [1, 2])
    await idle(scenario)
    t.strictSame(events.attempts, [1, 2])
  },
  { env: misbehaving.env }
)

const busy = await openReceiver()

for (const retryAfter of ['90', 'date'] as const) {
  flow(
    `after a 429 with Retry-After (${retryAfter}) the event waits that long, and other calls do not`,
    async (t, scenario) => {
      const { receiver } = busy
      const [one, two] = [new CallEvents(scenario, receiver, 'c1'), new CallEvents(scenario, receiver, 'c2')]
      const date = new Date(scenario.now() + 91_000).toUTCString()
      receiver.behaviour = ({ data }) =>
        data.callId === one.ref.source.id && one.attempts.length === 1
          ? { status: 429, retryAfter: retryAfter === 'date' ? date : retryAfter }
          : {}
      await one.queue(1)
      await until('it was sent', async () => {
        await scenario.advance(125)
        return one.attempts.length === 1
      })
      await scenario.advance(80_000)
      await two.queue(1)
      await two.passUntil(1)
      t.strictSame(one.attempts, [1])
      await scenario.advance(20_000)
      await until('it was sent again', () => one.arrived.length === 1)
      t.strictSame(one.attempts, [1, 1])
      await idle(scenario)
    },
    { env: busy.env }
  )
}

const gone = await openReceiver()

flow(
  'a 410 disables the destination on all nodes; its events are dead letters until they are replayed',
  async (t, scenario) => {
    const { receiver } = gone
    const [one, two] = [new CallEvents(scenario, receiver, 'c1'), new CallEvents(scenario, receiver, 'c2')]
    const path = `/${one.destination}`
    receiver.behaviour = () => ({ status: 410 })
    await one.queue(3)
    await untilLetters(scenario, path, 3)
    const sent = receiver.attempts.length
    t.equal(sent, 1)
    await scenario.advance(2000)
    await two.queue(2)
    await untilLetters(scenario, path, 5)
    t.equal(receiver.attempts.length, sent, 'nothing is sent, whichever node has the queue')
    for (let node = 0; node <= scenario.lastNode; node++) {
      const { body } = await admin(scenario, 'GET', '', node)
      t.match(body, {
        webhooks: [{ webhookId: one.destination, state: 'disabled' }],
        backlog: { queues: 0, dueAt: null }
      })
      t.match(await admin(scenario, 'POST', `${path}/dead-letters/replay`, node), {
        status: 409,
        body: { code: 'webhook_disabled' }
      })
    }
    receiver.behaviour = () => ({})
    const { status, body: enabled } = await admin(scenario, 'POST', `${path}/enable`, scenario.lastNode)
    t.match({ status, enabled }, { status: 200, enabled: { state: 'up', disabledAt: null } })
    await scenario.advance(2000)
    const ids = await letters(scenario, path)
    t.match(await admin(scenario, 'POST', `${path}/dead-letters/replay`), {
      status: 200,
      body: { replayed: 5, left: 0 }
    })
    t.strictSame(await one.passUntil(3), [1, 2, 3])
    t.strictSame(await two.passUntil(2), [1, 2])
    t.strictSame(
      receiver.events
        .slice(-5)
        .map(({ id }) => id)
        .sort(),
      ids.sort(),
      'with the ids that they had'
    )
    t.strictSame(await letters(scenario, path), [])
    await idle(scenario)
    receiver.attempts.length = 0
  },
  { env: gone.env }
)

/** The message ids of the dead letters, newest first. */
async function letters(scenario: Scenario, path: string): Promise<string[]> {
  const { status, body } = await admin(scenario, 'GET', `${path}/dead-letters`)
  assert.equal(status, 200)
  return body.deadLetters.map(({ messageId }: { messageId: string }) => messageId)
}

async function letterIds(scenario: Scenario, path: string): Promise<string[]> {
  const { body } = await admin(scenario, 'GET', `${path}/dead-letters`)
  return body.deadLetters.map(({ deadLetterId }: { deadLetterId: string }) => deadLetterId)
}

const untilLetters = (scenario: Scenario, path: string, count: number) =>
  until(`there are ${count} dead letters`, async () => {
    await scenario.advance(500)
    return (await letters(scenario, path)).length === count
  })

const late = await openReceiver({ WEBHOOK_GIVE_UP_MS: '60000', WEBHOOK_RETRY_MAX_MS: '10000' })

flow(
  'an event that is not delivered in time becomes a dead letter, and the next one is tried',
  async (t, scenario) => {
    const { receiver } = late
    const events = new CallEvents(scenario, receiver)
    const path = `/${events.destination}`
    receiver.behaviour = ({ data }) => (data.n === 1 ? { status: 500 } : {})
    await events.queue(2)
    t.strictSame(await events.passUntil(1), [2])
    const firsts = events.attempts.filter(n => n === 1).length
    t.ok(firsts >= 5 && firsts <= 12, `${firsts} attempts in a minute`)
    const [id = ''] = await letterIds(scenario, path)
    const { body } = await admin(scenario, 'GET', `${path}/dead-letters/${id}`)
    t.match(body, { reason: 'given_up', type: 'call.message', event: { type: 'call.message', data: { n: 1 } } })
    receiver.behaviour = () => ({})
    t.match(await admin(scenario, 'POST', `${path}/dead-letters/${id}/replay`), { status: 204 })
    t.strictSame(await events.passUntil(2), [2, 1])
    t.match(await admin(scenario, 'DELETE', `${path}/dead-letters/${id}`), { status: 404 })
    await idle(scenario)
  },
  { env: late.env }
)

flow(
  'two operators replay all dead letters at the same time, while a third one deletes some: every other event arrives',
  async (t, scenario) => {
    const { receiver } = late
    const events = new CallEvents(scenario, receiver, 'at once')
    const path = `/${events.destination}`
    receiver.behaviour = () => ({ status: 410 })
    await events.queue(30)
    await untilLetters(scenario, path, 30)
    receiver.behaviour = () => ({})
    await admin(scenario, 'POST', `${path}/enable`)
    await scenario.advance(2000)
    const newest = (await letterIds(scenario, path)).slice(0, 5)
    const [deleted, ...replays] = await Promise.all([
      Promise.all(newest.map(id => admin(scenario, 'DELETE', `${path}/dead-letters/${id}`))),
      admin(scenario, 'POST', `${path}/dead-letters/replay`),
      admin(scenario, 'POST', `${path}/dead-letters/replay`, scenario.lastNode)
    ])
    for (const { status, body } of replays) t.match({ status, body }, { status: 200, body: { left: 0 } })
    const kept = 30 - deleted.filter(({ status }) => status === 204).length
    t.ok((await events.passUntil(kept)).length >= kept)
    t.strictSame(await letters(scenario, path), [])
    await idle(scenario)
  },
  { env: late.env }
)

flow(
  'a dead letter that is deleted is not sent any more',
  async (t, scenario) => {
    const { receiver } = late
    const events = new CallEvents(scenario, receiver, 'deleted')
    const path = `/${events.destination}`
    receiver.behaviour = () => ({ status: 500 })
    await events.queue(1)
    await untilLetters(scenario, path, 1)
    const [id = ''] = await letterIds(scenario, path)
    t.match(await admin(scenario, 'DELETE', `${path}/dead-letters/${id}`), { status: 204 })
    receiver.behaviour = () => ({})
    t.match(await admin(scenario, 'POST', `${path}/dead-letters/${id}/replay`), { status: 404 })
    t.match(await admin(scenario, 'POST', `${path}/dead-letters/replay`), { body: { replayed: 0, left: 0 } })
    await idle(scenario)
    t.strictSame(events.arrived, [])
  },
  { env: late.env }
)

const again = await openReceiver()

flow(
  'dead letters that are replayed to a receiver that still replies 410 are dead letters again, and none is lost',
  async (t, scenario) => {
    const { receiver } = again
    const events = new CallEvents(scenario, receiver)
    const path = `/${events.destination}`
    receiver.behaviour = () => ({ status: 410 })
    await events.queue(20)
    await untilLetters(scenario, path, 20)
    const ids = await letters(scenario, path)
    for (let turn = 1; turn <= 3; turn++) {
      await admin(scenario, 'POST', `${path}/enable`)
      await scenario.advance(2000)
      const { body } = await admin(scenario, 'POST', `${path}/dead-letters/replay`)
      t.ok(body.replayed >= 1 && body.replayed + body.left === 20, JSON.stringify(body))
      await untilLetters(scenario, path, 20)
      t.strictSame((await letters(scenario, path)).sort(), [...ids].sort())
    }
    receiver.behaviour = () => ({})
    await admin(scenario, 'POST', `${path}/enable`)
    await scenario.advance(2000)
    await admin(scenario, 'POST', `${path}/dead-letters/replay`)
    t.equal((await events.passUntil(20)).length, 20)
    await idle(scenario)
  },
  { env: again.env }
)
