// What the timeline of the playground says about a call, without a browser.
import t, { type Test } from 'tap'
import type { TimelineEntry } from '../../packages/client/src/api.js'
import { curlOf } from '../../packages/playground/src/curl.js'
import { type CallSides, stallOf, stepsOf } from '../../packages/playground/src/timeline.js'

const SIDES = { caller: 'alice', callee: 'bob', offerer: 'caller' } as const

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

/** The lines, what is missing, and the line since which it is missing. */
type Case = [lines: string[], text: string | null, second?: number]

function checkStalls(t: Test, sides: CallSides, cases: readonly Case[]): void {
  for (const [lines, text, second = 0] of cases) {
    const found = stallOf({ entries: entriesOf(...lines), omitted: 0 }, sides)
    t.strictSame(found, text && { text, since: second * 1000 }, lines.join())
  }
}

const NO_MEDIA = 'Waits for media: candidates are on their way, no side is `connected`'
const NO_ANSWER = {
  alice: 'Waits for the answer of alice: no `answer` arrived',
  bob: 'Waits for the answer of bob: no `answer` arrived'
}

t.test('a call that does not go on says what is missing, and since when', async t => {
  checkStalls(t, SIDES, [
    [[], null],
    [CREATED, 'No device of bob rings yet: no `ringing` arrived', 0],
    [[...CREATED, 'bob ringing'], 'Waits for bob: no `accept` arrived', 2],
    [[...CREATED, 'bob ringing', 'bob declined'], 'Waits for bob: no `accept` arrived', 2],
    [['alice created', 'bob ringing', 'bob accepted'], 'Waits for the offer of alice: no `offer` arrived', 2],
    [ACCEPTED, NO_ANSWER.bob, 3],
    [ANSWERED, NO_MEDIA, 4],
    [CONNECTED, null],
    [[...CREATED, 'bob ringing', 'server ended'], null],
    [[...CONNECTED, 'bob ended'], null]
  ])
})

t.test('the side that did not make the last offer has to answer, also if it is the caller', async t => {
  const glare = ['alice created', 'alice offer 1', 'bob accepted']
  checkStalls(t, SIDES, [
    // Both called: bob's create became the accept, and his own offer is discarded.
    [glare, NO_ANSWER.bob, 2],
    [[...glare, 'bob answer 1'], NO_MEDIA, 3],
    // A change in the call: the first of two crossing offers stands, the other one never gets an entry.
    [[...CONNECTED, 'bob offer 2'], NO_ANSWER.alice, 6],
    [[...CONNECTED, 'bob offer 2', 'alice answer 2'], null],
    [[...CONNECTED, 'bob offer 2', 'alice answer 2', 'alice offer 3'], NO_ANSWER.bob, 8],
    // Before media flows, such as an ICE restart.
    [[...ANSWERED, 'bob offer 2'], NO_ANSWER.alice, 5],
    [[...ANSWERED, 'bob offer 2', 'alice answer 2'], NO_MEDIA, 6],
    // An offer that supersedes the pending one of the same side.
    [[...ACCEPTED, 'alice offer 2'], NO_ANSWER.bob, 4],
    [[...ACCEPTED, 'alice offer 2', 'bob answer 2'], NO_MEDIA, 5]
  ])
})

t.test('the callee makes the first offer if the create says so', async t => {
  const accepted = ['alice created', 'bob ringing', 'bob accepted']
  checkStalls(t, { ...SIDES, offerer: 'callee' }, [
    [['alice created', 'bob ringing'], 'Waits for bob: no `accept` arrived', 1],
    [accepted, 'Waits for the offer of bob: no `offer` arrived', 2],
    [[...accepted, 'bob offer 1'], NO_ANSWER.alice, 3],
    [[...accepted, 'bob offer 1', 'alice answer 1'], NO_MEDIA, 4],
    [[...accepted, 'bob offer 1', 'alice answer 1', 'alice offer 2'], NO_ANSWER.bob, 5]
  ])
})

t.test('a lost device comes before all that is missing, until it is back', async t => {
  const lost = 'Waits for bob, whose device has lost the connection'
  checkStalls(t, SIDES, [
    [[...CONNECTED, 'bob away'], lost, 6],
    [[...CONNECTED, 'bob away', 'alice away', 'alice back'], lost, 6],
    [[...ACCEPTED, 'bob away'], lost, 4],
    [[...ACCEPTED, 'bob away', 'bob back'], NO_ANSWER.bob, 3],
    [[...CONNECTED, 'bob away', 'bob back', 'bob away'], lost, 8],
    [[...CONNECTED, 'bob away', 'bob back'], null]
  ])
})

t.test('a call that counts as connected without a report says so, until one comes', async t => {
  const unconfirmed = { ...entriesOf(...ANSWERED, 'server connected')[5], unconfirmed: true } as TimelineEntry
  const entries = [...entriesOf(...ANSWERED), unconfirmed]
  const text = 'Waits for media: the connect time is over, and no side has reported `connected`'
  t.strictSame(stallOf({ entries, omitted: 0 }, SIDES), { text, since: 4000 })
  const [report] = entriesOf('alice connected') as [TimelineEntry]
  t.equal(stallOf({ entries: [...entries, report], omitted: 0 }, SIDES), null)
})

t.test('nothing is claimed to be missing that may be among the omitted entries', async t => {
  const messages = (count: number) => Array.from({ length: count }, (_, i) => `${i % 2 ? 'alice' : 'bob'} message`)
  const first = [...CONNECTED, 'bob offer 2', 'bob away', ...messages(8)]
  const found = (lines: string[]) => stallOf({ entries: entriesOf(...lines), omitted: 3 }, SIDES)?.text ?? null
  t.equal(found([...first, ...messages(32)]), null)
  t.equal(found([...first, ...messages(31), 'alice offer 3']), NO_ANSWER.bob)
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

t.test('what the systems of the operator did is shown, and hides nothing that is missing', async t => {
  const at = (ms: number) => new Date(ms).toISOString()
  const asked = { at: at(0), type: 'policy' as const, by: null, event: 'call', outcome: 'allowed' as const }
  const note = { type: 'webhook' as const, by: null, event: 'call.incoming', outcome: 'given_up' as const, attempt: 9 }
  const entries = [
    asked,
    { at: at(5), type: 'created' as const, by: { user: 'alice', device: 'page' } },
    { at: at(6), ...note }
  ]
  t.strictSame(
    stepsOf({ entries }, SIDES).map(({ ms, from, to, text }) => [ms, from, to, text]),
    [
      [0, 'server', 'server', 'policy: call, allowed'],
      [0, 'caller', 'callee', 'calls'],
      [1, 'server', 'server', 'webhook: call.incoming, given up, attempt 9']
    ]
  )
  t.match(stallOf({ entries, omitted: 0 }, SIDES), { text: /No device of bob rings yet/, since: 5 })
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
