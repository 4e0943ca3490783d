import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { parse } from 'yaml'
import { adminYaml, openapi30Yaml, openapiYaml } from '../scripts/openapi.js'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const committed = readFileSync(new URL('../openapi/openapi.yaml', import.meta.url), 'utf8')

interface Operation {
  operationId?: string
  tags?: string[]
  summary?: string
  requestBody?: { content: Record<string, object> }
  responses: Record<string, { content?: Record<string, object>; links?: Record<string, { operationId: string }> }>
}
interface Union {
  oneOf: { $ref: string }[]
  discriminator: { mapping: Record<string, string> }
}
interface EventSchema {
  properties: { type: { const: string } }
}
const { paths, components, tags } = parse(committed) as {
  paths: Record<string, Record<string, Operation>>
  components: {
    schemas: Record<string, object>
    responses: Record<string, { content: { 'application/problem+json': { example?: object } } }>
  }
  tags: { name: string }[]
}
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, ...operation }))
)

const admin = readFileSync(new URL('../openapi/admin.yaml', import.meta.url), 'utf8')
const older = readFileSync(new URL('../openapi/openapi-3.0.yaml', import.meta.url), 'utf8')

t.test('the files in openapi/ are what the routes say; `npm run docs` writes them', async t => {
  const current = await openapiYaml()
  t.ok(committed === current, 'openapi.yaml')
  t.ok(older === openapi30Yaml(current), 'openapi-3.0.yaml')
  t.ok(admin === (await adminYaml()), 'admin.yaml')
})

t.test('the document in version 3.0 has nothing that only 3.1 knows', async t => {
  const newer: string[] = []
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return
    const { $ref, type, anyOf, const: constant, contentSchema, examples } = value as Record<string, unknown>
    const known = [
      $ref === undefined || Object.keys(value).length === 1,
      !Array.isArray(type),
      !Array.isArray(examples)
    ]
    if (known.includes(false) || anyOf || type === 'null' || constant || contentSchema) newer.push(path)
    for (const [key, member] of Object.entries(value))
      if (!/^(example|value)$/.test(key)) visit(member, `${path}/${key}`)
  }
  const document = parse(older)
  visit(document, '')
  t.strictSame(newer, [])
  const { schemas } = document.components
  t.equal(document.openapi, '3.0.3')
  t.match(schemas.Call.properties, {
    answeredAt: { type: 'string', format: 'date-time', nullable: true },
    media: { nullable: true, allOf: [{ $ref: '#/components/schemas/Media' }] }
  })
  t.same(schemas.CallEndedEvent.properties.type, { type: 'string', enum: ['call.ended'] })
  t.same(Object.keys(document.paths), Object.keys(paths))
})

t.test(
  'the document in version 3.0 lets replies have what a newer server adds, and requests only what this one takes',
  async t => {
    const { schemas } = parse(older).components
    const { properties } = schemas.Event
    t.same(properties.type['x-extensible-enum'], Object.keys((components.schemas.Event as Union).discriminator.mapping))
    t.match([properties.data, schemas.Event.oneOf], [{ type: 'object', additionalProperties: true }, undefined])
    for (const [name, values] of Object.entries({
      EndReason: 'hangup',
      ProblemCode: 'callee_busy',
      CallState: 'ringing'
    })) {
      t.ok(schemas[name]['x-extensible-enum'].includes(values), name)
      t.equal(schemas[name].enum, undefined)
    }
    t.equal(schemas.CallReply.additionalProperties, undefined)
    // Requests take these.
    t.equal(schemas.CreateCallRequest.additionalProperties, false)
    t.same(schemas.HangupReason.enum, ['hangup', 'media_failed'])
    t.same(schemas.RoomMode.enum, ['p2p', 'sfu'])
  }
)

t.test('the linter has nothing to say about the documents', async t => {
  const files = readdirSync(join(root, 'openapi')).map(name => `openapi/${name}`)
  t.ok(files.length >= 7)
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  const { stdout } = await run('node_modules/.bin/redocly', ['lint', '--format=json', ...files], { cwd: root, env })
  // One object for each document.
  const reports = JSON.parse(`[${stdout.replaceAll('}{', '},{')}]`)
  t.match(
    reports,
    files.map(() => ({ totals: { errors: 0, warnings: 0, ignored: 0 }, problems: [] }))
  )
})

