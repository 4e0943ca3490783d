// gst-plugin-webrtc 0.15 on GStreamer 1.22: whipclientsink with x264enc, and whepclientsrc, which names neither the channels of Opus nor a
// packetization mode, and has no header extensions.
import { feedback, rtx, SHA_256, sdpOf, type WhipOffer } from './offer.js'

const sessionOf = (sessionId: string) => `v=0
o=- ${sessionId} 0 IN IP4 0.0.0.0
s=-
t=0 0
a=ice-options:trickle
a=group:BUNDLE video0 audio1`

const TRANSPORT = `a=setup:actpass
a=ice-ufrag:iO96zm436g0x0Vu6Jej173P+VVo+daBP
a=ice-pwd:F/LC0bEcRVsnJXrLRIY+Wy04wWV7LaCF`

const MUX = `a=rtcp-mux
a=rtcp-rsize`

const end = (mid: string) => `a=mid:${mid}
a=fingerprint:sha-256 ${SHA_256}
a=rtcp-mux-only`

const CANDIDATES = `a=candidate:1 1 UDP 2015363327 192.0.2.2 47645 typ host
a=candidate:2 1 TCP 1015021823 192.0.2.2 9 typ host tcptype active
a=candidate:3 1 TCP 1010827519 192.0.2.2 47641 typ host tcptype passive
a=candidate:4 1 UDP 2015363583 fd00::2 35201 typ host`

const TRANSPORT_CC = 'a=extmap:1 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01'

const FEEDBACK = ['nack', 'nack pli', 'ccm fir', 'transport-cc']

const SINK_VIDEO = `m=video 9 UDP/TLS/RTP/SAVPF 96 98 99 100 101
c=IN IP4 0.0.0.0
${TRANSPORT}
${MUX}
a=sendonly
a=rtpmap:96 H264/90000
${feedback(96, ...FEEDBACK)}
${TRANSPORT_CC}
a=fmtp:96 packetization-mode=1;profile-level-id=42c01e;level-asymmetry-allowed=1
a=rtpmap:98 red/90000
a=rtpmap:99 ulpfec/90000
${rtx(100, 96)}
${rtx(101, 98)}
a=ssrc-group:FID 3870744440 2225163661
a=ssrc:3870744440 msid:user1737857814@host-86b70ef7 webrtctransceiver0
a=ssrc:3870744440 cname:user1737857814@host-86b70ef7
a=ssrc:2225163661 msid:user1737857814@host-86b70ef7 webrtctransceiver0
a=ssrc:2225163661 cname:user1737857814@host-86b70ef7
${end('video0')}
${CANDIDATES}`

const SINK_AUDIO = `m=audio 0 UDP/TLS/RTP/SAVPF 97
c=IN IP4 0.0.0.0
${TRANSPORT}
a=bundle-only
${MUX}
a=sendonly
a=rtpmap:97 OPUS/48000/2
a=rtcp-fb:97 transport-cc
${TRANSPORT_CC}
a=fmtp:97 sprop-stereo=0;sprop-maxcapturerate=48000
a=ssrc:3431269720 msid:user1737857814@host-86b70ef7 webrtctransceiver1
a=ssrc:3431269720 cname:user1737857814@host-86b70ef7
${end('audio1')}`

const SOURCE_CODECS = ['VP8', 'H264', 'VP9', 'H265', 'AV1']

const SOURCE_VIDEO = `m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99 100 102 103 104 105
c=IN IP4 0.0.0.0
${TRANSPORT}
${MUX}
a=recvonly
${SOURCE_CODECS.map((name, i) => `a=rtpmap:${96 + i} ${name}/90000\n${feedback(96 + i, ...FEEDBACK)}`).join('\n')}
a=fmtp:97 profile-level-id=42e016
a=rtpmap:102 red/90000
a=rtpmap:103 ulpfec/90000
${rtx(104, 96)}
${rtx(105, 102)}
${end('video0')}
${CANDIDATES}`

const SOURCE_AUDIO = `m=audio 0 UDP/TLS/RTP/SAVPF 101 106 107 108 109
c=IN IP4 0.0.0.0
${TRANSPORT}
a=bundle-only
${MUX}
a=recvonly
a=rtpmap:101 OPUS/48000
${feedback(101, 'nack', 'transport-cc')}
a=rtpmap:106 red/48000
a=rtpmap:107 ulpfec/48000
a=rtpmap:108 rtx/48000
a=fmtp:108 apt=101
a=rtpmap:109 rtx/48000
a=fmtp:109 apt=106
${end('audio1')}`

export const GSTREAMER_PUBLISHES: readonly WhipOffer[] = [
  { name: 'GStreamer whipclientsink', sdp: sdpOf(sessionOf('2625892482466704465'), SINK_VIDEO, SINK_AUDIO) }
]

export const GSTREAMER_VIEWS: readonly WhipOffer[] = [
  { name: 'GStreamer whepclientsrc', sdp: sdpOf(sessionOf('8762527652021217755'), SOURCE_VIDEO, SOURCE_AUDIO) }
]
