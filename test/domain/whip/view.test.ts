// WHEP offers: what a viewer can receive, and the answer.
import { parse } from 'sdp-transform'
import t from 'tap'
import { answerView, assignProducers, readView, type View } from '../../../src/domain/whip/view.js'
import type { RtpParameters } from '../../../src/schemas/sfu-rtp.js'
import { VIEWING_OFFERS } from '../../corpus/whip/all.js'
import { consumerFor, TRANSPORT } from '../../helpers/router-capabilities.js'

const sdpOf = (name: string): string => VIEWING_OFFERS.find(offer => offer.name === name)?.sdp ?? ''
const answer = (view: View, consumers: readonly (RtpParameters | null)[]): string =>
  answerView(view, consumers, { transport: TRANSPORT, sessionNumber: '1' })

/** Of a room where Opus and the given video are published. */
const consumersOf = ({ media }: View, video: string): (RtpParameters | null)[] =>
  media.map(({ kind, rtpCapabilities }, i) =>
    consumerFor(rtpCapabilities, kind === 'audio' ? 'audio/opus' : video, i * 10 + 7)
  )

const VIDEO_OF: Readonly<Record<string, string>> = { libdatachannel: 'video/H264' }

t.test('every offer of the corpus can be served, and the answer has its payload types', async t => {
  for (const { name, sdp } of VIEWING_OFFERS) {
    const view = readView(sdp)
    const text = answer(view, consumersOf(view, VIDEO_OF[name] ?? 'video/VP8'))
    for (const section of parse(text).media.filter(({ type }) => type !== 'application')) {
      t.equal(section.direction, 'sendonly', name)
      t.equal(section.ssrcs?.[0]?.attribute, 'cname', name)
      t.equal(section.msid?.[0]?.id, 'room', name)
    }
  }
})

t.test('capabilities name the payload types and the extension ids of the offer', async t => {
  const view = readView(sdpOf('Chromium, audio and video'))
  t.strictSame(
    view.media[0]?.rtpCapabilities.codecs.map(({ mimeType, preferredPayloadType, channels }) => [
      mimeType,
      preferredPayloadType,
      channels
    ]),
    [
      ['audio/opus', 111, 2],
      ['audio/G722', 9, 1],
      ['audio/PCMU', 0, 1],
      ['audio/PCMA', 8, 1]
    ]
  )
  const [vp8, rtx] = view.media[1]?.rtpCapabilities.codecs ?? []
  t.match(vp8, { mimeType: 'video/VP8', preferredPayloadType: 96, clockRate: 90000 })
  t.strictSame(rtx?.parameters, { apt: 96 })
  t.strictSame(
    view.media[0]?.rtpCapabilities.headerExtensions.map(({ preferredId }) => preferredId),
    [1, 2, 3, 4]
  )
})

t.test('extensions that the viewer only sends are none of its capabilities', async t => {
  const ids = readView(sdpOf('Firefox, audio and video')).media[1]?.rtpCapabilities.headerExtensions
  t.strictSame(
    ids?.map(({ preferredId }) => preferredId),
    [3, 4, 5, 6, 7]
  )
})

t.test('the section of a video, line by line', async t => {
  const view = readView(sdpOf('Chromium, audio and video'))
  const text = answer(view, consumersOf(view, 'video/H264'))
  t.strictSame(text.slice(text.indexOf('m=video')).trimEnd().split('\r\n').slice(7), [
    'a=mid:1',
    'a=extmap:14 urn:ietf:params:rtp-hdrext:toffset',
    'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
    'a=extmap:13 urn:3gpp:video-orientation',
    'a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
    'a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
    'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
    'a=sendonly',
    'a=rtcp-mux',
    'a=rtcp-mux-only',
    'a=rtcp-rsize',
    'a=rtpmap:102 H264/90000',
    'a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f',
    'a=rtcp-fb:102 goog-remb',
    'a=rtcp-fb:102 transport-cc',
    'a=rtcp-fb:102 ccm fir',
    'a=rtcp-fb:102 nack',
    'a=rtcp-fb:102 nack pli',
    'a=rtpmap:103 rtx/90000',
    'a=fmtp:103 apt=102',
    'a=msid:room video-1',
    'a=ssrc-group:FID 17 18',
    'a=ssrc:17 cname:d6omFfLIQvm1eXAp',
    'a=ssrc:18 cname:d6omFfLIQvm1eXAp'
  ])
})

