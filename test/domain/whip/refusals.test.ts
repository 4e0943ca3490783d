// Offers that are refused, and what the refusal says.
import t from 'tap'
import { readPublication } from '../../../src/domain/whip/publication.js'
import { readView } from '../../../src/domain/whip/view.js'
import { AppError } from '../../../src/errors.js'
import { PUBLISHING_OFFERS, VIEWING_OFFERS } from '../../corpus/whip/all.js'
import { ROUTER } from '../../helpers/router-capabilities.js'

const sdpOf = (name: string): string => PUBLISHING_OFFERS.find(offer => offer.name === name)?.sdp ?? ''
const CHROMIUM = sdpOf('Chromium, audio and video')
const SIMULCAST = sdpOf('Chromium, simulcast')
const OBS = sdpOf('OBS 30')

function refusalOf(sdp: string, router = ROUTER): string {
  try {
    readPublication(sdp, { router })
    return 'accepted'
  } catch (error) {
    if (error instanceof AppError) return `${error.code}: ${error.detail}`
    throw error
  }
}

const NO_VIDEO = { ...ROUTER, codecs: ROUTER.codecs.filter(({ kind }) => kind === 'audio') }
const section = (sdp: string, index: number) => sdp.split(/(?=^m=)/m)[index + 1] ?? ''

const ROWS: readonly (readonly [what: string, sdp: string, refusal: string | RegExp])[] = [
  ['no SDP', 'hello', /^invalid_sdp: Line 1: /],
  ['a blank line inside', CHROMIUM.replace('s=-', 's=-\r\n'), /^invalid_sdp: Line 4: a blank line/],
  [
    'no media that is sent',
    CHROMIUM.replaceAll('sendonly', 'recvonly'),
    /^unsupported_offer: It has no section of audio or video/
  ],
  ['all sections rejected', CHROMIUM.replaceAll(/^(m=\w+) 9/gm, '$1 0'), /^unsupported_offer: It has no section/],
  [
    'ice-lite',
    CHROMIUM.replace('a=extmap-allow', 'a=ice-lite\r\na=extmap-allow'),
    /^unsupported_offer: It has a=ice-lite/
  ],
  [
    'no rtcp-mux',
    CHROMIUM.replace('a=rtcp-mux\r\n', ''),
    'unsupported_offer: Media section 1 (audio, mid "0"): it has no a=rtcp-mux (RFC 9725 section 4.4.1)'
  ],
  [
    'a bundle-only section, and no rtcp-mux in the first one',
    sdpOf('RFC 9725').replaceAll(/a=rtcp-mux.*\r\n/g, ''),
    /^unsupported_offer: Media section 1 .* it has no a=rtcp-mux/
  ],
  [
    'a payload type that is taken for RTCP',
    OBS.replace('SAVPF 96', 'SAVPF 72').replaceAll(/(rtpmap|rtcp-fb|fmtp):96/g, '$1:72'),
    /^unsupported_offer: Media section 2 .* \(it names none\)/
  ],
  [
    'plain RTP',
    CHROMIUM.replace('m=video 9 UDP/TLS/RTP/SAVPF', 'm=video 9 RTP/AVP'),
    'unsupported_offer: Media section 2 (video, mid "1"): its protocol RTP/AVP is not UDP/TLS/RTP/SAVPF (RFC 5764)'
  ],
  [
    'a section outside of the bundle',
    CHROMIUM.replace('BUNDLE 0 1', 'BUNDLE 0'),
    /^unsupported_offer: Media section 2 \(video, mid "1"\): it is not in the BUNDLE group/
  ],
  ['no BUNDLE', CHROMIUM.replace(/a=group.*\r\n/, ''), /^unsupported_offer: Media section 1 .* BUNDLE/],
  [
    'a mid twice',
    CHROMIUM.replace('a=mid:1', 'a=mid:0'),
    /^invalid_sdp: Media section 2 \(video, mid "0"\): another section/
  ],
  [
    'no ICE password',
    CHROMIUM.replaceAll(/a=ice-pwd.*\r\n/g, ''),
    /^invalid_sdp: Media section 1 .*a=ice-ufrag and a=ice-pwd/
  ],
  [
    'no fingerprint',
    CHROMIUM.replaceAll(/a=fingerprint.*\r\n/g, ''),
    /^invalid_sdp: Media section 1 .*no a=fingerprint/
  ],
  ['half a fingerprint', OBS.replace(':86:00:39', ''), /^invalid_sdp: Media section 1 .*no hash of sha-256/],
  ['MD5', OBS.replace('fingerprint:sha-256', 'fingerprint:md5'), /^unsupported_offer: .*is not known/],
  [
    'holdconn',
    OBS.replace('a=setup:actpass', 'a=setup:holdconn'),
    /^unsupported_offer: .*a=setup:holdconn opens no connection/
  ],
  [
    'an extension id with two meanings',
    CHROMIUM.replace('a=extmap:14 urn:ietf:params:rtp-hdrext:toffset', 'a=extmap:1 urn:ietf:params:rtp-hdrext:toffset'),
    /^invalid_sdp: Media section 2 .*a=extmap:1 is another extension/
  ],
  [
    'a RID that is not declared',
    SIMULCAST.replace('a=rid:b send\r\n', ''),
    /^invalid_sdp: Media section 2 .*names b, without a=rid/
  ],
  [
    'many RIDs',
    SIMULCAST.replace('send a;b;c', `send ${Array.from({ length: 9 }, (_, i) => i).join(';')}`),
    /^unsupported_offer: Media section 2 .*more than 8 RIDs/
  ],
  ['a RID twice', SIMULCAST.replace('send a;b;c', 'send a;a'), /^invalid_sdp: .*names a RID twice/],
  [
    'neither SSRC nor mid in packets',
    OBS.replaceAll(/a=ssrc:.*\r\n/g, ''),
    /^unsupported_offer: Media section 1 \(audio, mid "0"\): its packets cannot be recognized/
  ],
  [
    'many sections',
    OBS + 'm=audio 0 UDP/TLS/RTP/SAVPF 0\r\n'.repeat(31),
    /^invalid_sdp: It has more than 32 media sections/
  ],
  ['many lines', CHROMIUM + 'a=x\r\n'.repeat(2000), /^invalid_sdp: It has more than 2000 lines/],
  ['many bytes', `${CHROMIUM}a=${'x'.repeat(65536)}\r\n`, /^too_large/]
]