t.test('every operation has a name of its own, a known tag and a summary', async t => {
  const names = operations.map(({ operationId }) => operationId)
  t.equal(new Set(names).size, names.length)
  const known = tags.map(({ name }) => name)
  for (const { name, operationId, summary, tags: [tag = ''] = [] } of operations) {
    t.ok(operationId && summary && known.includes(tag), name)
  }
})

t.test('every body and every reply has an example, and what creates something links to what follows', async t => {
  for (const { name, requestBody, responses } of operations) {
    const replies = Object.entries(responses).filter(([status]) => status < '400')
    for (const { content = {} } of [requestBody ?? {}, ...replies.map(([, reply]) => reply)])
      for (const [type, media] of Object.entries(content))
        t.ok('example' in media || 'examples' in media, `${name} ${type}`)
    if (responses['201']) t.ok(responses['201'].links, `${name} has links`)
  }
  for (const { name, responses } of operations)
    for (const { links = {} } of Object.values(responses))
      for (const { operationId } of Object.values(links))
        t.ok(
          operations.some(each => each.operationId === operationId),
          `${name} links to ${operationId}`
        )
  for (const [name, { content }] of Object.entries(components.responses))
    t.ok(content['application/problem+json'].example, name)
})

t.test('every operation on /v1 says what happens without a token or without the store', async t => {
  for (const { name, path, responses } of operations) {
    const needsToken = !/^\/v1\/device\/(enroll|nonce|token)$/.test(path)
    const refusals = needsToken ? ['401', '403'] : ['409', '429']
    if (path.startsWith('/v1/')) t.hasProps(responses, [...refusals, '500', '503'], name)
  }
})

t.test('components have names, and everything shared is a component', async t => {
  t.notMatch(Object.keys(components.schemas).join(' '), /def-|schema-/)
  t.hasProps(components.schemas, ['Call', 'Problem', 'Event', 'CallIncomingEvent', 'IceServer', 'EndReason'])
  t.notMatch(committed, 'x-component')
  t.ok(committed.split('\n').length < 9000, 'a reader can find something in it')
  for (const { name, responses } of operations)
    for (const [status, response] of Object.entries(responses))
      if (status >= '400') t.hasProps(response, ['$ref'], `${name} ${status}`)
})

t.test('what code generators need: every object and enum has a name and a type, every integer a size', async t => {
  const unclear: string[] = []
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return
    const { type, properties, enum: values, anyOf, oneOf } = value as Record<string, unknown>
    const isNamed = /^schemas\/\w+$/.test(path)
    if ((properties || values) && !isNamed && typeof type === 'string') unclear.push(path)
    if (values && type !== 'string') unclear.push(`${path} has no type`)
    const { format, maximum } = value as { format?: string; maximum?: number }
    if ([type].flat().includes('integer') && format !== 'int64' && !(Number(maximum) < 2 ** 31))
      unclear.push(`${path} may exceed 32 bits`)
    if (Array.isArray(anyOf) && anyOf.some(({ $ref, type }) => !$ref && type !== 'null')) unclear.push(path)
    if (Array.isArray(oneOf) && oneOf.some(({ $ref }) => !$ref)) unclear.push(path)
    for (const [key, member] of Object.entries(value)) if (!/^examples?$/.test(key)) visit(member, `${path}/${key}`)
  }
  visit(components.schemas, 'schemas')
  visit(paths, 'paths')
  t.strictSame(unclear, [])
})

t.test('no component has a name that oapi-codegen gives to the replies of an operation', async t => {
  const taken = operations.map(
    ({ operationId = '' }) => `${operationId.replace(/^./, one => one.toUpperCase())}Response`
  )
  t.strictSame(
    Object.keys(components.schemas).filter(name => taken.includes(name)),
    []
  )
})

t.test('each event is a schema of its own, told apart by its type', async t => {
  const { oneOf = [], discriminator } = components.schemas.Event as Union
  t.ok(oneOf.length > 25)
  t.strictSame(Object.values(discriminator.mapping).sort(), oneOf.map(({ $ref }) => $ref).sort())
  for (const [type, ref] of Object.entries(discriminator.mapping)) {
    const { properties } = components.schemas[ref.split('/').at(-1) ?? ''] as EventSchema
    t.equal(properties.type.const, type)
  }
})
