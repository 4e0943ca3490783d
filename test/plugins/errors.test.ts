import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { systemClock } from '../../src/clock.js'
import { loadConfig } from '../../src/config.js'
import { ENDS } from '../../src/ends.js'
import { AppError, ERRORS, type ErrorCode } from '../../src/errors.js'
import { createIds } from '../../src/ids.js'
import { createMetrics } from '../../src/metrics.js'
import { readBodies } from '../../src/plugins/bodies.js'
import { handleErrors } from '../../src/plugins/errors.js'
import { checkRequestHeads } from '../../src/plugins/request-heads.js'
import { serverOptions } from '../../src/plugins/server-options.js'
import { problemRoutes } from '../../src/routes/problems.js'
import { Media } from '../../src/schemas/call.js'
import { CallTo } from '../../src/schemas/callee.js'
import { ID_FORMATS, Nullable } from '../../src/schemas/common.js'
import { onlyProblems, Problem, problems } from '../../src/schemas/problem.js'
import { ADVICE } from '../../src/services/problem-advice.js'

const problem = Compile(Problem)

/** A server with routes that fail in different ways. */
async function server(t: Test) {
  const app = Fastify(serverOptions(loadConfig({ LOG_LEVEL: 'silent' })))
  const metrics = createMetrics()
  handleErrors(app, { metrics, ids: createIds(), clock: systemClock })
  checkRequestHeads(app)
  readBodies(app)
  await app.register(problemRoutes)
  app.get(
    '/fail/:code',
    { schema: { response: { ...onlyProblems('not_found', 'internal', 'call_ended') } } },
    async request => {
      const { code } = request.params as { code: ErrorCode }
      throw new AppError(code, { detail: 'because', extra: { currentState: 'ended', version: 7 } })
    }
  )
  app.get('/stream/:code', { config: { eventStream: true } }, async request => {
    throw new AppError((request.params as { code: ErrorCode }).code)
  })
  app.get('/fault', async () => {
    throw new Error('password=hunter2')
  })
  const body = Type.Object(
    {
      to: Type.String({ minLength: 1, maxLength: 20, pattern: '^[^\\u0000]*$' }),
      section: Type.Optional(Type.Unsafe({ type: ['string', 'null'] })),
      n: Type.Optional(Type.Integer({ maximum: 9 })),
      media: Type.Optional(Media),
      many: Type.Optional(Type.Array(Type.Integer(), { maxItems: 2 })),
      some: Type.Optional(Type.Object({ a: Type.Optional(Type.Integer()) }, { minProperties: 1 })),
      whom: Type.Optional(CallTo),
      note: Type.Optional(Nullable(Type.String({ minLength: 1 })))
    },
    { additionalProperties: false }
  )
  app.post(
    '/calls/:callId',
    { bodyLimit: 200, schema: { body, response: { ...problems('invalid_request') } } },
    async () => ({})
  )
  app.delete('/calls/:callId', async () => ({}))
  app.get('/read', { schema: { querystring: Type.Object({ wait: Type.Integer() }) } }, async request => request.query)
  t.teardown(() => app.close())
  return { app, metrics }
}

const json = { 'content-type': 'application/json' }

t.test('each error code is sent as its row of ERRORS says', async t => {
  const { app } = await server(t)
  for (const [code, { status, title, retryable }] of Object.entries(ERRORS)) {
    const reply = await app.inject(`/fail/${code}?ticket=secret`)
    t.equal(reply.statusCode, status, code)
    t.equal(reply.headers['content-type'], 'application/problem+json; charset=utf-8')
    t.strictSame(reply.json(), {
      type: `/problems/${code}`,
      title,
      status,
      detail: 'because',
      instance: `/fail/${code}`,
      code,
      retryable,
      currentState: 'ended',
      version: 7
    })
    t.ok(problem.Check(reply.json()), 'follows the schema')
    t.equal(reply.headers['retry-after'], status === 429 || status === 503 ? '1' : undefined)
    t.match(String(reply.headers['www-authenticate']), status === 401 ? /^Bearer/ : 'undefined')
  }
})

