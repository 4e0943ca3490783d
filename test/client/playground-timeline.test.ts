// What the timeline of the playground says about a call, without a browser.
import t from 'tap'
import type { TimelineEntry } from '../../packages/client/src/api.js'
import { curlOf } from '../../packages/playground/src/curl.js'
import { stallOf, stepsOf } from '../../packages/playground/src/timeline.js'

const SIDES = { caller: 'alice', callee: 'bob' }

/** One each second: `alice offer 1`. */
function entriesOf(...lines: string[]): TimelineEntry[] {
  return lines.map((line, second) => {
    const [user = '', type, revision] = line.split(' ')
    const by = user === 'server' ? null : { user, device: 'page' }
    const at = new Date(second * 1000).toISOString()
    return { at, type: type as TimelineEntry['type'], by, ...(revision && { revision: Number(revision) }) }
  })
}

const CREATED = ['alice created', 'alice offer 1']
const ACCEPTED = [...CREATED, 'bob ringing', 'bob accepted']
const ANSWERED = [...ACCEPTED, 'bob answer 1']
const CONNECTED = [...ANSWERED, 'alice connected']

t.test('a call that does not go on says what is missing, and since when', async t => {
  const cases: [lines: string[], text: string | null, second?: number][] = [
    [[], null],
    [CREATED, 'No device of bob rings yet: no `ringing` arrived', 0],
    [[...CREATED, 'bob ringing'], 'Waits for bob: no `accept` arrived', 2],
    [['alice created', 'bob ringing', 'bob accepted'], 'Waits for the offer of alice: no `offer` arrived', 2],
    [ACCEPTED, 'Waits for the answer of bob: no `answer` arrived', 3],
    [ANSWERED, 'Waits for media: candidates are on their way, no side is `connected`', 4],
    [CONNECTED, null],
    [[...CONNECTED, 'bob offer 2'], 'Waits for the answer of alice: no `answer` arrived', 6],
    [[...CONNECTED, 'bob offer 2', 'alice answer 2'], null],
    [[...CREATED, 'bob ringing', 'server ended'], null]
  ]
  for (const [lines, text, second = 0] of cases)
    t.strictSame(stallOf({ entries: entriesOf(...lines) }, SIDES), text && { text, since: second * 1000 }, lines.join())
})

t.test('each step goes from the side that acts to the other one', async t => {
  const entries = entriesOf('alice created', 'bob ringing', 'alice candidates_held', 'bob away', 'server ended')
  t.strictSame(
    stepsOf({ entries }, SIDES).map(({ ms, from, to, text }) => [ms, from, to, text]),
    [
      [0, 'caller', 'callee', 'calls'],
      [1000, 'callee', 'caller', 'rings'],
      [2000, 'caller', 'server', 'candidates held'],
      [3000, 'callee', 'callee', 'loses the connection'],
      [4000, 'server', 'server', 'ends']
    ]
  )
})

t.test('a command quotes what a shell would read otherwise', async t => {
  const headers = { authorization: 'Bearer abc', 'content-type': 'application/json', 'idempotency-key': '1' }
  const request = { method: 'POST', url: 'http://localhost/v1/calls', headers, body: `{"to":"o'brien $HOME"}` }
  t.equal(
    curlOf(request, { token: null }),
    `curl -X POST 'http://localhost/v1/calls' \\
  -H "Authorization: Bearer $TOKEN" \\
  -H 'content-type: application/json' \\
  --data-raw '{"to":"o'\\''brien $HOME"}'`
  )
  t.match(curlOf(request, { token: 'abc' }), "-H 'Authorization: Bearer abc'")
})
