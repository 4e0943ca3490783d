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

const good = sdp('F7gI')
const withOrigin = (value: string) => good.replace(/o=.*/, `o=${value}`)
const withUfrag = (ufrag: string) => good.replace(/a=ice-ufrag:.*/, `a=ice-ufrag:${ufrag}`)
const rejected = good.replace('m=application 9', 'm=application 0').replace(/a=ice-.*\r\n/g, '')

t.test('descriptions of browsers and other stacks are passed on byte for byte', async t => {
  const rows: readonly (readonly [what: string, text: string])[] = [
    ['CRLF', good],
    ['LF', good.replaceAll('\r\n', '\n')],
    ['both', good.replace('\r\n', '\n')],
    ['a negative session id', withOrigin('- -4611731400430051336 2 IN IP4 127.0.0.1')],
    ['a hexadecimal session id', withOrigin('- 0x5f3c 2 IN IP4 127.0.0.1')],
    ['a session id above 2^64', withOrigin('- 99999999999999999999 2 IN IP4 127.0.0.1')],
    ['a session id that is text', withOrigin('user session 2 IN IP6 ::1')],
    ['a space as the session name', good.replace('s=-', 's= ')],
    [
      'all lines of RFC 8866',
      good.replace(
        't=0 0',
        'i=x\r\nu=http://a\r\ne=a@b\r\np=+1\r\nc=IN IP4 1.2.3.4\r\nb=AS:1\r\nt=0 0\r\nr=1 2 3\r\nt=1 2'
      )
    ],
    ['a letter that RFC 8866 does not have, in a media section', good.concat('y=0100000001\r\n')],
    ['other media and protocols', good.replace('application 9 UDP/DTLS/SCTP', 'x-message 9/2 TCP/MSRP_x')],
    ['a ufrag of one character', withUfrag('a')],
    ['a ufrag of 256 characters', withUfrag('a'.repeat(256))],
    ['a ufrag of other characters than ice-chars', withUfrag('zlm_ab=-1')],
    ['text that is not ASCII', good.replace('s=-', 's=Türklingel')],
    ['a user name that is not ASCII', withOrigin('日本 1 2 IN IP4 127.0.0.1')],
    ...['\t', '\u000b', '\u00a0', '\u2028', '\ufeff'].map(
      space =>
        [`U+${space.charCodeAt(0).toString(16)} behind =`, good.replace('a=mid', `a=${space}x\r\na=mid`)] as const
    )
  ]
  for (const [what, text] of rows) t.equal(parseDescription(text).sdp, text, what)
})

t.test('the end is one line end', async t => {
  for (const end of ['\r\n', '\r\n\r\n', '\r\n\n\r\n', '\r\n  \r\n \t', '\r\n '])
    t.equal(parseDescription(good.trimEnd() + end).sdp, good, JSON.stringify(end))
  t.equal(parseDescription(good.trimEnd()).sdp, good, 'none')
  const lf = good.replaceAll('\r\n', '\n')
  t.equal(parseDescription(`${lf.trimEnd()}\n\n\n`).sdp, lf)
  t.equal(parseDescription(lf.trimEnd()).sdp, lf)
  t.equal(parseDescription(`${good}\r\n`).digest, parseDescription(good).digest, 'a retry')
})

t.test('rejected media sections need no ICE attributes', async t => {
  t.strictSame(parseDescription(rejected).ufrags, [])
  t.strictSame(parseDescription(good.concat('m=audio 0 UDP/TLS/RTP/SAVPF 0\r\na=mid:1\r\n')).ufrags, ['F7gI'])
  const second = rejected.concat('m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:1\r\n')
  t.throws(() => parseDescription(second), { code: 'invalid_sdp', detail: /^Line 8: .*no a=ice-ufrag line/ })
})

