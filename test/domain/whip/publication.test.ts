// WHIP offers: what becomes of each section, and the answer.
import { parse } from 'sdp-transform'
import t from 'tap'
import { answerPublication, type Publication, readPublication } from '../../../src/domain/whip/publication.js'
import { PUBLISHING_OFFERS } from '../../corpus/whip/all.js'
import { ROUTER, TRANSPORT } from '../../helpers/router-capabilities.js'

const sdpOf = (name: string): string => PUBLISHING_OFFERS.find(offer => offer.name === name)?.sdp ?? ''
const read = (sdp: string): Publication => readPublication(sdp, { router: ROUTER })
const answer = (publication: Publication): string => answerPublication(publication, TRANSPORT, '1')

/** For each section: codecs with payload types, number of header extensions, encodings. */
function summary({ media, dtlsParameters }: Publication): string[] {
  const sections = media.map(({ mid, kind, rtpParameters: { codecs, headerExtensions, encodings, rtcp } }) => {
    const names = codecs.map(({ mimeType, payloadType }) => `${mimeType.replace(/.*\//, '')}=${payloadType}`)
    const streams = encodings.map(({ rid, ssrc, rtx }) => rid ?? (rtx ? `${ssrc}+${rtx.ssrc}` : (ssrc ?? 'mid')))
    return `${kind} ${mid}: ${names.join(' ')}, ${headerExtensions.length} extensions, ${streams.join(' ')}, ${rtcp.cname}`
  })
  return [`DTLS ${dtlsParameters.role}`, ...sections]
}

const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'Chromium, audio and video': [
    'DTLS client',
    'audio 0: opus=111, 4 extensions, 3853441836, d6omFfLIQvm1eXAp',
    'video 1: VP8=96 rtx=97, 8 extensions, 4002968517+3183468292, d6omFfLIQvm1eXAp'
  ],
  'Chromium, simulcast': [
    'DTLS client',
    'audio 0: opus=111, 4 extensions, 3853441836, d6omFfLIQvm1eXAp',
    'video 1: VP8=96 rtx=97, 8 extensions, a b c, undefined'
  ],
  'Chromium, a data channel and a camera in both directions': [
    'DTLS client',
    'video 1: VP8=96 rtx=97, 8 extensions, 4002968517+3183468292, d6omFfLIQvm1eXAp'
  ],
  'Firefox, audio and video': [
    'DTLS client',
    'audio 0: opus=109, 2 extensions, 3182745062, {5d6e7f80-91a2-4b3c-8d4e-5f60718293a4}',
    'video 1: VP8=120 rtx=124, 6 extensions, 2081923840+2514730662, {5d6e7f80-91a2-4b3c-8d4e-5f60718293a4}'
  ],
  'Firefox, simulcast': [
    'DTLS client',
    'audio 0: opus=109, 2 extensions, 3182745062, {5d6e7f80-91a2-4b3c-8d4e-5f60718293a4}',
    'video 1: VP8=120 rtx=124, 6 extensions, low mid high, {5d6e7f80-91a2-4b3c-8d4e-5f60718293a4}'
  ],
  'OBS 30': [
    'DTLS client',
    'audio 0: opus=111, 0 extensions, 1209441520, 5yTqZp0Lr8NwXa2K',
    'video 1: H264=96, 0 extensions, 1209441521, 5yTqZp0Lr8NwXa2K'
  ],
  'OBS 32, simulcast': [
    'DTLS client',
    'audio 0: opus=111, 0 extensions, 1209441520, 5yTqZp0Lr8NwXa2K',
    'video 1: H264=96, 2 extensions, 2 1 0, 5yTqZp0Lr8NwXa2K'
  ],
  'libdatachannel, a camera': ['DTLS client', 'video video: H264=102, 0 extensions, 42, video-send'],
  'simple-whip-client': [
    'DTLS client',
    'video video0: VP8=96, 0 extensions, 2, user1598140326@host-560c87e7',
    'audio audio1: opus=100, 0 extensions, 1, user1598140326@host-560c87e7'
  ],
  pion: [
    'DTLS client',
    'video 0: VP8=96 rtx=97, 0 extensions, 1837461029+2210453178, pion',
    'audio 1: opus=111, 0 extensions, 3301945268, pion'
  ],
  aiortc: [
    'DTLS client',
    'audio 0: opus=96, 2 extensions, 2901437165, c6d7e8f9-a0b1-4c2d-9e3f-40516273849a',
    'video 1: VP8=97 rtx=98, 2 extensions, 1409132771+3320918274, c6d7e8f9-a0b1-4c2d-9e3f-40516273849a'
  ],
  'GStreamer whipclientsink': [
    'DTLS client',
    'video video0: H264=96 rtx=100, 1 extensions, 3870744440+2225163661, user1737857814@host-86b70ef7',
    'audio audio1: opus=97, 1 extensions, 3431269720, user1737857814@host-86b70ef7'
  ],
  'RFC 9725': [
    'DTLS client',
    'audio 0: opus=111, 1 extensions, mid, undefined',
    'video 1: VP8=96 rtx=97, 3 extensions, mid, undefined'
  ]
}

