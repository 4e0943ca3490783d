// Variations of the corpus, for fast-check: one of its descriptions or candidates with up to two edits.
import fc, { type Arbitrary } from 'fast-check'
import type { CandidateInput, CandidateObject } from '../../src/schemas/signal.js'
import { STACKS } from './all.js'

/** Of a description or a candidate line. */
interface Edit {
  readonly name: string
  readonly apply: (text: string) => string
}

export interface Variation<T> {
  readonly what: string
  readonly value: T
}

const edit = (name: string, apply: Edit['apply']): Edit => ({ name, apply })

function applyAll(what: string, text: string, edits: readonly Edit[]): Variation<string> {
  const names = [what, ...edits.map(({ name }) => name)]
  return { what: names.join(', '), value: edits.reduce((edited, { apply }) => apply(edited), text) }
}

// ── Descriptions ──

const ORIGINS = [
  '- -4611731400430051336 2 IN IP4 127.0.0.1',
  '- 0x5f3c 2 IN IP4 127.0.0.1',
  '- 99999999999999999999 2 IN IP4 127.0.0.1',
  'user session version IN IP6 ::1',
  'John Doe 1 2 IN IP4 127.0.0.1',
  '- 1 2 IN IP4',
  '- 1 2 IN IP4 ',
  '-  1 2 IN IP4',
  '- 1 2 net type address'
]
const UFRAGS = [
  'a',
  'abc',
  'a'.repeat(256),
  'a'.repeat(257),
  'zlm_ab=-1',
  'a.b.c',
  'a b c',
  'abcd ',
  '',
  'abüc',
  'a#b_c'
]
const PORTS = ['0', '9', '65535', '65536', '99999', '-1', 'x', '', '9/2']
const ENDS = ['', '\n', '\r\n\r\n', '\r\n \r\n', ' \r\n', '\n\n\n', '\r\n\t\n']
const WITHOUT = ['ice-ufrag', 'ice-pwd', 'fingerprint', 'setup', 'mid', 'group', 'rtcp-mux', 'rtpmap']

const everyLine = (start: string, value: string) => (sdp: string) =>
  sdp.replace(new RegExp(`^${start}[^\\r\\n]*`, 'gm'), () => start + value)

const withoutAttribute = (name: string) => (sdp: string) =>
  sdp.replace(new RegExp(`^a=${name}\\b[^\\r\\n]*\\r?\\n`, 'gm'), '')

/** One of the media sections. */
const inSection = (nth: number, change: (section: string) => string) => (sdp: string) => {
  const [session = '', ...sections] = sdp.split(/(?=^m=)/m)
  const chosen = nth % Math.max(1, sections.length)
  return [session, ...sections.map((section, i) => (i === chosen ? change(section) : section))].join('')
}

const withPort = (port: string) => (section: string) => section.replace(/^(m=\S+) \S+/, `$1 ${port}`)
const rejected = (section: string) => withPort('0')(withoutAttribute('(?:ice-\\w+|fingerprint|setup)')(section))

/** Edits of one line: the line and the one behind it become these. */
const LINE_EDITS: Readonly<Record<string, (line: string, next: string) => readonly string[]>> = {
  dropped: (_, next) => [next],
  duplicated: (line, next) => [line, line, next],
  'swapped with the next': (line, next) => [next, line],
  'with a blank line behind it': (line, next) => [line, '', next],
  'with a line of spaces behind it': (line, next) => [line, '  ', next],
  'with an upper-case letter': (line, next) => [line.replace(/^./, letter => letter.toUpperCase()), next],
  'with another letter': (line, next) => [line.replace(/^./, 'y'), next],
  'with a space before it': (line, next) => [` ${line}`, next],
  'with a space behind it': (line, next) => [`${line} `, next],
  'with a space behind =': (line, next) => [line.replace('=', '= '), next],
  'with a tab behind =': (line, next) => [line.replace('=', '=\t'), next],
  'with a no-break space behind =': (line, next) => [line.replace('=', '=\u00a0'), next],
  'without =': (line, next) => [line.replace('=', ''), next],
  'without a value': (line, next) => [line.slice(0, 2), next],
  'with a NUL': (line, next) => [`${line}\0`, next],
  'with text that is not ASCII': (line, next) => [`${line}ü`, next],
  'with a bare carriage return': (line, next) => [`${line}\r${next}`],
  'with two carriage returns': (line, next) => [`${line}\r`, next],
  'cut short': (line, next) => [line.slice(0, Math.ceil(line.length / 2)), next]
}

const editLine = (name: string, nth: number) => (sdp: string) => {
  const lines = sdp.split('\r\n')
  const at = nth % Math.max(1, lines.length - 2)
  const [line = '', next = ''] = lines.slice(at, at + 2)
  return [...lines.slice(0, at), ...(LINE_EDITS[name]?.(line, next) ?? []), ...lines.slice(at + 2)].join('\r\n')
}

