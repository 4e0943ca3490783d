// The example offers of RFC 9725 (Figure 2) and draft-ietf-wish-whep. What belongs to the transport is in the first section only (RFC 8843
// section 7.1.3), and no stream has an SSRC.
import { rtx, SHA_256, sdpOf, type WhipOffer } from './offer.js'

const SESSION = `v=0
o=- 5228595038118931041 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=extmap-allow-mixed
a=ice-options:trickle ice2`

const audio = (direction: string) => `m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:EsAw
a=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y
a=fingerprint:sha-256 ${SHA_256}
a=setup:actpass
a=mid:0
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=${direction}
a=rtcp-mux
a=rtcp-mux-only
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1`

const video = (direction: string) => `m=video 0 UDP/TLS/RTP/SAVPF 96 97
a=mid:1
a=bundle-only
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id
a=${direction}
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 ccm fir
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
${rtx(97, 96)}`

export const SPECIFICATION_PUBLISHES: readonly WhipOffer[] = [
  { name: 'RFC 9725', sdp: sdpOf(SESSION, audio('sendonly'), video('sendonly')) }
]

export const SPECIFICATION_VIEWS: readonly WhipOffer[] = [
  { name: 'the WHEP draft', sdp: sdpOf(SESSION, audio('recvonly'), video('recvonly')) }
]
