// Compares the generated files with the output of `npm run docs`. openapi.yaml itself is compared in test/openapi.test.ts.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { GENERATED } from '../../scripts/reference.js'
import { CALL_EVENTS } from '../../src/schemas/event.js'
import { PRESENCE_EVENTS } from '../../src/schemas/presence-event.js'
import { ROOM_EVENTS } from '../../src/schemas/room-event.js'
import { SFU_EVENTS } from '../../src/schemas/sfu-event.js'
import { StreamEvent } from '../../src/schemas/stream.js'
import { OPERATOR_EVENTS } from '../../src/schemas/webhook.js'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

t.test('generated files are up to date (if not, run `npm run docs`)', async t => {
  const openapi = read('openapi/openapi.yaml')
  for (const [path, generate] of Object.entries(GENERATED)) t.ok(read(path) === generate(openapi), path)
})

t.test('every setting stands under a heading, and every event has an example that its schema accepts', async t => {
  t.notMatch(read('docs/reference/settings.md'), /\n\n\n/, 'no heading without a setting')
  const events = [
    ...CALL_EVENTS,
    ...ROOM_EVENTS,
    ...SFU_EVENTS,
    ...PRESENCE_EVENTS,
    ...StreamEvent.anyOf,
    ...OPERATOR_EVENTS
  ]
  const examples = [...read('docs/reference/events.md').matchAll(/```json\n(.*?)```/gs)].map(([, json = '']) =>
    JSON.parse(json)
  )
  t.ok(examples.length >= events.length)
  const union = Type.Union(events)
  for (const example of examples) t.strictSame([...Value.Errors(union, example)].slice(0, 3), [], example.type)
  t.strictSame(
    new Set(examples.map(({ type }) => type)),
    new Set(events.map(({ properties }) => properties.type.const))
  )
})
