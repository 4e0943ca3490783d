// The syntax of candidates: which forms are accepted, the canonical form of each, and what a refusal names.
import t from 'tap'
import { readCandidates, ufragOf } from '../../src/domain/negotiation/candidate.js'
import type { Candidate, CandidateInput } from '../../src/schemas/signal.js'
import { quickest } from '../helpers/quickest.js'
import { candidate } from '../helpers/sdp.js'

const LINE = 'candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host'
const read = (...candidates: CandidateInput[]) => readCandidates({ candidates })
const withLine = (line: string) => ({ candidate: line, sdpMid: '0' })

t.test('every form that platforms make is read as one canonical form', async t => {
  const object = { candidate: LINE, sdpMid: '0', sdpMLineIndex: 0, usernameFragment: 'F7gI' }
  const members = { foundation: '1', component: 'rtp', priority: 1, address: '192.0.2.1', protocol: 'udp', port: 5000 }
  const rows: readonly (readonly [what: string, input: CandidateInput, canonical: Candidate])[] = [
    ['as it is', object, object],
    [
      'every member of an RTCIceCandidate',
      { ...object, ...members, type: 'host', tcpType: null } as object as CandidateInput,
      object
    ],
    ['a null sdpMid', { ...object, sdpMid: null }, { candidate: LINE, sdpMLineIndex: 0, usernameFragment: 'F7gI' }],
    [
      'a null index and ufrag',
      { candidate: LINE, sdpMid: '0', sdpMLineIndex: null, usernameFragment: null },
      withLine(LINE)
    ],
    ['a bare line', LINE, { candidate: LINE, sdpMLineIndex: 0 }],
    ['a line of a session description', `a=${LINE}\r\n`, { candidate: LINE, sdpMLineIndex: 0 }],
    ['a= before it', withLine(`a=${LINE}`), withLine(LINE)],
    ['CRLF behind it', withLine(`${LINE}\r\n`), withLine(LINE)],
    ['LF behind it', withLine(`${LINE}\n`), withLine(LINE)],
    ['spaces behind it', withLine(`${LINE}  `), withLine(LINE)],
    ['the longest mid', { candidate: LINE, sdpMid: 'ü'.repeat(128) }, { candidate: LINE, sdpMid: 'ü'.repeat(128) }],
    [
      'the longest ufrag',
      { candidate: LINE, sdpMLineIndex: 65535, usernameFragment: 'a'.repeat(256) },
      { candidate: LINE, sdpMLineIndex: 65535, usernameFragment: 'a'.repeat(256) }
    ],
    ['an empty mid', { candidate: LINE, sdpMid: '' }, { candidate: LINE, sdpMid: '' }],
    ['the end of a media section', withLine(''), withLine('')],
    ['the end of a media section, as null', { candidate: null, sdpMLineIndex: 1 }, { candidate: '', sdpMLineIndex: 1 }]
  ]
  for (const [what, input, canonical] of rows)
    t.strictSame(read(input), { candidates: [canonical], end: false, positions: [0], rejected: [] }, what)
})

t.test('null, and an empty candidate of no media section, mean the end of candidates', async t => {
  const ends: CandidateInput[] = [
    null,
    '',
    { candidate: null },
    { candidate: '' },
    { candidate: '', sdpMid: null, sdpMLineIndex: null }
  ]
  for (const end of ends) {
    t.strictSame(read(end), { candidates: [], end: true, positions: [], rejected: [] }, JSON.stringify(end))
    t.match(read(candidate(1), end), { candidates: [candidate(1)], end: true })
    t.match(read(end, candidate(1)), { candidates: [candidate(1)], end: false, positions: [1] }, 'others follow it')
  }
  t.match(readCandidates({ end: true }), { candidates: [], end: true })
  t.match(readCandidates({ candidates: [] }), { candidates: [], end: false })
  t.throws(() => readCandidates({}), { code: 'invalid_request', detail: /candidates or end/ })
})

t.test('lines of browsers and other stacks are accepted', async t => {
  const lines = [
    'candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 10.0.0.17 rport 46154 generation 0 ufrag F7gI network-cost 999',
    'candidate:1 1 UDP 2130706431 192.0.2.1 5000 typ host',
    'candidate:1 2 UDP 2130706431 192.0.2.1 5000 typ host',
    'candidate:1 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active',
    'candidate:4 1 udp 41885439 2001:db8::7 50001 typ relay raddr 2001:db8::1 rport 50000',
    'candidate:0 1 UDP 2122252543 0b3bf2f0-6d0a-4a6b-9c4f-3f1f5f4a9a3e.local 48323 typ host',
    'candidate:1+/ 1 udp 1 fe80::1%eth0 0 typ prflx',
    'candidate:1 256 udp 4294967295 192.0.2.1 65535 typ host',
    'candidate: 1 udp 2130706431 192.0.2.1 5000 typ host',
    'candidate:udp-host_1= 1 udp 2130706431 192.0.2.1 5000 typ host',
    'candidate:1 1 udp 1 192.0.2.1 5000 typ host ufrag zlm_ab=-1',
    'candidate:1 1 udp 1 192.0.2.1 5000 typ host  generation 0',
    'candidate:1 1 udp 1 192.0.2.1 5000 typ host ufrag'
  ]
  for (const line of lines) t.match(read(withLine(line)), { candidates: [{ candidate: line }] }, line)
})

