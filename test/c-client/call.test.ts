// Whole calls with the C client against a real server, and what they cost in bytes, requests and memory.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { run } from '../helpers/child-process.js'
import { Client } from '../helpers/client.js'
import { sdp } from '../helpers/sdp.js'
import { startServers, tokenOf } from '../helpers/servers.js'
import { until } from '../helpers/until.js'
import { begin, FOLDER, make, startDevice, startScene, UNLIMITED, type Value } from './device.js'
import { WireProxy } from './wire-proxy.js'

/** Budgets of a device for one call. */
const RAM_MAX = 16_384
const WIRE_MAX = 12_288
const EXAMPLE_LINES_MAX = 300

/** Two door stations, each behind a proxy that counts, and the user who is called. */
async function startDoorbells(t: Test, flags: readonly string[]) {
  const [server] = await startServers(t, { engine: 'memory' }, UNLIMITED)
  const url = server?.url ?? ''
  const program = make('build/doorbell')
  const start = async (user: string, command: readonly string[]) => {
    const proxy = await WireProxy.start(url)
    t.teardown(() => proxy.close())
    const args = [...flags, '-d', 'door', '127.0.0.1', `${proxy.port}`, ...command]
    return { proxy, program: run(t, program, args, { env: { TOKEN: await tokenOf(user) } }) }
  }
  return { start }
}

for (const flags of [[], ['-p']]) {
  const transport = flags.length === 0 ? 'stream' : 'long-poll'
  t.test(`one door station calls another, by ${transport}`, async t => {
    const { start } = await startDoorbells(t, flags)
    const callee = await start('bob', ['answer'])
    const isWaiting = /^(POST \/v1\/events\?|GET \/v1\/events\/poll)/
    await until('bob waits', () => callee.proxy.lines.some(line => isWaiting.test(line)))
    const caller = await start('alice', ['call', 'bob'])
    t.equal(await caller.program.waitForExit(), 0, caller.program.stderr())
    t.equal(await callee.program.waitForExit(), 0, callee.program.stderr())
    t.match(caller.program.stdout(), /^calling bob\nanswered: \d{3} bytes of description, 1 candidates\nhung up\n$/)
    t.match(
      callee.program.stdout(),
      /^alice calls: \d{3} bytes of description, 1 candidates\nanswered\nover: hangup\n$/
    )
    for (const [side, { proxy }] of Object.entries({ caller, callee })) {
      const { connections, requests, sent, received } = proxy.counts
      t.ok(sent + received < WIRE_MAX)
      const figures = `${requests} requests on ${connections} connections, ${sent} bytes sent, ${received} received`
      t.comment(`a whole call by ${transport}, ${side}: ${figures}`)
    }
  })
}

t.test('the example is a whole program in few lines', async t => {
  const lines = readFileSync(join(FOLDER, 'example/doorbell.c'), 'utf8').split('\n').length
  t.ok(lines < EXAMPLE_LINES_MAX, `${lines} lines`)
})

t.test('a door station in a call that the server has forgotten knows from the snapshot that it is over', async t => {
  const { proxy, alice, variables } = await startScene(t)
  const args = ['-d', 'door', '127.0.0.1', `${proxy.port}`, 'answer']
  const program = run(t, make('build/doorbell'), args, { env: { TOKEN: variables.TOKEN } })
  await until('bob waits', () => proxy.lines.some(line => line.startsWith('POST /v1/events?')))
  await alice.post('/calls', { callId: 'forgotten', to: 'bob', offer: { sdp: sdp('alice1') } })
  await program.waitForOutput(/^answered$/m)
  const [other] = await startServers(t, { engine: 'memory' }, UNLIMITED)
  proxy.passTo(other?.url ?? '')
  proxy.cut()
  t.equal(await program.waitForExit(), 0)
  t.match(program.stdout(), /over: not in the snapshot\n$/)
  t.match(program.stderr(), 'trying again: 0 connection_lost')
})

for (const flags of [[], ['-p']]) {
  t.test(`a door station answers an offer that follows, and its button hangs up (${flags})`, async t => {
    const { proxy, alice, variables } = await startScene(t)
    const events = alice.events('sse')
    await events.next()
    const args = [...flags, '-d', 'door', '127.0.0.1', `${proxy.port}`, 'answer']
    const program = run(t, make('build/doorbell'), args, { env: { TOKEN: variables.TOKEN } })
    const isWaiting = /^(POST \/v1\/events\?|GET \/v1\/events\/poll)/
    await until('bob waits', () => proxy.lines.some(line => isWaiting.test(line)))
    await alice.post('/calls', { callId: 'later', to: 'bob' })
    t.match((await events.next()).value, { type: 'call.accepted', data: { answer: undefined } })
    await alice.post('/calls/later/offer', { sdp: sdp('alice1') })
    t.match((await events.next()).value, { type: 'signal.answer', data: { revision: 1 } })
    await program.waitForOutput(/^accepted\nanswered: offer 1$/m)
    program.signal('SIGINT')
    t.match((await events.next()).value, { type: 'call.ended', data: { reason: 'hangup' } })
    t.equal(await program.waitForExit(), 0, program.stderr())
    t.match(program.stdout(), /over: hung up here\n$/)
  })
}

