// The parser of event streams: each case whole, and split at every byte.
import t from 'tap'
import { type SseMessage, SseParser } from '../../packages/client/src/sse.js'

const message = (data: string, id: string | null = null) => ({ data, id })

/** HTML standard, section 9.2.6, and its examples. */
const CASES: readonly (readonly [name: string, text: string, messages: readonly SseMessage[]])[] = [
  ['a message', 'data: one\n\n', [message('one')]],
  ['type and id', 'event: call.incoming\nid: 42.k3f9p\ndata: {}\n\n', [message('{}', '42.k3f9p')]],
  ['lines end with CR LF', 'event: a\r\ndata: one\r\n\r\ndata: two\r\n\r\n', [message('one'), message('two')]],
  ['lines end with CR', 'event: a\rdata: one\r\rdata: two\r\r', [message('one'), message('two')]],
  [
    'line ends are mixed',
    'data: one\r\n\ndata: two\n\rdata: three\r\r\n',
    [message('one'), message('two'), message('three')]
  ],
  ['data of several lines', 'data: one\ndata: two\ndata\n\n', [message('one\ntwo\n')]],
  ['one space after the colon belongs to no value', 'data:one\n\ndata:  two\n\n', [message('one'), message(' two')]],
  ['a value has colons', 'data: a:b: c\n\n', [message('a:b: c')]],
  ['comments', ': keepalive\n\n:\ndata: one\n: two\n\n', [message('one')]],
  ['a message without data is none', 'event: a\nid: 1\n\ndata: two\n\n', [message('two')]],
  ['empty data', 'data\n\ndata:\n\n', [message(''), message('')]],
  ['unknown fields', 'data: one\ndatum: two\nfoo\n\n', [message('one')]],
  ['an id with NUL is ignored', 'id: a\0b\ndata: one\n\n', [message('one')]],
  ['an empty id', 'id\ndata: one\n\n', [message('one', '')]],
  ['a byte order mark', '\uFEFFdata: one\n\n', [message('one')]],
  ['letters of more than one byte', 'data: Grüße, 😀\r\n\r\n', [message('Grüße, 😀')]],
  ['a message without an end is none', 'data: one\n\ndata: two\n', [message('one')]],
  ['retry does not make a message', 'retry: 1200\n\n', []]
]

function parse(chunks: readonly Uint8Array[]): SseMessage[] {
  const decoder = new TextDecoder()
  const parser = new SseParser()
  return chunks.flatMap(chunk => parser.push(decoder.decode(chunk, { stream: true })))
}

for (const [name, text, messages] of CASES) {
  t.test(name, async t => {
    const bytes = new TextEncoder().encode(text)
    t.strictSame(parse([bytes]), messages)
    for (let at = 0; at <= bytes.length; at++) {
      const parsed = parse([bytes.subarray(0, at), bytes.subarray(at)])
      if (JSON.stringify(parsed) !== JSON.stringify(messages)) t.strictSame(parsed, messages, `split at byte ${at}`)
    }
    t.strictSame(parse(Array.from(bytes, byte => Uint8Array.of(byte))), messages, 'byte by byte')
  })
}

t.test('the last retry time counts, if it has digits only', async t => {
  const parser = new SseParser()
  t.equal(parser.retryMs, null)
  parser.push('retry: 1200\n')
  parser.push('retry: soon\nretry: -1\nretry:\n')
  t.equal(parser.retryMs, 1200)
})