t.test('an error of Fastify is sent as a problem document', async t => {
  const { app } = await server(t)
  const post = (payload: string, headers: Record<string, string> = json) =>
    app.inject({ method: 'POST', url: '/calls/1', payload, headers })
  const cases: [string, ErrorCode, Awaited<ReturnType<typeof post>>][] = [
    ['broken JSON', 'malformed_json', await post('{"to":')],
    ['an empty body', 'invalid_request', await post('')],
    ['a poisoned prototype', 'malformed_json', await post('{"__proto__":{"a":1},"to":"bob"}')],
    ['another media type', 'unsupported_media_type', await post('to=bob', { 'content-type': 'text/xml' })],
    ['plain text', 'unsupported_media_type', await post('{"to":"bob"}', { 'content-type': 'text/plain' })],
    ['a body too large', 'too_large', await post(JSON.stringify({ to: 'x'.repeat(300) }))],
    ['an unknown path', 'not_found', await app.inject('/nowhere')],
    ['a path with a broken escape', 'invalid_request', await app.inject('/calls/%zz')],
    ['a query of the wrong type', 'invalid_request', await app.inject('/read?wait=soon')]
  ]
  for (const [name, code, reply] of cases) {
    t.match(reply.json(), { code, status: reply.statusCode, instance: /^\// }, name)
    if (code === 'unsupported_media_type') t.match(reply.json(), { detail: /Content-Type: application\/json/ }, name)
    t.equal(reply.statusCode, ERRORS[code].status)
    t.ok(problem.Check(reply.json()))
  }
})

t.test('the instance is a URI reference of at most 2,048 characters, also for a malformed path', async t => {
  const { app } = await server(t)
  const cases = [
    ['/%zz', '/%25zz'],
    ['/half%4', '/half%254'],
    [`/%zz${'a'.repeat(12_000)}`, `/%25zz${'a'.repeat(2044)}`],
    [`/${'a'.repeat(2046)}%41b`, `/${'a'.repeat(2046)}%25`]
  ] as const
  for (const [path, instance] of cases) {
    const reply = await app.inject(path)
    t.match(reply.json(), { instance }, path.slice(0, 20))
    t.ok(problem.Check(reply.json()))
  }
})

t.test('a request without Host or with an unknown Expect gets a problem document', async t => {
  const { app } = await server(t)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const cases = [
    ['GET /read?wait=5 HTTP/1.1\r\nHost: x\r\n', 200, /"wait":5/],
    ['GET /read?wait=5 HTTP/1.0\r\n', 200, /"wait":5/],
    ['GET /read?wait=5 HTTP/1.1\r\n', 400, /"detail":"An HTTP\/1.1 request needs a Host header"/],
    ['GET /read?wait=5 HTTP/1.1\r\nHost: x\r\nExpect: bananas\r\n', 400, /"detail":"The only expectation/]
  ] as const
  for (const [head, status, body] of cases) {
    const socket = connect(port, '127.0.0.1')
    socket.write(`${head}Connection: close\r\n\r\n`)
    const answer = await text(socket)
    t.match(answer, new RegExp(`^HTTP/1.1 ${status} `), head)
    t.match(answer, body)
    if (status === 400) t.match(answer, /content-type: application\/problem\+json.*"code":"invalid_request"/s)
  }
})

t.test('a body is not coerced, and unknown members are refused', async t => {
  const { app } = await server(t)
  const issues = async (payload: object) => {
    const reply = await app.inject({ method: 'POST', url: '/calls/1', payload })
    t.match(reply.json(), { code: 'invalid_request' })
    return reply.json().issues
  }
  t.strictSame(await issues({}), [{ path: 'body/to', message: 'is missing' }])
  t.strictSame(await issues({ to: 5 }), [{ path: 'body/to', message: 'must be string' }])
  t.strictSame(await issues({ to: 'bob', n: '5' }), [{ path: 'body/n', message: 'must be integer' }])
  t.strictSame(await issues({ to: 'bob', more: 1 }), [
    { path: 'body/more', message: 'is not a member that the server knows' }
  ])
  t.strictSame(await issues({ to: 'bob', media: 'text' }), [
    { path: 'body/media', message: 'must be one of audio, video, data' }
  ])
  t.strictSame(await issues({ to: 'bob', some: {} }), [{ path: 'body/some', message: 'must have at least one member' }])
  t.strictSame(await issues({ to: '' }), [{ path: 'body/to', message: 'must not be empty' }])
  t.strictSame(await issues({ to: 'a\0' }), [{ path: 'body/to', message: 'must not contain a NUL character' }])
  t.strictSame(await issues({ to: 'bob', section: 0 }), [{ path: 'body/section', message: 'must be string or null' }])
  t.strictSame((await app.inject('/read?wait=5')).json(), { wait: 5 }, 'a query is coerced')
})

t.test('a member that may have several types: only what its own type has against it is an issue', async t => {
  const { app } = await server(t)
  const issues = async (members: object) => {
    const reply = await app.inject({ method: 'POST', url: '/calls/1', payload: { to: 'bob', ...members } })
    const sent: { path: string; message: string }[] = reply.json().issues
    return sent.map(({ path, message }) => `${path} ${message}`)
  }
  t.strictSame(await issues({ whom: 5 }), ['body/whom must be string or object or array'])
  t.strictSame(await issues({ whom: [] }), ['body/whom must not be empty'])
  t.strictSame(await issues({ whom: ['bob', null] }), ['body/whom/1 must be string or object'])
  t.strictSame(await issues({ whom: ['bob', {}] }), ['body/whom/1/user is missing'])
  t.strictSame(await issues({ whom: [{ user: 'bob', ringTimeoutMs: '6000' }] }), [
    'body/whom/0/ringTimeoutMs must be integer'
  ])
  t.strictSame(await issues({ whom: { user: 'bob', devise: 'd' } }), [
    'body/whom/devise is not a member that the server knows'
  ])
  t.strictSame(await issues({ whom: ['bob', ''] }), [`body/whom/1 ${ID_FORMATS.id.rule}`])
  t.strictSame(await issues({ note: 5 }), ['body/note must be string or null'])
  t.strictSame(await issues({ note: '' }), ['body/note must not be empty'])
})

t.test('a part of a body that exceeds its bound on size is refused as too_large', async t => {
  const { app } = await server(t)
  const refusal = async (payload: object) =>
    (await app.inject({ method: 'POST', url: '/calls/1', payload })).json() as { code: string; issues: object[] }
  t.match(await refusal({ to: 'x'.repeat(21) }), { code: 'too_large', status: 413, issues: [{ path: 'body/to' }] })
  t.match(await refusal({ to: 'bob', many: [1, 2, 3] }), { code: 'too_large', issues: [{ path: 'body/many' }] })
  t.match(await refusal({ to: 'bob', n: 10 }), { code: 'invalid_request' }, 'a bound on a number is no bound on size')
})

t.test('the reply to an unexpected error has nothing of its message', async t => {
  const { app, metrics } = await server(t)
  const reply = await app.inject('/fault')
  t.equal(reply.statusCode, 500)
  t.match(reply.json(), { code: 'internal', detail: ERRORS.internal.title })
  t.notMatch(reply.body, 'hunter2')
  t.match(await metrics.problems.get(), { values: [{ labels: { code: 'internal' }, value: 1 }] })
})

t.test('a 405 lists the methods of the path', async t => {
  const { app } = await server(t)
  const reply = await app.inject('/calls/some-call')
  t.match(reply.json(), { code: 'method_not_allowed', status: 405 })
  t.equal(reply.headers.allow, 'DELETE, POST')
  t.equal(
    (await app.inject({ method: 'HEAD', url: '/stream/internal' })).statusCode,
    405,
    'HEAD does not open a stream'
  )
})

t.test('a request without a route is 404 or 405, whatever its method and the type of its body', async t => {
  const { app } = await server(t)
  const xml = { payload: '<to/>', headers: { 'content-type': 'application/xml' } }
  const requests = [
    { method: 'QUERY' },
    { method: 'QUERY', payload: {} },
    { method: 'PROPFIND' },
    { method: 'PUT' },
    { method: 'PUT', ...xml },
    { method: 'PUT', payload: 'x'.repeat(1_048_577), headers: json }
  ] as { method: 'PUT' }[]
  for (const request of requests) {
    const reply = await app.inject({ ...request, url: '/calls/1' })
    t.match(reply.json(), { code: 'method_not_allowed', status: 405 }, JSON.stringify(request).slice(0, 80))
    t.equal(reply.headers.allow, 'DELETE, POST')
    t.match((await app.inject({ ...request, url: '/nothing' })).json(), { code: 'not_found' })
  }
})

t.test('malformed JSON is refused with the place of the mistake', async t => {
  const { app } = await server(t)
  const cases = {
    '{"to":': 'The body ends too early at line 1, column 7',
    '{"to":"bob': 'The body ends too early at line 1, column 11',
    '{"to":"bob",}': 'Unexpected } at line 1, column 13',
    "{'to':'bob'}": "Unexpected ' at line 1, column 2",
    '{\n  "to": "bob"\n  "n": 1\n}': 'Unexpected " at line 3, column 3',
    '{"to":"b\\ob"}': 'Unexpected \\ at line 1, column 9',
    '{"to":"b\tob"}': 'Unexpected U+0009 at line 1, column 9',
    '{"n":01}': 'Unexpected 1 at line 1, column 7',
    '[1,': 'The body ends too early at line 1, column 4',
    '[1 2]': 'Unexpected 2 at line 1, column 4',
    nul: 'Unexpected n at line 1, column 1',
    '{"to":"bob"}x': 'Unexpected x at line 1, column 13',
    '\uFEFF{]': 'Unexpected ] at line 1, column 2',
    '{"a":💥}': 'Unexpected U+1f4a5 at line 1, column 6',
    '{"__proto__":{}}': 'The body has a member __proto__, or constructor with a member prototype'
  }
  for (const [payload, detail] of Object.entries(cases)) {
    const reply = await app.inject({ method: 'POST', url: '/calls/1', payload, headers: json })
    t.match(reply.json(), { code: 'malformed_json', detail }, payload)
  }
})

t.test('an event stream gets 200 and an `end` event instead of 429 or 503', async t => {
  const { app } = await server(t)
  const expected = {
    rate_limited: 'rate_limited',
    store_unavailable: 'store_unavailable',
    shutting_down: 'drain'
  } as const
  for (const [code, reason] of Object.entries(expected)) {
    const reply = await app.inject(`/stream/${code}`)
    t.equal(reply.statusCode, 200)
    t.match(reply.headers['content-type'], 'text/event-stream')
    t.equal(reply.headers['retry-after'], undefined)
    t.match(reply.body, /^retry: \d+\n/)
    t.match(reply.body, reason)
    t.ok(ENDS[reason].reconnect)
  }
  t.equal((await app.inject('/stream/unauthorized')).statusCode, 401, '401 remains 401: a retry cannot succeed')
})

t.test('the URL in `type` returns the explanation, as JSON or as a page', async t => {
  const { app } = await server(t)
  t.strictSame((await app.inject('/problems/callee_busy')).json(), {
    code: 'callee_busy',
    ...ERRORS.callee_busy,
    advice: ADVICE.callee_busy
  })
  const page = await app.inject({ url: '/problems/callee_busy', headers: { accept: 'text/html,*/*' } })
  t.match(page.headers['content-type'], 'text/html')
  t.match(page.body, ERRORS.callee_busy.title)
  t.match(page.body, ADVICE.callee_busy)
  t.match((await app.inject('/problems/toString')).json(), { code: 'not_found' })
})

t.test('problems() declares each status with its codes', async t => {
  const map = problems('callee_busy', 'caller_busy', 'rate_limited') as Record<
    string,
    { content: object; description: string }
  >
  t.strictSame(Object.keys(map), ['401', '403', '409', '429', '500', '503'])
  t.match(map['409'], { content: { 'application/problem+json': { schema: Problem } } })
  t.match(map['409']?.description, /`callee_busy`: .*`caller_busy`: /)
})
