// The C client on networks and behind proxies that fail: it misses no event, repeats none, and does nothing twice.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { run } from '../helpers/child-process.js'
import { sdp } from '../helpers/sdp.js'
import { startServers, tokenOf } from '../helpers/servers.js'
import { until } from '../helpers/until.js'
import { begin, FOLDER, startDevice, startScene, UNLIMITED, wholeOf } from './device.js'
import { startHttp10Proxy } from './http10-proxy.js'
import { WireProxy } from './wire-proxy.js'

const TRANSPORTS = ['stream', 'poll'] as const
const STREAM = /^POST \/v1\/events\?/

const problem = (status: string, code: string, retryable: boolean, headers = '') => {
  const body = JSON.stringify({ code, retryable })
  return `HTTP/1.1 ${status}\r\nContent-Type: application/problem+json\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`
}

for (const transport of TRANSPORTS) {
  t.test(`a connection that was idle for too long is replaced, by ${transport}`, async t => {
    const { proxy, alice, variables } = await startScene(t)
    const device = startDevice(t, { port: proxy.port, transport, env: variables })
    await begin(t, device)
    proxy.cut()
    await alice.post('/calls', { callId: 'idle', to: 'bob' })
    t.equal(wholeOf(await device.run('until call.incoming'), 'call.incoming').length, 1)
  })

  t.test(`a reset is followed by the snapshot, by ${transport}`, async t => {
    const { proxy, alice, variables } = await startScene(t)
    const device = startDevice(t, { port: proxy.port, transport, env: { ...variables, CURSOR: '7.zzzzz' } })
    const outcome = await device.run('until snapshot')
    t.same(
      outcome.events.map(({ type, whole }) => `${type} ${whole}`),
      ['reset true', 'snapshot true']
    )
    await alice.post('/calls', { callId: 'after-reset', to: 'bob' })
    t.equal(wholeOf(await device.run('until call.incoming'), 'call.incoming').length, 1)
  })

  t.test(`a stored cursor that is none leads to a snapshot or a reset, by ${transport}`, async t => {
    const { proxy, variables } = await startScene(t)
    const device = startDevice(t, { port: proxy.port, transport, env: { ...variables, CURSOR: 'no cursor' } })
    t.match(await device.run('until snapshot'), { result: 'ok' })
    t.match(await device.run('receive 100'), { result: 'idle' })
  })

  t.test(`a refused token is replaced, by ${transport}`, async t => {
    const { proxy, alice, variables } = await startScene(t)
    const env = { ...variables, TOKEN: 'expired', NEXT_TOKEN: variables.TOKEN, CURSOR: 'start' }
    const device = startDevice(t, { port: proxy.port, transport, env })
    t.match(await device.run('receive 0'), { renewedToken: true })
    await device.run('receive 0')
    await alice.post('/calls', { callId: 'token', to: 'bob' })
    t.equal(wholeOf(await device.run('until call.incoming'), 'call.incoming').length, 1)
  })

  t.test(`without a better token the client is refused, by ${transport}`, async t => {
    const { proxy, variables } = await startScene(t)
    const device = startDevice(t, { port: proxy.port, transport, env: { ...variables, TOKEN: 'bad', CURSOR: 'start' } })
    t.match(await device.run('receive 0'), { result: 'refused', status: 401, code: 'unauthorized' })
    t.equal(proxy.counts.requests, 2, 'it asked for another token once')
  })

  t.test(`a device that was superseded does not come back, by ${transport}`, async t => {
    const { proxy, alice, variables } = await startScene(t)
    const device = startDevice(t, { port: proxy.port, transport, env: variables })
    await begin(t, device)
    const receiving = device.run('until call.incoming 5000')
    await until('the device waits', () => proxy.lines.some(line => line.includes('wait=5') || STREAM.test(line)))
    const other = startDevice(t, { port: proxy.port, env: variables })
    await begin(t, other)
    t.match(await receiving, { result: 'refused', code: 'superseded' })
    await alice.post('/calls', { callId: 'superseded', to: 'bob' })
    t.equal(wholeOf(await other.run('until call.incoming'), 'call.incoming').length, 1)
  })

  t.test(`a whole call through an HTTP/1.0 proxy, by ${transport}`, async t => {
    const { url, alice, variables } = await startScene(t)
    const proxy = await startHttp10Proxy(t, url)
    const device = startDevice(t, { port: proxy.port, transport, env: variables })
    await begin(t, device)
    await alice.post('/calls', { callId: 'old', to: 'bob', offer: { sdp: sdp('alice1') } })
    t.equal(wholeOf(await device.run('until call.incoming'), 'call.incoming').length, 1)
    t.match(await device.run('accept old'), { result: 'ok' })
    await alice.post('/calls/old/hangup')
    t.equal(wholeOf(await device.run('until call.ended'), 'call.ended').length, 1)
  })

  t.test(`after the loss of a node the client resumes on another one, by ${transport}`, async t => {
    const [first, second] = await startServers(t, { engine: 'redis', nodes: 2 }, UNLIMITED)
    if (!first || !second) throw new Error('two nodes')
    const proxy = await WireProxy.start(first.url)
    t.teardown(() => proxy.close())
    const env = { TOKEN: await tokenOf('bob'), DEVICE: 'door' }
    const device = startDevice(t, { port: proxy.port, transport, env })
    await begin(t, device)
    const post = async (path: string, body: object) => {
      const authorization = `Bearer ${await tokenOf('alice')}`
      const headers = { authorization, 'content-type': 'application/json' }
      const reply = await fetch(`${second.url}/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
      t.ok(reply.ok, `${path}: ${reply.status}`)
    }
    await post('/calls', { callId: 'before', to: 'bob', offer: { sdp: sdp('alice1') } })
    t.equal(wholeOf(await device.run('until call.incoming'), 'call.incoming').length, 1)
    const receiving = device.run('until call.ended')
    await first.app.close()
    proxy.cut()
    proxy.passTo(second.url)
    await post('/calls/before/cancel', {})
    const outcome = await receiving
    t.same(
      outcome.events.filter(({ whole }) => whole).map(({ type }) => type),
      ['call.ended']
    )
  })
}

t.test('a stream that is dead and not closed is replaced after two heartbeats', async t => {
  const { proxy, alice, variables } = await startScene(t, { HEARTBEAT_MS: '200' })
  const device = startDevice(t, { port: proxy.port, env: variables })
  await begin(t, device)
  proxy.freeze()
  await alice.post('/calls', { callId: 'dead', to: 'bob' })
  t.equal(wholeOf(await device.run('until call.incoming 50'), 'call.incoming').length, 1)
})

t.test('behind a proxy that buffers the stream the client polls', async t => {
  const { proxy, alice, variables } = await startScene(t)
  proxy.buffers = /POST \/v1\/events\?/
  const device = startDevice(t, { port: proxy.port, env: variables })
  await device.run('until snapshot')
  await alice.post('/calls', { callId: 'buffered', to: 'bob' })
  const outcome = await device.run('until call.incoming')
  t.equal(wholeOf(outcome, 'call.incoming').length, 1)
  t.equal(outcome.polls, true)
})

t.test('events and members that are not known, comments and data that is no JSON do no harm', async t => {
  const { proxy, alice, variables } = await startScene(t)
  const device = startDevice(t, { port: proxy.port, env: variables })
  await begin(t, device)
  const deep = `${'['.repeat(40)}${']'.repeat(40)}`
  for (const data of [
    `{"type":"quite.new","data":{"a":[1,{"b":null}],"c":${JSON.stringify('x'.repeat(700))}},"more":true}`,
    `{"more":[],"type":"an.event.whose.type.is.longer.than.any.other","data":{}}`,
    `{"type":"too.deep","data":${deep}}`,
    'no JSON'
  ])
    proxy.inject(`: comment\nwhat: ever\nevent: x\ndata: ${data}\n\n`)
  await alice.post('/calls', { callId: 'known', to: 'bob' })
  const { events } = await device.run('until call.incoming')
  t.same(
    events.map(({ type, whole }) => `${type} ${whole}`),
    ['quite.new true', ' true', 'too.deep false', ' false', 'call.incoming true']
  )
  t.equal(events[0]?.text('data.c'), 'x'.repeat(700))
})

t.test('a server that closes the idle connection just then causes no failure', async t => {
  const { proxy, variables } = await startScene(t)
  const device = startDevice(t, { port: proxy.port, transport: 'poll', env: variables })
  await begin(t, device)
  proxy.closesOnReuse = true
  const { connections } = proxy.counts
  t.match(await device.run('request PUT /v1/presence'), { result: 'ok' })
  t.equal(proxy.counts.connections, connections + 1)
})

t.test('requests and polls share one connection', async t => {
  const { proxy, variables } = await startScene(t)
  const device = startDevice(t, { port: proxy.port, transport: 'poll', env: variables })
  await begin(t, device)
  for (let n = 0; n < 5; n++) t.match(await device.run('request PUT /v1/presence'), { result: 'ok' })
  t.equal(proxy.counts.connections, 1)
})

t.test('Retry-After is waited for, and a failure of a proxy is repeated later', async t => {
  const { proxy, variables } = await startScene(t)
  const device = startDevice(t, { port: proxy.port, env: variables })
  const request = /^GET \/v1\/snapshot/
  proxy.answers.push({ request, reply: problem('503 Busy', 'store_unavailable', true, 'Retry-After: 7\r\n') })
  t.match(await device.run('receive 0'), { result: 'retry', status: 503, code: 'store_unavailable', waitMs: 7000 })
  proxy.answers.push({ request, reply: problem('429 Too Many', 'rate_limited', true, 'retry-after: 90\r\n') })
  t.match(await device.run('receive 0'), { result: 'retry', status: 429, waitMs: 90_000 })
  const page = '<html>Bad gateway</html>'
  const head = `HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: ${page.length}\r\n\r\n`
  proxy.answers.push({ request, reply: head + page })
  t.match(await device.run('receive 0'), { result: 'retry', status: 502, code: '' })
  proxy.answers.push({ request, reply: 'SSH-2.0-OpenSSH_9.2\r\n' })
  t.match(await device.run('receive 0'), { result: 'retry', status: 0, code: 'connection_lost' })
  t.match(await device.run('receive 0'), { result: 'ok' })
})

t.test('what kept a request from being done is named', async t => {
  const { proxy, variables } = await startScene(t)
  const device = startDevice(t, { port: proxy.port, env: variables })
  const request = /^GET \/v1\/snapshot/
  const refusal = problem('409 Conflict', 'call_ended', false)
  proxy.answers.push({ request, reply: refusal })
  t.match(await device.run('receive 0'), { result: 'refused', status: 409, code: 'call_ended' })
  await proxy.close()
  t.match(await device.run('receive 0'), { result: 'retry', status: 0, code: 'no_connection' }, 'not the one before')
  const tokenless = startDevice(t, { port: 1, env: { ...variables, TOKENLESS: '1' } })
  t.match(await tokenless.run('receive 0'), { result: 'retry', status: 0, code: 'no_token' })
  t.match(await device.run('act id an-action-that-does-not-exist'), {
    result: 'refused',
    status: 0,
    code: 'unknown_action'
  })
})

t.test('a client that is started again with its own cursor resumes', async t => {
  const { proxy, alice, variables } = await startScene(t)
  const device = startDevice(t, { port: proxy.port, env: variables })
  await begin(t, device)
  await device.run('restart')
  await alice.post('/calls', { callId: 'restarted', to: 'bob' })
  const { events } = await device.run('until call.incoming')
  t.same(
    events.map(({ type }) => type),
    ['call.incoming']
  )
})

t.test('a button wakes a poll, which is repeated later', async t => {
  const { proxy, alice, variables } = await startScene(t)
  const device = startDevice(t, { port: proxy.port, transport: 'poll', env: variables })
  await begin(t, device)
  t.match(await device.run('woken receive 25000'), { result: 'idle' })
  t.match(await device.run('woken request PUT /v1/presence'), { result: 'ok' }, 'a request is done nevertheless')
  await alice.post('/calls', { callId: 'woken', to: 'bob' })
  t.equal(wholeOf(await device.run('until call.incoming'), 'call.incoming').length, 1)
})

t.test('a descriptor wakes the port for sockets, once for each time', async t => {
  const program = join(t.testdir(), 'wake')
  const sources = ['test/wake.c', 'port/sockets.c']
  execFileSync('cc', ['-std=c99', '-Wall', '-Wextra', '-Werror', '-Iinclude', '-Iport', ...sources, '-o', program], {
    cwd: FOLDER
  })
  const waking = run(t, program, [])
  t.equal(await waking.waitForExit(), 0, waking.stdout())
})

t.test('a button that is pressed often is no silence of the stream', async t => {
  const { proxy, variables } = await startScene(t)
  const device = startDevice(t, { port: proxy.port, env: variables })
  await begin(t, device)
  const { connections } = proxy.counts
  for (let n = 0; n < 20; n++) t.match(await device.run('woken receive 25000'), { result: 'idle' })
  t.equal(proxy.counts.connections, connections)
})

t.test('the limits of the server are waited for', async t => {
  const { proxy, variables } = await startScene(t, { RATE_LIMIT_READS: '2' })
  const device = startDevice(t, { port: proxy.port, env: variables })
  let outcome = await device.run('request GET /v1/calls')
  for (let n = 0; n < 20 && outcome.result === 'ok'; n++) outcome = await device.run('request GET /v1/calls')
  t.match(outcome, { result: 'retry', status: 429, code: 'rate_limited' })
  t.ok(outcome.waitMs >= 1000)
})

t.test('while nothing listens the client waits longer each time, up to 45 s', async t => {
  const { proxy, variables } = await startScene(t)
  const port = proxy.port
  const device = startDevice(t, { port, env: variables })
  await begin(t, device)
  await device.run('stop')
  const waits: number[] = []
  const unused = await WireProxy.start('http://127.0.0.1:1')
  const deaf = startDevice(t, { port: unused.port, env: { ...variables, CURSOR: 'start' } })
  await unused.close()
  for (let n = 0; n < 10; n++) {
    const outcome = await deaf.run('receive 100')
    t.equal(outcome.code, 'no_connection')
    waits.push(outcome.waitMs)
  }
  t.ok(waits.every(ms => ms >= 1000 && ms <= 45_000))
  t.ok((waits.at(-1) ?? 0) >= 30_000 && (waits[0] ?? 0) < 2000, waits.join(', '))
})
