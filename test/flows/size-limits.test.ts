// Everything that a client sends has a bound. A request that exceeds one is refused with too_large and changes nothing.
import t from 'tap'
import { candidate, candidates, sdp } from '../helpers/sdp.js'
import { startServers, tokenOf } from '../helpers/servers.js'

const nested = (levels: number, open = '{"a":', close = '}') => `${open.repeat(levels)}1${close.repeat(levels)}`

/** Bodies as text, because JSON.stringify() would overflow the stack. */
const TOO_LARGE: readonly [what: string, path: string, body: string][] = [
  ['a description', 'calls', JSON.stringify({ to: 'bob', offer: { sdp: sdp('a').padEnd(65_537, 'x') } })],
  [
    'a description in bytes',
    'calls',
    JSON.stringify({ to: 'bob', offer: { sdp: `${sdp('a')}a=${'ü'.repeat(40_000)}` } })
  ],
  [
    'a candidate',
    'calls/c1/candidates',
    JSON.stringify({ candidates: [{ ...candidate(1), candidate: 'x'.repeat(1025) }] })
  ],
  ['a batch of candidates', 'calls/c1/candidates', JSON.stringify({ candidates: candidates(65) })],
  ['metadata in bytes', 'calls', JSON.stringify({ to: 'bob', metadata: { text: 'ü'.repeat(2048) } })],
  [
    'metadata in members',
    'calls',
    JSON.stringify({ to: 'bob', metadata: Object.fromEntries(Array(65).fill(0).entries()) })
  ],
  ['metadata in depth', 'calls', `{"to":"bob","metadata":${nested(17)}}`],
  ['metadata of arrays 100,000 deep', 'calls', `{"to":"bob","metadata":{"a":${nested(100_000, '[', ']')}}}`],
  ['a body of arrays 100,000 deep', 'calls', nested(100_000, '[', ']')],
  ['a body in depth where none is expected', 'calls/c1/accept', nested(20_000)],
  ['room metadata in depth', 'rooms/r1/participants', `{"metadata":${nested(20_000)}}`],
  ['metadata of invitations in depth', 'rooms/r1/invitations', `{"users":["bob"],"metadata":${nested(20_000)}}`],
  ['a body', 'rooms/r1/messages', `{"content":"${'x'.repeat(300_000)}"}`]
]

t.test('a request with a part above its bound is refused as too_large', async t => {
  const [{ url } = { url: '' }] = await startServers(t, { engine: 'memory' })
  const authorization = `Bearer ${await tokenOf('alice')}`
  const headers = { authorization, 'content-type': 'application/json' }
  const post = (path: string, body: string) => fetch(`${url}/v1/${path}`, { method: 'POST', headers, body })
  for (const [what, path, body] of TOO_LARGE) {
    const reply = await post(path, body)
    t.match(await reply.json(), { status: 413, code: 'too_large', retryable: false }, what)
    t.equal(reply.status, 413)
  }
  const snapshot = await (await fetch(`${url}/v1/snapshot`, { headers: { authorization } })).json()
  t.match(snapshot, { cursor: /^0\./, calls: [], rooms: [] }, 'nothing has changed')
})

t.test('metadata of 16 levels is accepted', async t => {
  const [{ url } = { url: '' }] = await startServers(t, { engine: 'memory' })
  const headers = { authorization: `Bearer ${await tokenOf('alice')}`, 'content-type': 'application/json' }
  const body = `{"to":"bob","metadata":${nested(16)}}`
  const reply = await fetch(`${url}/v1/calls`, { method: 'POST', headers, body })
  t.match(await reply.json(), { code: 'callee_unreachable' }, 'the metadata was accepted')
})