t.test('every offer of the corpus becomes the producers that it describes', async t => {
  t.strictSame(
    PUBLISHING_OFFERS.map(({ name }) => name),
    Object.keys(EXPECTED)
  )
  for (const { name, sdp } of PUBLISHING_OFFERS) t.strictSame(summary(read(sdp)), EXPECTED[name], name)
})

t.test('the answer to Chromium, line by line', async t => {
  const text = answer(read(sdpOf('Chromium, simulcast')))
  t.matchOnly(text.trimEnd().split('\r\n'), [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0 1',
    'a=extmap-allow-mixed',
    'a=msid-semantic: WMS *',
    'a=ice-lite',
    'a=ice-options:trickle ice2',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'c=IN IP4 0.0.0.0',
    'a=rtcp:9 IN IP4 0.0.0.0',
    'a=ice-ufrag:p0qz7vabdp7jhcbt',
    'a=ice-pwd:z8ok2i3sc7vw5qtd9ub5lwbmsajnvrzw',
    /^a=fingerprint:sha-256 E5:/,
    'a=setup:passive',
    'a=candidate:udpcandidate 1 udp 1076302079 192.0.2.99 44444 typ host',
    'a=candidate:tcpcandidate 1 tcp 1076276479 192.0.2.99 44444 typ host tcptype passive',
    'a=end-of-candidates',
    'a=mid:0',
    'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
    'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
    'a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
    'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
    'a=recvonly',
    'a=rtcp-mux',
    'a=rtcp-mux-only',
    'a=rtcp-rsize',
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 minptime=10;useinbandfec=1',
    'a=rtcp-fb:111 transport-cc',
    'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
    'c=IN IP4 0.0.0.0',
    'a=rtcp:9 IN IP4 0.0.0.0',
    'a=ice-ufrag:p0qz7vabdp7jhcbt',
    'a=ice-pwd:z8ok2i3sc7vw5qtd9ub5lwbmsajnvrzw',
    /^a=fingerprint:sha-256 E5:/,
    'a=setup:passive',
    'a=mid:1',
    'a=extmap:14 urn:ietf:params:rtp-hdrext:toffset',
    'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
    'a=extmap:13 urn:3gpp:video-orientation',
    'a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
    'a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
    'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
    'a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
    'a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
    'a=recvonly',
    'a=rtcp-mux',
    'a=rtcp-mux-only',
    'a=rtcp-rsize',
    'a=rtpmap:96 VP8/90000',
    'a=rtcp-fb:96 transport-cc',
    'a=rtcp-fb:96 ccm fir',
    'a=rtcp-fb:96 nack',
    'a=rtcp-fb:96 nack pli',
    'a=rtpmap:97 rtx/90000',
    'a=fmtp:97 apt=96',
    'a=rid:a recv',
    'a=rid:b recv',
    'a=rid:c recv',
    'a=simulcast:recv a;b;c'
  ])
})

t.test('sections that send nothing, and data channels, are rejected', async t => {
  const { media, groups } = parse(answer(read(sdpOf('Chromium, a data channel and a camera in both directions'))))
  t.strictSame(
    media.map(({ type, port, direction, mid }) => [type, port, direction, mid]),
    [
      ['audio', 9, 'inactive', 0],
      ['video', 9, 'recvonly', 1],
      ['application', 0, 'inactive', 2]
    ]
  )
  t.strictSame(groups, [{ type: 'BUNDLE', mids: '0 1' }])
  t.ok(media[0]?.candidates, 'the first section of the BUNDLE group carries the transport, so it is inactive')
})