const descriptionEdit: Arbitrary<Edit> = fc.oneof(
  fc.constant(edit('LF', sdp => sdp.replaceAll('\r\n', '\n'))),
  fc.constant(edit('v=1', everyLine('v=', '1'))),
  fc.constant(edit('s= ', everyLine('s=', ' '))),
  fc.constant(edit('a byte order mark', sdp => `\ufeff${sdp}`)),
  fc.constant(edit('no media section', sdp => sdp.split(/^m=/m, 1)[0]?.replace(/^a=group.*\r?\n/gm, '') ?? '')),
  fc.constantFrom(...ENDS).map(end => edit(`ends with ${JSON.stringify(end)}`, sdp => sdp.trimEnd() + end)),
  fc.constantFrom(...ORIGINS).map(origin => edit(`o=${origin}`, everyLine('o=', origin))),
  fc.constantFrom(...UFRAGS).map(ufrag => edit(`ufrag ${ufrag.slice(0, 12)}`, everyLine('a=ice-ufrag:', ufrag))),
  fc.constantFrom(...WITHOUT).map(name => edit(`no ${name}`, withoutAttribute(name))),
  fc.nat({ max: 3 }).map(nth => edit(`section ${nth} rejected`, inSection(nth, rejected))),
  fc
    .tuple(fc.nat({ max: 3 }), fc.constantFrom(...PORTS))
    .map(([nth, port]) => edit(`section ${nth} with the port ${port}`, inSection(nth, withPort(port)))),
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom(...Object.keys(LINE_EDITS)), fc.nat({ max: 99 }))
      .map(([name, nth]) => edit(`line ${nth} ${name}`, editLine(name, nth)))
  },
  fc
    .nat({ max: 3000 })
    .map(length => edit(`cut after ${length}`, sdp => sdp.slice(0, Math.max(1, length % sdp.length))))
)

const DESCRIPTIONS = STACKS.flatMap(({ name: stack, descriptions }) =>
  descriptions.map(({ name, sdp }) => ({ what: `${stack}: ${name}`, value: sdp }))
)

export const descriptionVariation: Arbitrary<Variation<string>> = fc
  .tuple(fc.constantFrom(...DESCRIPTIONS), fc.array(descriptionEdit, { maxLength: 2 }))
  .map(([{ what, value }, edits]) => applyAll(what, value, edits))

// ── Candidates ──

/** What stands in place of a field of a candidate line, or of an extension. */
const FIELDS = [
  ...['', '0', '1', '2', '-1', '+1', '257', 'x', '65535', '65536', '4294967295', '4294967296', '99999999999'],
  ...['udp', 'UDP', 'tcp', 'ssltcp', 'tls', 'dccp', 'typ', 'host', 'HOST', 'srflx', 'prflx', 'relay', 'foo', 'relayed'],
  ...[
    '0.0.0.0',
    '192.0.2.1',
    '2001:db8::1',
    '[2001:db8::1]',
    'fe80::1%eth0',
    'a.example.com',
    'a_b.local',
    '<script>',
    'ü.example'
  ],
  ...['a-b_c=', 'x'.repeat(33), 'x'.repeat(300), 'a\tb', 'a\0b', 'a\r\nb', ' ']
]
const SUFFIXES = [
  '\r\n',
  '\n',
  ' ',
  '   ',
  '\r\n\r\n',
  '\t',
  ' generation 0',
  ' generation x',
  '  generation 0',
  ' odd',
  ' ufrag',
  ' ufrag a.b',
  ' raddr x rport 9',
  ' raddr 192.0.2.1 rport x',
  ' network-id x',
  ' network-cost 1000000'
]

const lineEdit: Arbitrary<Edit> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('a=', ' ', 'a= ', 'x', '\r\n')
      .map(text => edit(`${JSON.stringify(text)} before it`, line => text + line))
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('', 'CANDIDATE:', 'candidate: ')
      .map(text => edit(`begins with "${text}"`, line => line.replace('candidate:', text)))
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(...SUFFIXES).map(text => edit(`ends with ${JSON.stringify(text)}`, line => line + text))
  },
  {
    weight: 1,
    arbitrary: fc
      .nat({ max: 12 })
      .map(count => edit(`${count} fields`, line => line.split(' ').slice(0, count).join(' ')))
  },
  {
    weight: 6,
    arbitrary: fc.tuple(fc.nat({ max: 9 }), fc.constantFrom(...FIELDS)).map(([nth, text]) =>
      edit(`${JSON.stringify(text.slice(0, 40))} as field ${nth}`, line =>
        line
          .split(' ')
          .map((field, i) => (i !== nth ? field : i === 0 ? `candidate:${text}` : text))
          .join(' ')
      )
    )
  }
)

/** The members other than the line. `mid` stands for the mid of a media section that exists. */
const members = (mid: string): Arbitrary<object> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constant({ sdpMid: mid, sdpMLineIndex: 0 }) },
    fc.constantFrom<object[]>(
      {},
      { sdpMid: null, sdpMLineIndex: null },
      { sdpMid: null },
      { sdpMid: mid, sdpMLineIndex: null, usernameFragment: null },
      { sdpMLineIndex: 0, usernameFragment: '' },
      { sdpMid: '', sdpMLineIndex: 0 },
      { sdpMid: mid, usernameFragment: 'zlm_ab=-1' },
      { sdpMid: mid, sdpMLineIndex: 5, type: 'host', address: '192.0.2.1', port: 1, tcpType: null }
    )
  )

const LINES = STACKS.flatMap(({ name, candidates }) =>
  candidates.map(input => ({ what: name, value: (typeof input === 'string' ? input : input?.candidate) ?? null }))
)

/** `mid`: of the media section that candidates belong to. A bare line is always tried as one of its objects too. */
export const candidateVariation = (mid: string): Arbitrary<Variation<CandidateInput>> =>
  fc
    .tuple(fc.constantFrom(...LINES), fc.array(lineEdit, { maxLength: 2 }), members(mid), fc.nat({ max: 9 }))
    .map(([{ what, value: line }, edits, others, form]) => {
      const edited = line ? applyAll(what, line, edits) : { what, value: line }
      if (form === 0) return edited
      return {
        what: `${edited.what} ${JSON.stringify(others)}`,
        value: { candidate: edited.value, ...others } as CandidateObject
      }
    })
