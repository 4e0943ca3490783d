// SDP fragments of WHIP and WHEP sessions, and the entity tags that name an ICE session.
import t from 'tap'
import {
  credentialDigest,
  entityTag,
  parseFragment,
  patchIntent,
  writeFragment
} from '../../../src/domain/whip/fragment.js'
import { AppError } from '../../../src/errors.js'
import { TRANSPORT } from '../../helpers/router-capabilities.js'

/** RFC 9725, the example of a trickle ICE request. */
const TRICKLE = `a=group:BUNDLE 0 1
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=mid:0
a=ice-ufrag:EsAw
a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1
a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0 ufrag EsAw network-id 1
a=end-of-candidates
`

const CLIENT = { usernameFragment: 'EsAw', password: 'P2uYro0UCOQ4zxjKXaWCBui1' }
const OTHER_CLIENT = { usernameFragment: 'ysXw', password: 'vw5LmwG4y/e6dPP/zAP9Gp5k' }
const SERVER = TRANSPORT.iceParameters
const OTHER_SERVER = { usernameFragment: '289b31b754eaa438', password: '0b66f472495ef0ccac7bda653ab6be49' }

t.test('a fragment of trickle ICE', async t => {
  const expected = {
    ice: CLIENT,
    candidates: 2,
    isEnd: true,
    context: ['a=group:BUNDLE 0 1', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=mid:0']
  }
  t.strictSame(parseFragment(TRICKLE), expected)
  t.strictSame(parseFragment(TRICKLE.replaceAll('\n', '\r\n')), expected, 'lines that end with CRLF')
  t.strictSame(parseFragment(TRICKLE.trimEnd()), expected, 'no line end at the end')
})

t.test('credentials before the media section, and several sections', async t => {
  const lines = [
    'a=ice-ufrag:EsAw',
    'a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1',
    'm=audio 9 RTP/AVP 0',
    'a=mid:0',
    'a=candidate:1 1 UDP 2122252543 0b3bf2f0.local 48323 typ host',
    'm=video 9 RTP/AVP 0',
    'a=mid:1',
    'a=candidate:2 1 UDP 2122252543 192.0.2.7 48324 typ host'
  ]
  t.match(parseFragment(lines.join('\n')), { ice: CLIENT, candidates: 2, context: ['m=audio 9 RTP/AVP 0', 'a=mid:0'] })
})

t.test('the end of candidates alone', async t => {
  t.match(parseFragment('a=end-of-candidates\r\n'), { ice: null, candidates: 0, isEnd: true })
})

for (const [what, text, refusal] of [
  ['no line of SDP', 'hello', /^invalid_sdp: Line 1: a line has to read/],
  ['a bad candidate', TRICKLE.replace('2122260223', 'x'), /^invalid_sdp: Line 6: its priority must be a number/],
  ['a bad media line', TRICKLE.replace('m=audio 9', 'm=audio'), /^invalid_sdp: Line 2: m= has less than 4 fields/],
  ['a ufrag with a space', TRICKLE.replace('EsAw\n', 'Es Aw\n'), /^invalid_sdp: Line 4: a=ice-ufrag has 1 to/],
  [
    'a ufrag without a password',
    TRICKLE.replace(/a=ice-pwd.*\n/, ''),
    /^invalid_sdp: One of a=ice-ufrag and a=ice-pwd/
  ],
  ['nothing', '\n', /^invalid_sdp: It has no a=ice-ufrag/],
  ['many candidates', TRICKLE + 'a=candidate:1 1 udp 1 192.0.2.1 1 typ host\n'.repeat(255), /more than 256 candidates/],
  ['many lines', 'a=x\n'.repeat(1001), /^invalid_sdp: It has more than 1000 lines/],
  ['many bytes', `a=${'x'.repeat(65_536)}`, /^too_large/]
] as const) {
  t.test(`refused: ${what}`, async t => {
    try {
      parseFragment(text)
      t.fail('accepted')
    } catch (error) {
      t.match(error instanceof AppError && `${error.code}: ${error.detail}`, refusal)
    }
  })
}

t.test('the reply to a restart has the new credentials and all candidates', async t => {
  t.strictSame(writeFragment(parseFragment(TRICKLE), OTHER_SERVER, TRANSPORT.iceCandidates).split('\r\n'), [
    'a=ice-lite',
    'a=ice-options:trickle ice2',
    'a=group:BUNDLE 0 1',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'a=mid:0',
    'a=ice-ufrag:289b31b754eaa438',
    'a=ice-pwd:0b66f472495ef0ccac7bda653ab6be49',
    'a=candidate:udpcandidate 1 udp 1076302079 192.0.2.99 44444 typ host',
    'a=candidate:tcpcandidate 1 tcp 1076276479 192.0.2.99 44444 typ host tcptype passive',
    'a=end-of-candidates',
    ''
  ])
})

t.test('an entity tag is strong, quoted, and another one after a restart of either side', async t => {
  const servers = [SERVER, OTHER_SERVER].map(credentialDigest)
  const tags = servers.flatMap(server => [CLIENT, OTHER_CLIENT].map(client => entityTag(server, client)))
  for (const tag of tags) t.match(tag, /^"[\w-]+\.[\w-]+"$/)
  t.equal(new Set(tags).size, 4)
})

t.test('what a PATCH asks for follows from If-Match and the credentials', async t => {
  const server = credentialDigest(SERVER)
  const tag = entityTag(server, CLIENT)
  const fragment = parseFragment(TRICKLE)
  const restart = { ...fragment, ice: OTHER_CLIENT }
  const bare = { ...fragment, ice: null }
  t.equal(patchIntent(tag, fragment, server), 'trickle')
  t.equal(patchIntent(tag, bare, server), 'trickle', 'candidates without credentials belong to the session')
  t.equal(patchIntent(tag.replaceAll('"', ''), fragment, server), 'trickle', 'a tag without its quotes')
  t.equal(patchIntent(`"other", ${tag}`, fragment, server), 'trickle', 'a list of tags')
  t.equal(patchIntent(tag, restart, server), 'restart', 'other credentials of the client')
  t.equal(patchIntent('*', restart, server), 'restart')
  t.equal(patchIntent('"*"', restart, server), 'restart', 'as the example of the RFC has it')
  t.equal(patchIntent('*', bare, server), 'trickle', 'nothing to restart with')
  t.throws(() => patchIntent(undefined, fragment, server), { code: 'precondition_required' })
  t.throws(() => patchIntent(tag, fragment, credentialDigest(OTHER_SERVER)), { code: 'precondition_failed' })
  t.throws(() => patchIntent(`W/${tag}`, fragment, server), { code: 'precondition_failed' }, 'a weak tag')
})
