// Chromium 156, with bundlePolicy max-bundle. Some of its codecs are left out.
import { feedback, rtx, SHA_256, sdpOf, type WhipOffer } from './offer.js'

const session = (mids: string) => `v=0
o=- 3721493510706096892 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE ${mids}
a=extmap-allow-mixed
a=msid-semantic: WMS 601c429e-2dca-4c95-89fa-87351f240f29`

const TRANSPORT = `c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:aUI2
a=ice-pwd:xGxn9KzsJFjqsBaCoW9DU3cj
a=ice-options:trickle
a=fingerprint:sha-256 ${SHA_256}
a=setup:actpass`

const audio = (direction: string) => `m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
${TRANSPORT}
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=${direction}
a=rtcp-mux
a=rtcp-rsize
a=rtcp-xr:rcvr-rtt=all
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000`

const AUDIO_SSRC = `a=msid:601c429e-2dca-4c95-89fa-87351f240f29 62ea3561-459a-4dda-820e-040547e36840
a=ssrc:3853441836 cname:d6omFfLIQvm1eXAp
a=ssrc:3853441836 msid:601c429e-2dca-4c95-89fa-87351f240f29 62ea3561-459a-4dda-820e-040547e36840`

const FEEDBACK = ['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli']

const video = (
  direction: string,
  mid = '1'
) => `m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 108 109 45 46 98 99 100 101 118 119 120
${TRANSPORT}
a=mid:${mid}
a=extmap:14 urn:ietf:params:rtp-hdrext:toffset
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:13 urn:3gpp:video-orientation
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay
a=extmap:6 http://www.webrtc.org/experiments/rtp-hdrext/video-content-type
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id
a=${direction}
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
${feedback(96, ...FEEDBACK)}
${rtx(97, 96)}
a=rtpmap:102 H264/90000
${feedback(102, ...FEEDBACK)}
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
${rtx(103, 102)}
a=rtpmap:108 H264/90000
${feedback(108, ...FEEDBACK)}
a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
${rtx(109, 108)}
a=rtpmap:45 AV1/90000
${feedback(45, ...FEEDBACK)}
a=fmtp:45 level-idx=5;profile=0;tier=0
${rtx(46, 45)}
a=rtpmap:98 VP9/90000
${feedback(98, ...FEEDBACK)}
a=fmtp:98 profile-id=0
${rtx(99, 98)}
a=rtpmap:100 VP9/90000
${feedback(100, ...FEEDBACK)}
a=fmtp:100 profile-id=2
${rtx(101, 100)}
a=rtpmap:118 red/90000
${rtx(119, 118)}
a=rtpmap:120 ulpfec/90000`

const VIDEO_SSRC = `a=msid:601c429e-2dca-4c95-89fa-87351f240f29 76ed53fa-ef24-44fd-bd90-d4f5ede29566
a=ssrc-group:FID 4002968517 3183468292
a=ssrc:4002968517 cname:d6omFfLIQvm1eXAp
a=ssrc:3183468292 cname:d6omFfLIQvm1eXAp`

const DATA = `m=application 9 UDP/DTLS/SCTP webrtc-datachannel
${TRANSPORT.replace('a=rtcp:9 IN IP4 0.0.0.0\n', '')}
a=mid:2
a=sctp-port:5000
a=max-message-size:262144`

const SIMULCAST = `a=msid:601c429e-2dca-4c95-89fa-87351f240f29 76ed53fa-ef24-44fd-bd90-d4f5ede29566
a=rid:a send
a=rid:b send
a=rid:c send
a=simulcast:send a;b;c`

export const CHROMIUM_PUBLISHES: readonly WhipOffer[] = [
  {
    name: 'Chromium, audio and video',
    sdp: sdpOf(session('0 1'), audio('sendonly'), AUDIO_SSRC, video('sendonly'), VIDEO_SSRC)
  },
  {
    name: 'Chromium, simulcast',
    sdp: sdpOf(session('0 1'), audio('sendonly'), AUDIO_SSRC, video('sendonly'), SIMULCAST)
  },
  {
    name: 'Chromium, a data channel and a camera in both directions',
    sdp: sdpOf(session('0 1 2'), audio('recvonly'), video('sendrecv'), VIDEO_SSRC, DATA)
  }
]

export const CHROMIUM_VIEWS: readonly WhipOffer[] = [
  { name: 'Chromium, audio and video', sdp: sdpOf(session('0 1'), audio('recvonly'), video('recvonly')) },
  {
    name: 'Chromium, two videos and a data channel',
    sdp: sdpOf(session('0 1 5 2'), audio('recvonly'), video('recvonly'), video('recvonly', '5'), DATA)
  }
]