t.test('a refusal names the line and the reason', async t => {
  const rows: readonly (readonly [text: string, detail: RegExp, what: string])[] = [
    ['hello', /^Line 1: .*v=0/, 'plain text'],
    [' ', /^Line 1: .*v=0/, 'blank'],
    ['v=0', /no m= line/, 'nothing but a version'],
    [good.replace('v=0', 'v=1'), /^Line 1: .*v=0/, 'another version'],
    [`x=1\r\n${good}`, /^Line 1: .*v=0/, 'a line before the version'],
    [`\ufeff${good}`, /^Line 1: a byte order mark/, 'a byte order mark'],
    [good.replaceAll('\r\n', '\r'), /^Line 1: .*carriage return/, 'carriage returns only'],
    [good.replaceAll('\r\n', '\n\r'), /^Line 2: .*carriage return/, 'carriage returns behind the newlines'],
    [good.replace('v=0', 'v=0\0'), /^Line 1: .*NUL/, 'a NUL behind the version'],
    [`\r\n${good}`, /^Line 1: .*v=0/, 'a blank line before the version'],
    ['{"type":"offer","sdp":"v=0"}', /^Line 1: .*v=0/, 'JSON around it'],
    [JSON.stringify(good), /^Line 1: .*v=0/, 'quoted'],
    [good.replace('s=-', 'hello'), /^Line 3: .*<letter>=<value>/, 'a line that is none'],
    [good.replace('s=-', '=-'), /^Line 3: .*<letter>=<value>/, 'a line without a letter'],
    [good.replace('s=-', 'S=-'), /^Line 3: .*<letter>=<value>/, 'an upper-case letter'],
    [good.replace('s=-', 's='), /^Line 3: .*<letter>=<value>/, 'a line without a value'],
    [good.replace('a=mid', 'a= mid'), /^Line 9: .*<letter>=<value>/, 'a space behind ='],
    [good.replace('a=mid', ' a=mid'), /^Line 9: .*<letter>=<value>/, 'a space before the letter'],
    [good.replace('\r\ns=-', '\r\n\r\ns=-'), /^Line 3: .*blank/, 'a blank line'],
    [good.replace('\r\na=mid', '\r\n \r\na=mid'), /^Line 9: .*blank/, 'a blank line with a space in it'],
    [good.replace('\r\ns=-', '\rs=-'), /^Line 2: .*carriage return/, 'a bare carriage return'],
    [good.replace('s=-', 's=a\0b'), /^Line 3: .*NUL/, 'a NUL'],
    [good.replace(/o=.*\r\n/, ''), /^Line 2: .*no o= line/, 'no origin'],
    [good.replace(/s=.*\r\n/, ''), /^Line 3: .*no s= line/, 'no session name'],
    [good.replace(/t=.*\r\n/, ''), /^Line 4: .*no t= line/, 'no time'],
    [withOrigin('John Doe 1 2 IN IP4 127.0.0.1'), /^Line 2: .*7 fields instead of 6/, 'a user name with a space'],
    [withOrigin('- 1 2 IN IP4'), /^Line 2: .*5 fields instead of 6/, 'no address'],
    [good.replace('s=-', 's=-\r\ns=-'), /^Line 4: .*twice/, 'two session names'],
    [good.replace('t=0 0', 'a=x\r\nt=0 0'), /^Line 5: .*t= .*order/, 'an attribute before the time'],
    [good.replace('t=0 0', 't=0 0\r\nx=1'), /^Line 5: .*x=/, 'a letter that RFC 8866 does not have'],
    [good.slice(0, good.indexOf('m=')), /no m= line/, 'no media section'],
    [good.replace(' webrtc-datachannel', ''), /^Line 5: .*less than 4 fields/, 'no format'],
    [good.replace('application 9', 'application -9'), /^Line 5: .*port/, 'a negative port'],
    [good.replace('application 9', 'application 65536'), /^Line 5: .*port .*65535/, 'a port above 65535'],
    [good.replace(/a=ice-ufrag.*\r\n/, ''), /^Line 5: .*no a=ice-ufrag line/, 'no ufrag'],
    [withUfrag('a b'), /^Line 7: .*ufrag/, 'a ufrag with a space'],
    [withUfrag('abcd '), /^Line 7: .*ufrag/, 'a ufrag with a space behind it'],
    [withUfrag('ab\u00fcc'), /^Line 7: .*ufrag/, 'a ufrag that is not ASCII'],
    [withUfrag(''), /^Line 7: .*ufrag/, 'an empty ufrag'],
    [withUfrag('a'.repeat(257)), /^Line 7: .*256/, 'a ufrag of 257 characters']
  ]
  for (const [text, detail, what] of rows) t.throws(() => parseDescription(text), { code: 'invalid_sdp', detail }, what)
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

t.test('bounds are in bytes', async t => {
  const padded = (text: string) => sdp('F7gI').concat('a=x:', text, '\r\n')
  const room = 65_536 - padded('').length
  t.ok(parseDescription(padded('x'.repeat(room))))
  for (const text of ['x'.repeat(room + 1), 'ü'.repeat(room / 2 + 1)])
    t.throws(() => parseDescription(padded(text)), { code: 'too_large', detail: /65536 bytes/ })
  t.ok(parseDescription(padded('x'.repeat(room + 1)), 65_537), 'the bound is a setting')
  const largest = padded('x'.repeat(room))
  t.equal(parseDescription(`${largest}\r\n \r\n`).sdp, largest, 'blank lines that are removed do not count')
  const withoutEnd = padded('x'.repeat(room + 1)).trimEnd()
  t.throws(() => parseDescription(withoutEnd), { code: 'too_large' }, 'a line end that is added counts')
})
