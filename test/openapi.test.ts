import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { parse } from 'yaml'
import { openapiYaml } from '../scripts/openapi.js'
import { ERRORS } from '../src/errors.js'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const committed = readFileSync(new URL('../openapi/openapi.yaml', import.meta.url), 'utf8')

interface Operation {
  operationId?: string
  tags?: string[]
  summary?: string
  responses: Record<string, object>
}
const { paths, components, tags } = parse(committed) as {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, { oneOf?: object[] }>; examples: Record<string, object> }
  tags: { name: string }[]
}
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, ...operation }))
)

t.test('openapi/openapi.yaml is what the routes say; `npm run openapi` writes it', async t => {
  t.ok(committed === (await openapiYaml()), 'no drift')
})

for (const file of ['openapi/openapi.yaml', 'openapi/chat-service.yaml', 'openapi/room-service.yaml']) {
  t.test(`the linter has nothing to say about ${file}`, async t => {
    const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
    const { stdout } = await run('node_modules/.bin/redocly', ['lint', '--format=json', file], { cwd: root, env })
    t.match(JSON.parse(stdout).totals, { errors: 0, warnings: 0, ignored: 0 })
  })
}

t.test('every operation has a name of its own, a known tag and a summary', async t => {
  const names = operations.map(({ operationId }) => operationId)
  t.equal(new Set(names).size, names.length)
  const known = tags.map(({ name }) => name)
  for (const { name, operationId, summary, tags: [tag = ''] = [] } of operations) {
    t.ok(operationId && summary && known.includes(tag), name)
  }
})

t.test('every operation on /v1 says what happens without a token or without the store', async t => {
  for (const { name, path, responses } of operations) {
    if (path.startsWith('/v1/')) t.hasProps(responses, ['401', '403', '500', '503'], name)
  }
})

t.test('components have their names, and problems their examples', async t => {
  t.notMatch(Object.keys(components.schemas).join(' '), /def-|schema-/)
  t.hasProps(components.schemas, ['Call', 'Problem', 'Event', 'CallIncomingEvent', 'IceServer'])
  t.ok((components.schemas.Event?.oneOf ?? []).length > 12)
  t.notMatch(committed, 'x-component')
  for (const code of Object.keys(components.examples)) t.ok(code in ERRORS || code === 'hello', code)
})