t.test('a refusal names the candidate and what is wrong with it', async t => {
  const rows: readonly (readonly [input: CandidateInput, detail: RegExp])[] = [
    [{ candidate: LINE }, /sdpMid and sdpMLineIndex are both missing or null/],
    [{ candidate: LINE, sdpMid: null, sdpMLineIndex: null }, /sdpMid and sdpMLineIndex are both missing or null/],
    [{ ...withLine(LINE), sdpMid: 'm'.repeat(129) }, /sdpMid must be at most 128 characters/],
    [{ ...withLine(LINE), sdpMid: '0\r\na=x' }, /sdpMid must be .* one line/],
    [{ ...withLine(LINE), sdpMid: '0\0' }, /sdpMid must be .* one line/],
    [{ candidate: LINE, sdpMLineIndex: -1 }, /sdpMLineIndex must be .* 65535/],
    [{ candidate: LINE, sdpMLineIndex: 65536 }, /sdpMLineIndex must be .* 65535/],
    [{ ...withLine(LINE), usernameFragment: 'a b' }, /usernameFragment must be .* visible/],
    [{ ...withLine(LINE), usernameFragment: 'ü' }, /usernameFragment must be .* visible/],
    [{ ...withLine(LINE), usernameFragment: 'a'.repeat(257) }, /usernameFragment must be at most 256/],
    [{ ...withLine(''), usernameFragment: 'a b' }, /usernameFragment must be/],
    ['hello', /must begin with "candidate:"/],
    [' ', /must begin with "candidate:"/],
    [withLine('\r\n'), /must begin with "candidate:"/],
    [withLine(` ${LINE}`), /must begin with "candidate:"/],
    [withLine('1 1 udp 1 192.0.2.1 5000 typ host'), /must begin with "candidate:"/],
    [withLine(`x${LINE}`), /must begin with "candidate:"/],
    [withLine('candidate:'), /no component/],
    [withLine(`candidate:${'1'.repeat(33)} 1 udp 1 192.0.2.1 5000 typ host`), /foundation .*32/],
    [withLine('candidate:1 257 udp 1 192.0.2.1 5000 typ host'), /component .*256/],
    [withLine('candidate:1 -1 udp 1 192.0.2.1 5000 typ host'), /component/],
    [withLine('candidate:1 1  udp 1 192.0.2.1 5000 typ host'), /transport/],
    [withLine('candidate:1 1 udp 4294967296 192.0.2.1 5000 typ host'), /priority .*2\^32/],
    [withLine('candidate:1 1 udp -1 192.0.2.1 5000 typ host'), /priority/],
    [withLine('candidate:1 1 udp 1 <script> 5000 typ host'), /address/],
    [withLine('candidate:1 1 udp 1 192.0.2.1 65536 typ host'), /port .*65535/],
    [withLine('candidate:1 1 udp 1 192.0.2.1'), /no port/],
    [withLine('candidate:1 1 udp 1 192.0.2.1 5000'), /no seventh field/],
    [withLine('candidate:1 1 udp 1 192.0.2.1 5000 type host'), /seventh field .*"typ"/],
    [withLine('candidate:1 1 udp 1 192.0.2.1 5000 typ'), /no type/],
    [withLine('candidate:1 1 udp 1 192.0.2.1 5000 typ HOST'), /type/],
    [withLine(`${LINE} note a\tb`), /control character/],
    [withLine(`${LINE} note a\r\n${LINE}`), /control character/],
    [withLine(`${LINE}\r\n${LINE}`), /type/]
  ]
  for (const [input, detail] of rows) {
    t.throws(() => read(input), { code: 'invalid_candidate', detail }, JSON.stringify(input))
    const { candidates, positions, rejected = [] } = read(candidate(1), input, candidate(2))
    t.strictSame({ candidates, positions }, { candidates: [candidate(1), candidate(2)], positions: [0, 2] })
    t.match(rejected, [{ index: 1, code: 'invalid_candidate', detail: /^candidates\[1\]: / }])
  }
})

t.test('a candidate has at most 1 KiB, in bytes', async t => {
  const large = withLine(`${LINE} note ${'ü'.repeat(500)}`)
  t.throws(() => read(large), { code: 'too_large', detail: /^candidates\[0\] .*1024 bytes/ })
  t.match(read(candidate(1), large), { rejected: [{ index: 1, code: 'too_large' }] })
  t.ok(quickest(() => read(withLine(`${LINE}${' x'.repeat(480)}\t`))) < 5)
})

t.test('the ufrag of a candidate is in usernameFragment or in its line', async t => {
  t.equal(ufragOf({ candidate: LINE, usernameFragment: 'F7gI' }), 'F7gI')
  t.equal(ufragOf({ candidate: `${LINE} generation 0 ufrag F7gI network-id 1` }), 'F7gI')
  t.equal(ufragOf({ candidate: `${LINE} ufrag one`, usernameFragment: 'two' }), 'two')
  t.equal(ufragOf({ candidate: LINE }), null)
  t.equal(ufragOf({ candidate: LINE, usernameFragment: '' }), null)
})
