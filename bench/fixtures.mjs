// The signals of two browsers: an audio and video description as Chromium writes it (shortened to the codecs in use), and the
// candidates of a laptop behind NAT. Every candidate names the ufrag of its description. The foundation is a serial number, by
// which the load generator assigns an event to a message.

const UFRAG = { caller: 'EsAw', callee: 'kP2x' }

const PASSWORD = { caller: 'bP+XJMM09aR8AiX1jdukzR6Y', callee: 'q9Yc0mUrwT3fWlZkS7hVn1Gd' }

const FINGERPRINT = {
  caller: 'DA:39:A3:EE:5E:6B:4B:0D:32:55:BF:EF:95:60:18:90:AF:D8:07:09:4C:1E:2B:63:77:F1:0A:5D:2E:9B:C4:11',
  callee: '49:66:12:17:2A:E8:9F:30:0B:7D:C1:55:84:3E:A6:9D:6F:22:B8:01:EC:43:5A:97:18:D4:70:CB:3F:8E:29:06'
}

function mediaSection(side, { kind, mid, payloads, lines }) {
  return [
    `m=${kind} 9 UDP/TLS/RTP/SAVPF ${payloads}`,
    'c=IN IP4 0.0.0.0',
    'a=rtcp:9 IN IP4 0.0.0.0',
    `a=ice-ufrag:${UFRAG[side]}`,
    `a=ice-pwd:${PASSWORD[side]}`,
    'a=ice-options:trickle',
    `a=fingerprint:sha-256 ${FINGERPRINT[side]}`,
    `a=setup:${side === 'caller' ? 'actpass' : 'active'}`,
    `a=mid:${mid}`,
    'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
    'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
    'a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
    'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
    'a=sendrecv',
    `a=msid:8b1f7c1e-9d54-4a0b-b1c5-6f1b6d1f0a77 ${kind}-5f6c2f0e-0c9d-4f43-9f7b-2d5d3b1f4c10`,
    'a=rtcp-mux',
    ...lines,
    `a=ssrc:${1_372_840_116 + mid} cname:4TOk42mSjXCkVIa6`
  ]
}

function description(side, { video: withVideo }) {
  const audio = mediaSection(side, {
    kind: 'audio',
    mid: 0,
    payloads: '111 63 9 0 8 126',
    lines: [
      'a=rtpmap:111 opus/48000/2',
      'a=rtcp-fb:111 transport-cc',
      'a=fmtp:111 minptime=10;useinbandfec=1',
      'a=rtpmap:63 red/48000/2',
      'a=fmtp:63 111/111',
      'a=rtpmap:9 G722/8000',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:126 telephone-event/8000'
    ]
  })
  const video = mediaSection(side, {
    kind: 'video',
    mid: 1,
    payloads: '96 97 102 103',
    lines: [
      'a=rtcp-rsize',
      'a=rtpmap:96 VP8/90000',
      'a=rtcp-fb:96 goog-remb',
      'a=rtcp-fb:96 transport-cc',
      'a=rtcp-fb:96 ccm fir',
      'a=rtcp-fb:96 nack',
      'a=rtcp-fb:96 nack pli',
      'a=rtpmap:97 rtx/90000',
      'a=fmtp:97 apt=96',
      'a=rtpmap:102 H264/90000',
      'a=rtcp-fb:102 nack pli',
      'a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f',
      'a=rtpmap:103 rtx/90000',
      'a=fmtp:103 apt=102'
    ]
  })
  return `${[
    'v=0',
    `o=- ${side === 'caller' ? '4611731400430051336' : '7043158920931264017'} 2 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    `a=group:BUNDLE ${withVideo ? '0 1' : '0'}`,
    'a=extmap-allow-mixed',
    'a=msid-semantic: WMS 8b1f7c1e-9d54-4a0b-b1c5-6f1b6d1f0a77',
    ...audio,
    ...(withVideo ? video : [])
  ].join('\r\n')}\r\n`
}

/** The session description of each side, CRLF line ends. */
export const SDP = { caller: description('caller', { video: true }), callee: description('callee', { video: true }) }

/** The same without video. */
export const AUDIO_SDP = {
  caller: description('caller', { video: false }),
  callee: description('callee', { video: false })
}

// In the order in which a browser gathers them: host addresses (one hidden behind an mDNS name, one IPv6, one TCP), server reflexive, relayed.
const SHAPES = [
  '1 udp 2122260223 8d3c5e0a-7b1e-4a63-9f0e-2f6b1c9d4e57.local 54311 typ host generation 0',
  '1 udp 2122194687 192.168.178.34 61665 typ host generation 0',
  '1 udp 2122262783 2001:db8:3c4d:15:7d2e:9f41:6a0b:c2d8 50372 typ host generation 0',
  '1 tcp 1518280447 192.168.178.34 9 typ host tcptype active generation 0',
  '1 udp 1686052607 203.0.113.77 61665 typ srflx raddr 192.168.178.34 rport 61665 generation 0',
  '1 udp 1685987071 198.51.100.23 50372 typ srflx raddr 10.8.0.6 rport 50372 generation 0',
  '1 udp 41885439 192.0.2.150 49203 typ relay raddr 203.0.113.77 rport 61665 generation 0',
  '1 udp 25108223 192.0.2.151 52230 typ relay raddr 203.0.113.77 rport 61666 generation 0'
]

/** JSON text of one candidate, like that of RTCIceCandidate.toJSON(). `serial` becomes its foundation. */
export function candidateJson(side, serial) {
  const mid = serial & 1
  const shape = SHAPES[serial % SHAPES.length]
  const ufrag = UFRAG[side]
  return `{"candidate":"candidate:${serial} ${shape} ufrag ${ufrag} network-id 1 network-cost 10","sdpMid":"${mid}","sdpMLineIndex":${mid},"usernameFragment":"${ufrag}"}`
}

/** A host, a server-reflexive and a relayed candidate of the audio section. */
export const deviceCandidates = side => [1, 4, 6].map(i => `candidate:${i} ${SHAPES[i]} ufrag ${UFRAG[side]}`)

/** JSON text of an array of `count` candidates. Their serial numbers begin with `first`. */
export function candidatesJson(side, first, count) {
  let text = candidateJson(side, first)
  for (let i = 1; i < count; i++) text += `,${candidateJson(side, first + i)}`
  return `[${text}]`
}

/** The serial numbers of all candidates in an event's text. */
export function serialsIn(text) {
  const serials = []
  for (let at = text.indexOf('candidate:'); at >= 0; at = text.indexOf('candidate:', at + 10)) {
    serials.push(Number.parseInt(text.slice(at + 10, at + 21), 10))
  }
  return serials
}