for (const [what, sdp, refusal] of ROWS) {
  t.test(`refused: ${what}`, async t => {
    if (typeof refusal === 'string') t.equal(refusalOf(sdp), refusal)
    else t.match(refusalOf(sdp), refusal)
  })
}

t.test('a section whose codecs the media server does not have makes the whole offer fail', async t => {
  t.equal(
    refusalOf(OBS, NO_VIDEO),
    'unsupported_offer: Media section 2 (video, mid "1"): the media server has none of its codecs (video/H264)'
  )
})

t.test('an H.264 profile that the router does not have is no common codec', async t => {
  t.match(refusalOf(OBS.replace('42e01f', '640c1f')), /^unsupported_offer: Media section 2/)
  t.match(refusalOf(OBS.replace('42e01f', '42c01f')), /^accepted/, 'the same profile under other constraints')
  t.match(refusalOf(OBS.replace('profile-level-id=42e01f;', '')), /^accepted/, 'the default profile')
  t.match(refusalOf(OBS.replace('42e01f', 'xyz')), /^unsupported_offer/)
})

t.test('ids that no packet can have (RFC 8285 sections 4 and 6) are no header extensions', async t => {
  for (const id of [0, 256, 4096, 99_999]) {
    const sdp = CHROMIUM.replaceAll('a=extmap:2 ', `a=extmap:${id} `)
    const { media } = readPublication(sdp, { router: ROUTER })
    t.notOk(
      media.some(({ rtpParameters }) => rtpParameters.headerExtensions.some(each => each.id === id)),
      `${id}`
    )
  }
})

t.test('nine sections that are sent are too many', async t => {
  const videos = Array.from({ length: 9 }, (_, i) => section(OBS, 1).replace('a=mid:1', `a=mid:v${i}`))
  const mids = videos.map((_, i) => `v${i}`).join(' ')
  t.match(
    refusalOf(OBS.replace(section(OBS, 1), videos.join('')).replace('BUNDLE 0 1', `BUNDLE ${mids}`)),
    /More than 8/
  )
})

t.test('a viewer has to offer to receive', async t => {
  const [{ sdp = '' } = {}] = VIEWING_OFFERS
  t.throws(() => readView(sdp.replaceAll('recvonly', 'sendonly')), { code: 'unsupported_offer' })
  t.throws(() => readView('v=0'), { code: 'invalid_sdp' })
})
