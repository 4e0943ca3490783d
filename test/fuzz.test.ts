// Bad input: for every operation of the OpenAPI document, requests with one thing wrong in them. Each gets a problem of the
// table with a 4xx, and whatever was there before is there afterwards.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { ErrorCode } from '../src/errors.js'
import { checkProblem, type Operation, type RawRequest, sendBytes, Target } from './helpers/fuzz-target.js'
import { INVALID_IDS } from './helpers/ids.js'
import { fits, invalidValues, valid } from './helpers/invalid-values.js'
import { randomRuns } from './helpers/runs.js'
import { SETTINGS, TestCluster } from './helpers/test-cluster.js'

const BAD_JSON = [
  '{',
  '{"to":',
  '{"to":"bob",}',
  "{'to':'bob'}",
  'nul',
  '\0',
  '{"a":1}x',
  '﻿{"to":',
  '[',
  '"',
  '{"__proto__":{"x":1}}'
]
/** Members of a query that a stream does not refuse, and one of which the schema takes any text: the service judges it. */
const ANY_TEXT = new Set(['cursor', 'lastEventId', 'users'])

const BAD_CURSORS = [
  'x',
  '1',
  '1.',
  '.x',
  '1.X',
  '-1.x',
  '01.x',
  '1.x.y',
  '1e3.x',
  `1.${'x'.repeat(17)}`,
  '\0',
  '9'.repeat(40),
  '{}'
]
const BAD_TOKENS = [
  '',
  'x',
  'Bearer',
  'Bearer x',
  'Bearer a.b.c',
  'Basic YWxpY2U6eA==',
  'bearer  ',
  'Bearer null',
  '\u00ff'
]

const NO_HTTP = [
  'hello\r\n\r\n',
  'GET /v1/calls HTTP/1.1\r\nHost: x\r\nX-Device-Id: a\0b\r\n\r\n',
  'GET /v1/calls/a\0b HTTP/1.1\r\nHost: x\r\n\r\n',
  'POST /v1/calls HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n',
  'POST /v1/calls HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
  `GET /v1/calls HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(40_000)}\r\n\r\n`
]
const RUNS = randomRuns(80)

/**
 * Every property runs on a target of its own setting, and ends where it began. Each of the codes `expected` occurs; a code of `rare` may
 * occur, but few of the generated requests provoke it.
 */
async function fuzz(
  t: Test,
  target: Target,
  requests: fc.Arbitrary<[Operation, RawRequest]>,
  expected: readonly ErrorCode[],
  ...rare: readonly ErrorCode[]
): Promise<void> {
  const allowed = [...expected, ...rare]
  const before = await target.visibleState()
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(requests, fc.nat({ max: 19 }), async ([operation, wire], who) => {
      const response = await target.send(operation, who, wire)
      const code = await checkProblem(response, `${operation.id} ${JSON.stringify(wire).slice(0, 300)}`)
      assert.ok(allowed.includes(code), `${code} for ${operation.id} ${JSON.stringify(wire).slice(0, 300)}`)
      seen.add(code)
    }),
    { numRuns: RUNS }
  )
  t.same(await target.visibleState(), before, 'and nothing has changed')
  for (const code of expected) t.ok(seen.has(code), `${code} was seen`)
}

const TAKE_CANDIDATES = ['sendCandidates', 'sendRoomCandidates']

const anyOf = (operations: readonly Operation[]) => fc.constantFrom(...operations)
const queryOf = (name: string, value: unknown) => `?${new URLSearchParams({ users: 'bob', [name]: String(value) })}`

