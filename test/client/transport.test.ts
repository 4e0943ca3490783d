// The connection: stream, long-poll, and what it does when the network or the server fails.
import t from 'tap'
import { until } from '../helpers/until.js'
import {
  Caller,
  createClient,
  cursorOf,
  messagesOf,
  reaches,
  receivesAll,
  startProxiedNode,
  streamsIn,
  TIMES
} from './fixture.js'

t.test('a stream that a proxy holds back is replaced by polls with the same cursor, and comes back', async t => {
  const { node, proxy } = await startProxiedNode(t)
  const client = createClient(t, proxy.url)
  const numbers = messagesOf(client)
  await client.connect()
  const caller = await Caller.call(t, node.url)
  await caller.send(3)
  await receivesAll(t, numbers, caller)
  proxy.holdStreams(true)
  proxy.cut()
  await caller.send(3)
  await reaches(client, 'polling')
  await receivesAll(t, numbers, caller)
  const poll = proxy.heads.find(head => head.startsWith('get /v1/events/poll')) ?? ''
  t.equal(cursorOf(poll), cursorOf(streamsIn(proxy).at(-1) ?? ''), 'the first poll has the cursor of the stream')
  t.match(poll, 'wait=0')
  proxy.holdStreams(false)
  await caller.send(3)
  await reaches(client, 'live')
  await caller.send(3)
  await receivesAll(t, numbers, caller)
})

t.test('connect resolves behind a proxy that holds streams back', async t => {
  const { proxy } = await startProxiedNode(t)
  proxy.holdStreams(true)
  const client = createClient(t, proxy.url)
  const { calls } = await client.connect()
  t.strictSame([calls, client.connection], [[], 'polling'])
})

t.test('without bodies to read, and with transport poll, it polls', async t => {
  const withoutBody: typeof fetch = async (input, init) => {
    const response = await fetch(input, init)
    return Object.defineProperty(response, 'body', { value: null })
  }
  for (const { options, streams } of [
    { options: { fetch: withoutBody }, streams: 1 },
    { options: { transport: 'poll' }, streams: 0 }
  ] as const) {
    const { node, proxy } = await startProxiedNode(t)
    const client = createClient(t, proxy.url, { ...options, times: { ...TIMES, streamMs: 60_000 } })
    const numbers = messagesOf(client)
    await client.connect()
    t.equal(client.connection, 'polling')
    const caller = await Caller.call(t, node.url)
    await caller.send(3)
    await receivesAll(t, numbers, caller)
    t.equal(streamsIn(proxy).length, streams)
  }
})

t.test('a dead stream is noticed by its missing heartbeats', async t => {
  const { node, proxy } = await startProxiedNode(t, { HEARTBEAT_MS: '1000' })
  const client = createClient(t, proxy.url)
  const numbers = messagesOf(client)
  await client.connect()
  const caller = await Caller.call(t, node.url)
  proxy.killStreams()
  await caller.send(2)
  await receivesAll(t, numbers, caller)
  t.equal(streamsIn(proxy).length, 2)
})

t.test('streams that become silent after their first event, one after the other, are replaced by polls', async t => {
  const { node, proxy } = await startProxiedNode(t, { HEARTBEAT_MS: '1000' })
  const client = createClient(t, proxy.url)
  const numbers = messagesOf(client)
  client.on('connection', state => state === 'live' && proxy.killStreams())
  await client.connect()
  const caller = await Caller.call(t, node.url)
  await reaches(client, 'polling')
  await caller.send(2)
  await receivesAll(t, numbers, caller)
})

t.test('heartbeats of a device in a call are acknowledged, unless another request went out', async t => {
  const { node, proxy } = await startProxiedNode(t, { HEARTBEAT_MS: '1000' })
  const client = createClient(t, proxy.url)
  await client.connect()
  const caller = await Caller.call(t, node.url)
  await client.request('POST', `/calls/${caller.callId}/accept`)
  const acknowledgements = () => proxy.heads.filter(head => head.startsWith('put /v1/presence ')).length
  const asked = () => proxy.streamed.split('"ack":true').length - 1
  await until('some are acknowledged', () => acknowledgements() >= 3)
  const before = { acknowledgements: acknowledgements(), asked: asked() }
  await until('further heartbeats arrive', async () => {
    await client.request('GET', '/calls')
    return asked() >= before.asked + 5
  })
  t.ok(acknowledgements() <= before.acknowledgements + 1, 'the requests acknowledge')
  const { call } = await client.request('GET', `/calls/${caller.callId}`)
  t.equal(call.state, 'connecting')
  t.equal(streamsIn(proxy).length, 1, 'the stream was not ended as unresponsive')
})

t.test('a newer connection of the same device ends the older one, which stays away', async t => {
  const { proxy } = await startProxiedNode(t)
  for (const transport of ['sse', 'poll'] as const) {
    const older = createClient(t, proxy.url, { transport, device: transport })
    const reasons: string[] = []
    older.on('closed', ({ reason }) => reasons.push(reason))
    await older.connect()
    const newer = createClient(t, proxy.url, { transport, device: transport })
    await newer.connect()
    await until('it ends', () => reasons.length > 0)
    t.strictSame([reasons, older.connection], [['superseded'], 'closed'])
    t.match(newer.connection, /live|polling/)
  }
})

t.test('signing off ends the connection', async t => {
  const { proxy } = await startProxiedNode(t)
  const client = createClient(t, proxy.url)
  const reasons: string[] = []
  client.on('closed', ({ reason }) => reasons.push(reason))
  await client.connect()
  await client.request('DELETE', '/presence')
  await until('it ends', () => reasons.length > 0)
  await client.connect()
  t.equal(client.connection, 'live', 'connect begins anew')
  await client.close({ signOff: true })
  t.strictSame(reasons, ['signed_off', 'closed'])
})

t.test('after a reset the client gets the snapshot, and then the events that follow', async t => {
  for (const transport of ['sse', 'poll'] as const) {
    const { node, proxy } = await startProxiedNode(t, { MAILBOX_MAX_EVENTS: '10' })
    const client = createClient(t, proxy.url, { transport })
    const numbers = messagesOf(client)
    const resets: unknown[] = []
    client.on('reset', ({ reason, snapshot }) => resets.push([reason, snapshot.calls.map(({ callId }) => callId)]))
    await client.connect()
    const caller = await Caller.call(t, node.url)
    proxy.refuse()
    await caller.send(100)
    proxy.passTo(node.url)
    await until('the reset arrives', () => resets.length > 0)
    await caller.send()
    await until('the next message arrives', () => numbers.at(-1) === caller.sent)
    t.strictSame([resets, numbers], [[['evicted', [caller.callId]]], [caller.sent]])
  }
})

t.test('a listener that throws is reported, and stops nothing', async t => {
  const { node } = await startProxiedNode(t)
  const client = createClient(t, node.url)
  const numbers = messagesOf(client)
  const errors: unknown[] = []
  const fault = new Error('of the application')
  client.on('event', () => {
    throw fault
  })
  client.on('error', error => errors.push(error))
  await client.connect()
  const caller = await Caller.call(t, node.url)
  await caller.send(2)
  await receivesAll(t, numbers, caller)
  t.strictSame(errors, [fault, fault, fault])
})

t.test('close while it connects rejects connect', async t => {
  const { proxy } = await startProxiedNode(t)
  proxy.refuse()
  const client = createClient(t, proxy.url, { times: TIMES })
  const connected = client.connect()
  await client.close()
  await t.rejects(connected, { code: 'aborted' })
  t.equal(client.connection, 'closed')
})