t.test('a door station that calls a user who is calling it is in one call', async t => {
  const { proxy, alice, variables } = await startScene(t)
  const events = alice.events('poll')
  await events.next()
  const args = ['-d', 'door', '127.0.0.1', `${proxy.port}`]
  const env = { TOKEN: variables.TOKEN }
  // Registers the device, so that alice can call it, and ends.
  const device = startDevice(t, { port: proxy.port, env: variables })
  await device.run('until snapshot')
  await device.end()
  await alice.post('/calls', { callId: 'glare', to: 'bob' })
  const program = run(t, make('build/doorbell'), [...args, 'call', 'alice'], { env })
  t.equal(await program.waitForExit(), 0, program.stderr())
  t.match(program.stdout(), /hung up\n$/)
})

t.test('the door station without a token, a server or a callee', async t => {
  const { start } = await startDoorbells(t, [])
  const program = make('build/doorbell')
  const without = run(t, program, ['127.0.0.1', '1', 'answer'])
  t.equal(await without.waitForExit(), 2)
  t.match(without.stderr(), 'usage: ')
  const lonely = await start('alice', ['call', 'nobody'])
  t.equal(await lonely.program.waitForExit(), 1)
  t.match(lonely.program.stderr(), 'No device of the callee can be reached')
})

for (const transport of ['stream', 'poll'] as const) {
  t.test(`descriptions of 64 KiB in both directions, by ${transport}`, async t => {
    const { url, proxy, alice, variables } = await startScene(t)
    const device = startDevice(t, { port: proxy.port, transport, env: variables })
    t.match(await device.run('until snapshot'), { result: 'ok' })
    const events = new Client(url, { token: await tokenOf('alice'), device: 'phone' }).events('poll')
    await events.next()

    const callId = 'a/large?call#%'
    const path = `/calls/${encodeURIComponent(callId)}`
    const lines = [
      'v=0',
      'o=- 1 2 IN IP4 127.0.0.1',
      's=-',
      't=0 0',
      'm=application 9 UDP/DTLS/SCTP webrtc-datachannel'
    ]
    const head = [
      ...lines,
      'c=IN IP4 0.0.0.0',
      'a=ice-ufrag:F7gI',
      'a=ice-pwd:x9cml/YzichV2+XlhiMu8g',
      'a=mid:0',
      ''
    ].join('\r\n')
    const offer = head + 'a=x-note:tab\t, "quotes", back\\slash, ä and 😀\r\n'.repeat(1000)
    await alice.post('/calls', { callId, to: 'bob', offer: { sdp: offer } })
    const incoming = (await device.run('until call.incoming')).events.at(-1)
    t.equal(incoming?.text('data.offer.sdp'), offer, `${Buffer.byteLength(offer)} bytes arrive as they were sent`)
    const pieces = incoming?.values.filter(value => value.path === 'data.offer.sdp') ?? []
    t.ok(pieces.length > 190 && pieces.slice(0, -1).every(({ text }) => Buffer.byteLength(text) > 252))
    t.match([pieces[0]?.first, pieces.at(-1)?.last], [true, true])

    await device.run('sdp bobby1 64000')
    t.match(await device.run(`accept ${callId}`), { result: 'ok' })
    const accepted = (await events.next()).value?.data as { answer: { sdp: string } }
    t.equal(accepted.answer.sdp.length, 64_000)
    t.match(await device.run('sdp bobby2 65000'), { result: 'ok' })
    t.match(await device.run(`describe ${callId} offer 2`), { result: 'ok' }, 'as application/sdp')
    const offered = (await events.next()).value?.data as { sdp: string; revision: number }
    t.match([offered.sdp.length, offered.revision], [65_000, 2])
    t.match(await device.run(`candidates ${callId}`), { result: 'ok' })
    t.equal((await events.next()).value?.type, 'signal.candidates')
    t.match(await device.run(`request POST /v1${path}/messages {"messageId":"m","content":"open"}`), { result: 'ok' })
    t.match((await events.next()).value, { type: 'call.message', data: { content: 'open' } })
    t.match(await device.run(`act ${callId} connected`), { result: 'ok' })
    await alice.post(`${path}/hangup`)
    t.match(await device.run('until call.ended'), { result: 'ok' })

    const { stack, client } = await device.run('stack')
    t.ok(stack + client < RAM_MAX)
    t.comment(`memory on this machine, by ${transport}: ${client} bytes static, ${stack} bytes of stack at most`)
  })
}