t.test(
  'an H.264 sender of single NAL units becomes a producer of packetization mode 1, and is answered mode 0',
  async t => {
    const publication = read(sdpOf('libdatachannel, a camera'))
    t.strictSame(publication.media[0]?.rtpParameters.codecs[0]?.parameters, {
      'profile-level-id': '42e01f',
      'packetization-mode': 1
    })
    t.match(answer(publication), 'a=fmtp:102 profile-level-id=42e01f\r\n')
  }
)

t.test('the DTLS roles follow a=setup', async t => {
  const sdp = sdpOf('OBS 30')
  const rolesOf = (line: string) => {
    const publication = read(sdp.replace('a=setup:actpass\r\n', line))
    return [publication.dtlsParameters.role, parse(answer(publication)).media[0]?.setup]
  }
  t.strictSame(rolesOf('a=setup:actpass\r\n'), ['client', 'passive'])
  t.strictSame(rolesOf('a=setup:active\r\n'), ['client', 'passive'])
  t.strictSame(rolesOf('a=setup:passive\r\n'), ['server', 'active'])
  t.strictSame(rolesOf(''), ['client', 'passive'], 'the default of RFC 4145')
})

t.test('RTX is left out where retransmissions could not be told from the media', async t => {
  const codecs = (sdp: string) =>
    read(sdp)
      .media.at(-1)
      ?.rtpParameters.codecs.map(({ payloadType }) => payloadType)
  const chromium = sdpOf('Chromium, audio and video')
  t.strictSame(codecs(chromium.replace(/a=ssrc-group.*\r\n/, '')), [96], 'no FID group')
  t.strictSame(codecs(sdpOf('Chromium, simulcast').replace(/a=extmap:11 .*\r\n/, '')), [96], 'no repaired RID')
  t.strictSame(codecs(chromium.replace(/a=ssrc(?:-group)?:.*\r\n/g, '')), [96, 97], 'one stream, known by its mid')
})

t.test('simulcast is ordered from the smallest picture to the largest', async t => {
  const order = (sdp: string) =>
    read(sdp)
      .media.at(-1)
      ?.rtpParameters.encodings.map(({ rid }) => rid)
  const chromium = sdpOf('Chromium, simulcast')
  const named = (...rids: readonly string[]) =>
    chromium
      .replace('a;b;c', rids.join(';'))
      .replace(/a=rid:a send\r\na=rid:b send\r\na=rid:c send/, rids.map(rid => `a=rid:${rid} send`).join('\r\n'))
  t.strictSame(order(chromium), ['a', 'b', 'c'], 'as listed: browsers begin with the smallest')
  t.strictSame(order(named('f', 'h', 'q')), ['q', 'h', 'f'], 'by known names')
  t.strictSame(order(named('h', 'm', 'l')), ['l', 'm', 'h'])
  const sized = chromium
    .replace('a=rid:a send', 'a=rid:a send max-width=1280;max-height=720')
    .replace('a=rid:b send', 'a=rid:b send pt=96;max-width=320;max-height=180')
    .replace('a=rid:c send', 'a=rid:c send max-width=640;max-height=360')
  t.strictSame(order(sized), ['b', 'c', 'a'], 'by their sizes')
  t.strictSame(order(sdpOf('OBS 32, simulcast')), ['2', '1', '0'], 'OBS begins with the largest')
})

t.test('SSRCs of a SIM group are simulcast, with their RTX', async t => {
  const sdp = sdpOf('Chromium, audio and video').replace(
    /a=ssrc-group:FID 4002968517 3183468292\r\n/,
    'a=ssrc-group:SIM 1 2\r\na=ssrc-group:FID 1 11\r\na=ssrc-group:FID 2 12\r\na=ssrc:1 cname:x\r\na=ssrc:2 cname:x\r\n'
  )
  t.strictSame(read(sdp).media[1]?.rtpParameters.encodings, [
    { ssrc: 1, rtx: { ssrc: 11 } },
    { ssrc: 2, rtx: { ssrc: 12 } }
  ])
})

t.test('a publisher that sends stereo is asked for it', async t => {
  const sdp = sdpOf('Chromium, audio and video').replace('minptime=10;', 'minptime=10;sprop-stereo=1;')
  t.match(answer(read(sdp)), 'a=fmtp:111 minptime=10;sprop-stereo=1;useinbandfec=1;stereo=1\r\n')
})
