// Firefox 139. Its sections after the first are bundle-only: port 0 is no rejection (RFC 8843 section 6).
import { feedback, SHA_256, sdpOf, type WhipOffer } from './offer.js'

const SESSION = `v=0
o=mozilla...THIS_IS_SDPARTA-139.0 6104938163823452354 0 IN IP4 0.0.0.0
s=-
t=0 0
a=fingerprint:sha-256 ${SHA_256}
a=group:BUNDLE 0 1
a=ice-options:trickle
a=msid-semantic:WMS *`

const ICE = `a=ice-pwd:2c5d0a4e1f3b6978a0b1c2d3e4f50617
a=ice-ufrag:9f3c1d2e`

const audio = (direction: string) => `m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101
c=IN IP4 0.0.0.0
a=${direction}
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
a=fmtp:101 0-15
${ICE}
a=mid:0
a=msid:{4b3e2f1a-0c9d-4e8f-a7b6-c5d4e3f2a1b0} {1a2b3c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d}
a=rtcp-mux
a=rtpmap:109 opus/48000/2
a=rtpmap:9 G722/8000/1
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000/1
a=setup:actpass
a=ssrc:3182745062 cname:{5d6e7f80-91a2-4b3c-8d4e-5f60718293a4}`

const FEEDBACK = ['nack', 'nack pli', 'ccm fir', 'goog-remb', 'transport-cc']

const video = (direction: string) => `m=video 0 UDP/TLS/RTP/SAVPF 120 124 121 125 126 127 123 122 119
c=IN IP4 0.0.0.0
a=bundle-only
a=${direction}
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:4 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:5 urn:ietf:params:rtp-hdrext:toffset
a=extmap:6/recvonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay
a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:8/sendonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=extmap:9/sendonly urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id
a=fmtp:126 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1
a=fmtp:120 max-fs=12288;max-fr=60
a=fmtp:124 apt=120
a=fmtp:121 max-fs=12288;max-fr=60
a=fmtp:125 apt=121
a=fmtp:127 apt=126
a=fmtp:119 apt=122
${ICE}
a=mid:1
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:120 VP8/90000
a=rtpmap:124 rtx/90000
a=rtpmap:121 VP9/90000
a=rtpmap:125 rtx/90000
a=rtpmap:126 H264/90000
a=rtpmap:127 rtx/90000
a=rtpmap:123 ulpfec/90000
a=rtpmap:122 red/90000
a=rtpmap:119 rtx/90000
${feedback(120, ...FEEDBACK)}
${feedback(121, ...FEEDBACK)}
${feedback(126, ...FEEDBACK)}
a=setup:actpass`

const SIMULCAST = `a=msid:{4b3e2f1a-0c9d-4e8f-a7b6-c5d4e3f2a1b0} {2b3c4d5e-6f7a-4b8c-9d0e-1f2a3b4c5d6e}
a=rid:high send
a=rid:mid send
a=rid:low send
a=simulcast:send high;mid;low
a=ssrc:2081923840 cname:{5d6e7f80-91a2-4b3c-8d4e-5f60718293a4}
a=ssrc:2514730662 cname:{5d6e7f80-91a2-4b3c-8d4e-5f60718293a4}
a=ssrc:1173204597 cname:{5d6e7f80-91a2-4b3c-8d4e-5f60718293a4}`

const SSRC = `a=ssrc:2081923840 cname:{5d6e7f80-91a2-4b3c-8d4e-5f60718293a4}
a=ssrc:2514730662 cname:{5d6e7f80-91a2-4b3c-8d4e-5f60718293a4}
a=ssrc-group:FID 2081923840 2514730662`

export const FIREFOX_PUBLISHES: readonly WhipOffer[] = [
  { name: 'Firefox, audio and video', sdp: sdpOf(SESSION, audio('sendonly'), video('sendonly'), SSRC) },
  { name: 'Firefox, simulcast', sdp: sdpOf(SESSION, audio('sendonly'), video('sendonly'), SIMULCAST) }
]

export const FIREFOX_VIEWS: readonly WhipOffer[] = [
  { name: 'Firefox, audio and video', sdp: sdpOf(SESSION, audio('recvonly'), video('recvonly')) }
]
