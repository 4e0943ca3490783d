// The forms in which clients send a body, or none.
import { once } from 'node:events'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { type Operation, operationsOf } from '../helpers/fuzz-target.js'
import { startServers, tokenOf } from '../helpers/servers.js'

interface Sent {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array<ArrayBuffer>
}

async function start(t: Test) {
  const [{ url } = { url: '' }] = await startServers(
    t,
    { engine: 'memory' },
    { RATE_LIMIT_SIGNALS: '1000', RATE_LIMIT_READS: '1000' }
  )
  const authorization = `Bearer ${await tokenOf('alice')}`
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as Parameters<typeof operationsOf>[0]
  const writing = operationsOf(document).filter(({ method, path }) => method !== 'get' && path.startsWith('/v1/'))

  async function send({ method, path }: Pick<Operation, 'method' | 'path'>, { headers = {}, ...sent }: Sent) {
    const reply = await fetch(url + path.replace(/\{\w+\}/g, 'none'), {
      method: method.toUpperCase(),
      headers: { authorization, ...headers },
      ...sent
    })
    const isStream = reply.headers.get('content-type')?.startsWith('text/event-stream')
    if (isStream) await reply.body?.cancel()
    const text = isStream ? '' : await reply.text()
    return { status: reply.status, headers: reply.headers, problem: reply.ok ? null : JSON.parse(text) }
  }
  return { url, authorization, writing, send }
}

const AS_NO_BODY: Readonly<Record<string, Sent>> = {
  'a JSON content type and no body': { headers: { 'content-type': 'application/json' } },
  'a JSON content type and an empty body': { headers: { 'content-type': 'application/json' }, body: '' },
  'a JSON content type and a line break': { headers: { 'content-type': 'application/json' }, body: '\n' },
  'the literal null': { headers: { 'content-type': 'application/json' }, body: 'null' },
  'an empty form, as of curl -d': { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: '' },
  'an empty beacon': { headers: { 'content-type': 'text/plain;charset=UTF-8' }, body: '' },
  'a content type that is none': { headers: { 'content-type': 'x' } }
}

const BEACONS: Readonly<Record<string, Sent>> = {
  'a beacon with a word': { headers: { 'content-type': 'text/plain;charset=UTF-8' }, body: 'bye' },
  'a beacon with an object': { headers: { 'content-type': 'text/plain;charset=UTF-8' }, body: '{}' }
}

/** Forms of no body that have a byte. */
const NON_EMPTY = ['a JSON content type and a line break', 'the literal null']

/** The body `null` is the end of candidates. */
const TAKE_NULL = ['sendCandidates', 'sendRoomCandidates']

const FAULTS = ['malformed_json', 'invalid_request', 'unsupported_media_type']

t.test('an operation that needs no body accepts each form of no body', async t => {
  const { writing, send } = await start(t)
  const optional = writing.filter(({ isBodyRequired }) => !isBodyRequired)
  t.ok(optional.length >= 20)
  for (const operation of optional) {
    for (const [name, sent] of Object.entries({ ...AS_NO_BODY, ...BEACONS })) {
      const { status, problem } = await send(operation, sent)
      t.notOk(FAULTS.includes(problem?.code), `${operation.id}, ${name}: ${status} ${problem?.code} ${problem?.detail}`)
    }
  }
})

t.test('an operation that needs a body refuses every way to send none, with "empty body"', async t => {
  const { writing, send } = await start(t)
  for (const operation of writing.filter(({ isBodyRequired }) => isBodyRequired)) {
    for (const [name, sent] of Object.entries({ ...AS_NO_BODY, 'nothing at all': {} })) {
      const { problem } = await send(operation, sent)
      const isPlain = name === 'an empty beacon'
      if (isPlain && problem.code === 'unsupported_media_type') continue
      if (name === 'the literal null' && TAKE_NULL.includes(operation.id)) continue
      // Text of another media type, not the empty body.
      if (operation.textType !== null && NON_EMPTY.includes(name)) continue
      t.match(
        problem,
        { code: 'invalid_request', detail: /empty body/, issues: [{ path: 'body' }] },
        `${operation.id}, ${name}`
      )
    }
  }
})

