// Validation of session descriptions, and their ICE generation.
import t from 'tap'
import { parseDescription } from '../../src/domain/negotiation/sdp.js'
import { quickest } from '../helpers/quickest.js'
import { sdp } from '../helpers/sdp.js'

const twoSections = sdp('F7gI')
  .concat('m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\na=ice-ufrag:other\r\n')
  .replace('t=0 0', 't=0 0\r\na=group:BUNDLE 0')

t.test('the ufrags of a description are its ICE generation', async t => {
  t.strictSame(parseDescription(sdp('F7gI')).ufrags, ['F7gI'])
  t.strictSame(parseDescription(twoSections).ufrags, ['F7gI', 'other'], 'one for each section that is not bundled')
  t.strictSame(parseDescription(sdp('F7gI').replaceAll('\r\n', '\n')).ufrags, ['F7gI'], 'bare newlines are common')
  t.strictSame(parseDescription(sdp('F7gI').trimEnd()).ufrags, ['F7gI'], 'a missing last newline, too')
  t.strictSame(parseDescription(sdp('1234')).ufrags, ['1234'], 'digits stay text')
  const atTop = sdp('x').replace('a=ice-ufrag:x\r\n', '').replace('t=0 0', 't=0 0\r\na=ice-ufrag:top')
  t.strictSame(parseDescription(atTop).ufrags, ['top'], 'RFC 8839 allows it for the whole session')
})

t.test('different descriptions have different digests', async t => {
  t.equal(parseDescription(sdp('a')).digest, parseDescription(sdp('a')).digest)
  t.not(parseDescription(sdp('a')).digest, parseDescription(sdp('b')).digest)
  t.not(parseDescription(sdp('a', 1)).digest, parseDescription(sdp('a', 2)).digest)
})

t.test('invalid descriptions are refused', async t => {
  const good = sdp('F7gI')
  const bad: [string, string][] = [
    ['hello', 'plain text'],
    [' ', 'blank'],
    ['v=0', 'nothing but a version'],
    ['v=0\r\n', 'nothing but a version line'],
    [good.replace('v=0', 'v=1'), 'another version'],
    [`x=1\r\n${good}`, 'something before the version'],
    [good.replace('s=-', 'hello'), 'a line that is none'],
    [good.replace('s=-', '=-'), 'a line without a letter'],
    [good.replace('\r\ns=-', '\r\n\r\ns=-'), 'an empty line'],
    [good.replace('\r\ns=-', '\rs=-'), 'a bare carriage return'],
    [good.replace(/o=.*\r\n/, ''), 'no origin'],
    [good.slice(0, good.indexOf('m=')), 'no media section'],
    [good.replace(/a=ice-ufrag.*\r\n/, ''), 'no ufrag'],
    [good.replace('a=ice-ufrag:F7gI', 'a=ice-ufrag:'), 'an empty ufrag'],
    ['{"type":"offer","sdp":"v=0"}', 'JSON around it'],
    [JSON.stringify(good), 'quoted']
  ]
  for (const [text, why] of bad) t.throws(() => parseDescription(text), { code: 'invalid_sdp' }, why)
})

t.test('a description of 64 KiB is parsed quickly', async t => {
  const large = sdp('F7gI').concat('a=x:'.padEnd(1000, 'y').concat('\r\n').repeat(65))
  const lines = sdp('F7gI').concat('a=b\r\n'.repeat(13_000))
  for (const text of [large, lines, `v=0\r\n${'a='.repeat(32_000)}`, 'v=0\n'.repeat(16_000)]) {
    const start = process.cpuUsage()
    try {
      parseDescription(text)
    } catch (error) {
      t.match(error, { code: 'invalid_sdp' })
    }
    t.ok(process.cpuUsage(start).user < 1_000_000, `${text.length} characters`)
  }
})

const media = (ufrag: string) => `m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:${ufrag}\r\n`
const sections = (count: number) => sdp('first').concat(...Array.from({ length: count - 1 }, (_, i) => media(`u${i}`)))

t.test('a description has at most 64 lines with a ufrag', async t => {
  t.equal(parseDescription(sections(64)).ufrags.length, 64)
  const line = sections(64).split('\r\n').length + 1
  t.throws(() => parseDescription(sections(65)), { code: 'invalid_sdp', detail: new RegExp(`^Line ${line}: .*64`) })
  const same = sdp('F7gI').concat('a=ice-ufrag:F7gI\r\n'.repeat(64))
  t.throws(() => parseDescription(same), { code: 'invalid_sdp' }, 'also when they are all the same')
})

t.test('any text is accepted or refused within 5 ms', async t => {
  const long = (text: string) => text.repeat(Math.floor(60_000 / text.length))
  const odd = [
    sdp('first').concat(...Array.from({ length: 3600 }, (_, i) => `a=ice-ufrag:${i}\r\n`)),
    sdp('F7gI').concat(long('a=ice-ufrag: \r\n')),
    `v=0\r\no=${long('1 ')}\r\n`,
    `v=0\r\no=- ${long('1')} ${'1'.repeat(5000)}`,
    long('v=0\r\no=- 1 1 IN IP4 x \r\n'),
    long('v=0\n').concat('x'),
    `v=0\r\n${long('\r')}`,
    `v=0\r\nm=audio 9 ${long('a/')}`,
    long('m=audio 9 x\r\n')
  ]
  for (const text of odd) {
    const ms = quickest(() => parseDescription(text))
    t.ok(ms < 5, `${ms.toFixed(1)} ms for ${JSON.stringify(text.slice(0, 30))}`)
  }
})

t.test('a refusal names the line and the reason', async t => {
  const good = sdp('F7gI')
  const cases = [
    [good.replace('v=0', 'v=1'), /^Line 1: .*v=0/],
    [good.replace('s=-', 'hello'), /^Line 3: .*<letter>=<value>/],
    [good.replace('\r\ns=-', '\rs=-'), /^Line 2: /],
    [good.replace(/o=.*\r\n/, ''), /no o= line/],
    [good.slice(0, good.indexOf('m=')), /no m= line/],
    [good.replace(/a=ice-ufrag.*\r\n/, ''), /no a=ice-ufrag line/]
  ] as const
  for (const [text, detail] of cases) t.throws(() => parseDescription(text), { code: 'invalid_sdp', detail })
})

t.test('bounds are in bytes', async t => {
  const padded = (text: string) => sdp('F7gI').concat('a=x:', text, '\r\n')
  const room = 65_536 - padded('').length
  t.ok(parseDescription(padded('x'.repeat(room))))
  for (const text of ['x'.repeat(room + 1), 'ü'.repeat(room / 2 + 1)])
    t.throws(() => parseDescription(padded(text)), { code: 'too_large' })
})
