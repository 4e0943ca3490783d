// Two nodes on one Redis, one of which is killed, or drained by a deployment.
import t from 'tap'
import { createToken } from '../../src/development.js'
import { Fleet } from '../helpers/fleet.js'
import { until } from '../helpers/until.js'
import { Caller, createClient, messagesOf, reaches, receivesAll, streamsIn } from './fixture.js'
import { startClientProxy } from './proxy.js'

const MESSAGES = 100

const fleet = await Fleet.launch(2, undefined, {
  RING_TIMEOUT_MS: '600000',
  DRAIN_SETTLE_MS: '100',
  DRAIN_WINDOW_MS: '1000'
})
t.teardown(() => fleet.stop())
const token = (user: string) => () => createToken(fleet.config, { user })

for (const transport of ['sse', 'poll'] as const) {
  t.test(`kill -9 of the node loses and repeats no event, with ${transport}`, async t => {
    const proxy = await startClientProxy(t, fleet.urlOf(0))
    const client = createClient(t, proxy.url, { transport, token: token('bob'), device: transport })
    const numbers = messagesOf(client)
    const { calls } = await client.connect()
    t.same(calls, [])
    const caller = await Caller.call(t, fleet.urlOf(1), token('alice'))
    const sending = caller.send(MESSAGES)
    await until('some have arrived', () => numbers.length > MESSAGES / 10)
    await fleet.kill(0)
    proxy.passTo(fleet.urlOf(1))
    await sending
    await caller.send()
    await receivesAll(t, numbers, caller)
    await fleet.start(0)
    await caller.cancel()
  })
}

t.test('a node that is drained sends the client to another one, at the time it says', async t => {
  const proxy = await startClientProxy(t, fleet.urlOf(0))
  const client = createClient(t, proxy.url, { token: token('bob'), device: 'drained' })
  const numbers = messagesOf(client)
  await client.connect()
  const caller = await Caller.call(t, fleet.urlOf(1), token('alice'))
  await caller.send(5)
  const drained = fleet.drain(0)
  await until('it says so', () => proxy.streamed.includes('"reason":"drain"'))
  proxy.passTo(fleet.urlOf(1))
  await caller.send(5)
  await reaches(client, 'live')
  t.equal(await drained, 0)
  await caller.send(5)
  await receivesAll(t, numbers, caller)
  t.equal(streamsIn(proxy).length, 2)
})
