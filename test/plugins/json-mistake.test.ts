// The scanner against JSON.parse, with texts that are JSON but for one change.
import fc from 'fast-check'
import t from 'tap'
import { describeMistake } from '../../src/plugins/json-mistake.js'
import { randomRuns } from '../helpers/runs.js'

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const changed = fc
  .tuple(
    fc.json(),
    fc.nat(),
    fc.constantFrom('', '{', '}', '[', ']', ',', ':', '"', '\\', '0', '-', '.', 'e', 't', ' ', '\n', '\0')
  )
  .map(([text, at, insert]) => {
    const place = at % (text.length + 1)
    return text.slice(0, place) + insert + text.slice(place + (at % 2))
  })

t.test('a text has a mistake exactly if JSON.parse refuses it', async t => {
  fc.assert(
    fc.property(
      fc.oneof(fc.json(), changed, fc.string({ maxLength: 8 })),
      text => (describeMistake(text) === null) === isJson(text)
    ),
    { numRuns: randomRuns(500) }
  )
  t.equal(describeMistake('['.repeat(200_000)), 'The body ends too early at line 1, column 200001')
})