t.test('what GStreamer leaves out: the channels of Opus, and the packetization mode of H.264', async t => {
  const view = readView(sdpOf('GStreamer whepclientsrc'))
  const [video, audio] = view.media
  t.match(audio?.rtpCapabilities.codecs[0], { mimeType: 'audio/OPUS', channels: 2 })
  const parameters = { 'profile-level-id': '42e016', 'packetization-mode': 1 }
  t.match(video?.rtpCapabilities.codecs[1], { mimeType: 'video/H264', parameters })
  const [, opus = null] = consumersOf(view, 'video/H264')
  const explicit = sdpOf('libdatachannel').replace('packetization-mode=1', 'packetization-mode=0')
  t.match(readView(explicit).media[1]?.rtpCapabilities.codecs[0], { parameters: { 'packetization-mode': 0 } })
  t.match(answer(view, [null, opus]), 'a=rtpmap:101 OPUS/48000/2\r\n')
})

t.test('each section gets the next producer of its kind', async t => {
  const { media } = readView(sdpOf('Chromium, two videos and a data channel'))
  const producers = [
    { kind: 'video', id: 'camera' },
    { kind: 'audio', id: 'microphone' },
    { kind: 'audio', id: 'music' }
  ] as const
  t.strictSame(
    assignProducers(media, producers).map(each => each?.id ?? null),
    ['microphone', 'camera', null]
  )
})

t.test('a section without a producer is rejected, but inactive if it carries the transport of all', async t => {
  const view = readView(sdpOf('Chromium, two videos and a data channel'))
  const [, camera = null] = consumersOf(view, 'video/VP8')
  const { media, groups } = parse(answer(view, [null, camera, null]))
  t.strictSame(
    media.map(({ type, port, direction, mid }) => [type, port, direction, mid]),
    [
      ['audio', 9, 'inactive', 0],
      ['video', 9, 'sendonly', 1],
      ['video', 0, 'inactive', 5],
      ['application', 0, 'inactive', 2]
    ]
  )
  t.strictSame(groups, [{ type: 'BUNDLE', mids: '0 1' }])
  for (const { fingerprint, iceUfrag, setup } of media) {
    t.ok(fingerprint && iceUfrag && setup, 'webrtcbin refuses an answer with a section that lacks one of these')
  }
})

t.test('what another client chose adds no line to the answer', async t => {
  const view = readView(sdpOf('Chromium, audio and video'))
  const [audio = null, video = null] = consumersOf(view, 'video/VP8')
  const rtcp = { cname: 'x\r\na=candidate:evil 1 udp 1 192.0.2.66 9 typ host' }
  const text = answer(view, [audio && { ...audio, rtcp }, video])
  t.notMatch(text, 'evil')
  t.match(text, 'a=ssrc:7 cname:signalpost\r\n')
})

t.test('a viewer learns that the publisher sends stereo', async t => {
  const view = readView(sdpOf('Chromium, audio and video'))
  const [audio = null] = consumersOf(view, 'video/VP8')
  const [opus] = audio?.codecs ?? []
  const stereo = audio && opus && { ...audio, codecs: [{ ...opus, parameters: { 'sprop-stereo': 1 } }] }
  t.match(answer(view, [stereo ?? null, null]), 'a=fmtp:111 minptime=10;useinbandfec=1;sprop-stereo=1\r\n')
})

t.test('a consumer with a payload type that was not offered is a fault of the media service', async t => {
  const view = readView(sdpOf('Chromium, audio and video'))
  const [audio = null] = consumersOf(view, 'video/VP8')
  const [opus] = audio?.codecs ?? []
  const other = audio && opus && { ...audio, codecs: [{ ...opus, payloadType: 100 }] }
  t.throws(() => answer(view, [other ?? null, null]), /the media service sends audio\/opus as 100/)
})