for (const setting of SETTINGS.filter(({ nodes }) => nodes === 1)) {
  t.test(setting.name, async t => {
    const cluster = await TestCluster.open(setting, {})
    const target = await Target.make(cluster)
    t.teardown(() => cluster.close())
    const withBody = target.operations.filter(({ body }) => body !== null)
    const api = target.operations.filter(({ path }) => path.startsWith('/v1/'))
    t.ok(withBody.length >= 13 && api.length > withBody.length, `${api.length} operations`)

    await t.test('bodies that do not fit their schema', t =>
      fuzz(
        t,
        target,
        anyOf(withBody).chain(operation =>
          invalidValues(operation.body ?? {})
            // An optional body may be null.
            .filter(body => operation.isBodyRequired || body !== null)
            // A candidate without an object around it, or the end of candidates.
            .filter(body => !TAKE_CANDIDATES.includes(operation.id) || (body !== null && typeof body !== 'string'))
            .map((body): [Operation, RawRequest] => [operation, { body: JSON.stringify(body) }])
        ),
        ['invalid_request'],
        'too_large'
      )
    )

    await t.test('bodies that are no JSON', t =>
      fuzz(
        t,
        target,
        fc.tuple(
          anyOf(withBody),
          fc.constantFrom(...BAD_JSON).map(body => ({ body }))
        ),
        ['malformed_json']
      )
    )

    await t.test('bodies of other types, or none where one is needed', t => {
      const types = ['application/xml', 'multipart/form-data', 'x', 'application/jsonx']
      const needed = withBody.filter(({ isBodyRequired }) => isBodyRequired)
      const plain = anyOf(needed).map((operation): [Operation, RawRequest] => [
        operation,
        { body: '{}', headers: { 'content-type': 'text/plain' } }
      ])
      const typed = fc.tuple(
        anyOf(withBody),
        fc.constantFrom(...types).map(type => ({ body: '{}', headers: { 'content-type': type } }))
      )
      const none = anyOf(needed).map((operation): [Operation, RawRequest] => [operation, {}])
      return fuzz(t, target, fc.oneof(typed, plain, none), ['unsupported_media_type', 'invalid_request'])
    })

    await t.test('bodies that are too large', t =>
      fuzz(t, target, fc.tuple(anyOf(withBody), fc.constant({ body: `"${'x'.repeat(300_000)}"` })), ['too_large'])
    )

    await t.test('ids in the path that are none', t => {
      const ids = target.operations.filter(({ path }) => path.includes('{callId}'))
      const encoded = fc.oneof(
        // Without those that encodeURIComponent or the client refuses.
        fc.constantFrom(...INVALID_IDS.filter(id => !/^\.*$|\p{Cs}/u.test(id))).map(encodeURIComponent),
        fc.constantFrom('%ED%A0%80', '%FF', '%C3', '%', '%2', 'x'.repeat(1000)),
        fc
          .tuple(fc.string({ unit: 'binary', maxLength: 12 }), fc.constantFrom('\0', '\n', '\x1f', '\x7f', '\x9f'))
          .map(([text, control]) => encodeURIComponent(text + control))
      )
      const requests = fc.tuple(anyOf(ids), encoded).map(([operation, id]): [Operation, RawRequest] => {
        const body = operation.isBodyRequired
          ? { body: JSON.stringify(fc.sample(valid(operation.body ?? {}), 1)[0]) }
          : {}
        return [operation, { path: operation.path.replace('{callId}', id), ...body }]
      })
      return fuzz(t, target, requests, ['invalid_request'])
    })

    await t.test('devices and tokens that are none', t => {
      const devices = fc
        .constantFrom('', 'x'.repeat(256), '%', '%00', '%0D%0A', '\u00ff', '..', '%2E')
        .map(id => ({ 'x-device-id': id }))
      const tokens = fc.constantFrom(...BAD_TOKENS).map(authorization => ({ authorization }))
      const requests = fc.tuple(
        anyOf(api.filter(({ takesToken }) => takesToken)),
        fc.oneof(devices, tokens).map(headers => ({ headers, query: '?users=bob' }))
      )
      return fuzz(t, target, requests, ['invalid_subject', 'unauthorized'])
    })

    await t.test('queries that do not fit, and cursors that are none', t => {
      const asking = api.filter(({ parameters }) => parameters.some(parameter => parameter.in === 'query'))
      const spoiledQuery = anyOf(asking).chain(operation => {
        const names = operation.parameters.filter(
          parameter => parameter.in === 'query' && !ANY_TEXT.has(parameter.name)
        )
        return fc.constantFrom(...names).chain(({ name, schema }) =>
          invalidValues(schema)
            .filter(value => typeof value === 'string' || typeof value === 'number')
            // A query is text: Ajv reads `0x1` as a number.
            .filter(value => !(schema.type === 'integer' && fits(schema, Number(value))))
            .filter(value => !(schema.type === 'string' && typeof value === 'number'))
            // A member that is given once is the only item of its list.
            .filter(value => !(schema.type === 'array' && fits(schema, [String(value)])))
            .map((value): [Operation, RawRequest] => [operation, { query: queryOf(name, value) }])
        )
      })
      const cursors = fc
        .tuple(anyOf(api.filter(({ path }) => path.endsWith('/poll'))), fc.constantFrom(...BAD_CURSORS))
        .map(([operation, cursor]): [Operation, RawRequest] => [
          operation,
          { query: `?cursor=${encodeURIComponent(cursor)}` }
        ])
      return fuzz(t, target, fc.oneof(spoiledQuery, cursors), ['invalid_request', 'invalid_cursor'])
    })

    await t.test('bytes that are no HTTP', async t => {
      const before = await target.visibleState()
      for (const bytes of NO_HTTP) {
        const response = await sendBytes(target.scenario.urlOf(0), bytes)
        t.equal(await checkProblem(response, JSON.stringify(bytes.slice(0, 80))), 'invalid_request')
      }
      t.same(await target.visibleState(), before)
    })

    await t.test('paths and methods that are none', t => {
      const operations = fc
        .tuple(fc.constantFrom('get', 'post', 'put', 'delete', 'patch'), fc.webPath())
        .map(([method, path]): [Operation, RawRequest] => [
          {
            id: `${method} ${path}`,
            method,
            path: '',
            parameters: [],
            body: null,
            isBodyRequired: false,
            textType: null,
            takesToken: true
          },
          { path: `/v1/nothing${path}` }
        ])
      const patched = new Set(api.filter(({ method }) => method === 'patch').map(({ path }) => path))
      const unpatched = api.filter(({ path }) => !patched.has(path))
      const wrongMethod = anyOf(unpatched).map((operation): [Operation, RawRequest] => [
        { ...operation, method: 'patch' },
        {}
      ])
      return fuzz(t, target, fc.oneof(operations, wrongMethod), ['not_found', 'method_not_allowed'])
    })
  })
}