t.test('what the server asks for on the stream is sent by itself', async t => {
  const { proxy, variables } = await startScene(t)
  const device = startDevice(t, { port: proxy.port, env: { ...variables, NEXT_TOKEN: variables.TOKEN } })
  await device.run('until snapshot')
  await device.run('receive 100')
  const inject = (type: string, data: object) => proxy.inject(`data: ${JSON.stringify({ type, data })}\n\n`)
  const keepalives = () => proxy.lines.filter(line => line.startsWith('PUT /v1/presence')).length
  inject('heartbeat', { cursor: '1.a', ack: true })
  await device.run('receive 1000')
  t.match(await device.run('receive 100'), { result: 'idle', renewedToken: false })
  t.equal(keepalives(), 1, 'the acknowledgement of a heartbeat')
  inject('auth.expiring', { expiresInMs: 25_000 })
  await device.run('receive 1000')
  t.match(await device.run('receive 100'), { result: 'idle', renewedToken: true })
  t.equal(keepalives(), 2, 'a new token')
  inject('end', { reason: 'drain', reconnect: true, afterMs: 1234 })
  const { result, waitMs } = await device.run('receive 1000')
  t.equal(result, 'retry')
  t.ok(waitMs >= 1234 && waitMs <= 1851, `${waitMs} ms`)
})

t.test('nothing is wrong with the memory during a call', async t => {
  const { proxy, alice, variables } = await startScene(t)
  const runner = ['valgrind', '-q', '--leak-check=full', '--show-leak-kinds=all', '--error-exitcode=9']
  for (const transport of ['stream', 'poll'] as const) {
    const device = startDevice(t, { port: proxy.port, transport, env: variables, runner })
    const callId = `checked-${transport}`
    await device.run('until snapshot')
    await alice.post('/calls', { callId, to: 'bob' })
    t.match(await device.run('until call.incoming'), { result: 'ok' })
    t.match(await device.run(`accept ${callId}`), { result: 'refused', code: 'no_offer_pending' })
    t.match(await device.run(`act ${callId} accept`), { result: 'ok' })
    proxy.cut()
    t.match(await device.run(`act ${callId} hangup`), { result: 'ok' })
    t.equal(await device.end(), 0)
  }
})

t.test('any JSON is passed on as JSON.parse reads it', async t => {
  const { proxy, variables } = await startScene(t)
  const device = startDevice(t, { port: proxy.port, env: variables })
  await begin(t, device)
  const text = fc.string({ unit: 'grapheme', maxLength: 300 })
  const { value } = fc.letrec<{ value: unknown }>(tie => ({
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      text,
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(true, false, null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), tie('value'), { maxKeys: 4 })
    )
  }))
  const escaped = (json: string) => json.replace(/[^ -~]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  await fc.assert(
    fc.asyncProperty(value, fc.boolean(), async (data, isEscaped) => {
      const json = JSON.stringify({ type: 'any', data })
      proxy.inject(`data: ${isEscaped ? escaped(json) : json}\n\n`)
      const [event] = (await device.run('until any')).events
      t.same(rebuild(event?.values ?? []), { data: JSON.parse(JSON.stringify(data)) })
    }),
    { numRuns: 60 }
  )
})

/** The object whose values these are. */
function rebuild(values: readonly Value[]): unknown {
  const open: (unknown[] | Record<string, unknown>)[] = [{}]
  let pieces = ''
  const add = (path: string, value: unknown) => {
    const parent = open.at(-1)
    if (Array.isArray(parent)) parent.push(value)
    else if (parent)
      parent[
        path
          .replace(/(\[\])+$/, '')
          .split('.')
          .at(-1) ?? ''
      ] = value
  }
  for (const { kind, path, text, last } of values) {
    if (kind === '{' || kind === '[') {
      const container = kind === '{' ? {} : []
      add(path, container)
      open.push(container)
    } else if (kind === '}' || kind === ']') open.pop()
    else if (kind !== 'string') add(path, JSON.parse(text))
    else {
      pieces += text
      if (!last) continue
      add(path, pieces)
      pieces = ''
    }
  }
  return open[0]
}