t.test('a chunked body without a chunk counts as no body, whatever its type', async t => {
  const { url, authorization } = await start(t)
  const post = async (path: string, type: string, chunks: string) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    const pieces: Buffer[] = []
    socket.on('data', piece => pieces.push(piece))
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n${type}` +
        `Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunks}0\r\n\r\n`
    )
    await once(socket, 'close')
    return Buffer.concat(pieces).toString()
  }
  const types = ['', 'application/json', 'text/plain', 'application/x-www-form-urlencoded', 'application/octet-stream']
  for (const type of types) {
    const header = type && `Content-Type: ${type}\r\n`
    t.match(await post('/v1/calls/none/hangup', header, ''), '"code":"call_not_found"', type)
    t.match(await post('/v1/calls', header, ''), /empty body|"code":"unsupported_media_type"/, type)
    t.match(await post('/v1/nothing', header, ''), '"code":"not_found"', type)
    if (type.startsWith('application/json')) continue
    const [status, code] = type === 'text/plain' ? ['404', 'call_not_found'] : ['415', 'unsupported_media_type']
    const refused = await post('/v1/calls/none/hangup', header, '1\r\nx\r\n')
    t.match(refused, new RegExp(`^HTTP/1.1 ${status}[^]*"code":"${code}"`), `${type} with a chunk`)
  }
})

t.test('the text of a beacon is parsed as JSON if it begins as an object', async t => {
  const { send } = await start(t)
  const hangUp = { method: 'post', path: '/v1/calls/none/hangup' }
  const headers = { 'content-type': 'text/plain;charset=UTF-8' }
  t.match((await send(hangUp, { headers, body: '{"reason":"media_failed"}' })).problem, { code: 'call_not_found' })
  t.match((await send(hangUp, { headers, body: '{"reason":"boredom"}' })).problem, { code: 'invalid_request' })
  t.match((await send(hangUp, { headers, body: '{"reason":' })).problem, { code: 'malformed_json' })
  const create = { method: 'post', path: '/v1/calls' }
  t.match((await send(create, { headers, body: '{"to":"bob"}' })).problem, { code: 'unsupported_media_type' })
})

t.test('a body with half of a surrogate pair is refused, wherever it stands', async t => {
  const { send } = await start(t)
  const presence = { method: 'put', path: '/v1/presence' }
  const metadata = { method: 'post', path: '/v1/rooms/surrogates/participants' }
  const headers = { 'content-type': 'application/json' }
  const lone = [
    '\\ud83d',
    'a\\uDE00',
    '\\ud83d \\ude00',
    '\\ude00\\ud83d',
    '\\ud83d\\ud83d\\ude00',
    '😀\\ude00',
    '\\\\\\ud83d'
  ]
  const paired = ['\\ud83d\\ude00', '\\uD83D\\uDE00', '😀', '\\\\ud83d', '\\\\ud83d\\\\ude00', '\\ufffd', '\\ud7ff']
  for (const text of lone) {
    const expected = { status: 400, code: 'invalid_request', detail: /surrogate/ }
    t.match((await send(presence, { headers, body: `{"status":"${text}"}` })).problem, expected, text)
    const body = `{"metadata":{"a":[{"${text}":1}]}}`
    t.match((await send(metadata, { headers, body })).problem, expected, `a name: ${text}`)
  }
  for (const text of paired) {
    const { problem } = await send(metadata, { headers, body: `{"metadata":{"a":["${text}"]}}` })
    t.notMatch(problem, { detail: /surrogate/ }, text)
  }
})

t.test('a body with a content coding is refused with 415 and Accept-Encoding', async t => {
  const { send } = await start(t)
  const create = { method: 'post', path: '/v1/calls' }
  for (const coding of ['gzip', 'br', 'GZIP', 'gzip, identity']) {
    const headers = { 'content-type': 'application/json', 'content-encoding': coding }
    const reply = await send(create, { headers, body: new Uint8Array(gzipSync('{"to":"bob"}')) })
    t.match(reply.problem, { status: 415, code: 'unsupported_media_type', detail: `Content-Encoding: ${coding}` })
    t.equal(reply.headers.get('accept-encoding'), 'identity')
  }
  const headers = { 'content-type': 'application/json', 'content-encoding': 'identity' }
  t.match((await send(create, { headers, body: '{"to":"alice"}' })).problem, { code: 'cannot_call_self' })
})
