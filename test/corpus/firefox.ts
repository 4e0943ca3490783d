import { crlf, SHA_256, type Stack } from './stack.js'

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

const AUDIO = `m=audio 9 UDP/TLS/RTP/SAVPF 109 0 8 101
c=IN IP4 0.0.0.0
a=sendrecv
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
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000/1
a=setup:actpass
a=ssrc:3182745062 cname:{5d6e7f80-91a2-4b3c-8d4e-5f60718293a4}`

const DATA = `m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=sendrecv
${ICE}
a=mid:1
a=setup:actpass
a=sctp-port:5000
a=max-message-size:1073741823`

/** A bundle-only section has port 0 and is not rejected (RFC 8843 section 6). */
const BUNDLE_ONLY = `m=video 0 UDP/TLS/RTP/SAVPF 120
c=IN IP4 0.0.0.0
a=bundle-only
a=sendrecv
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
${ICE}
a=mid:1
a=rtcp-mux
a=rtpmap:120 VP8/90000
a=setup:actpass`

const candidate = (line: string) => ({
  candidate: line,
  sdpMid: '0',
  sdpMLineIndex: 0,
  usernameFragment: '9f3c1d2e'
})

export const FIREFOX: Stack = {
  name: 'Firefox',
  descriptions: [
    { name: 'offer', sdp: crlf(`${SESSION}\n${AUDIO}\n${DATA}`) },
    { name: 'offer with a bundle-only section', sdp: crlf(`${SESSION}\n${AUDIO}\n${BUNDLE_ONLY}`) },
    { name: 'answer', sdp: crlf(`${SESSION}\n${AUDIO}\n${DATA}`.replaceAll('a=setup:actpass', 'a=setup:active')) }
  ],
  candidates: [
    candidate('candidate:0 1 UDP 2122252543 0b3bf2f0-6d0a-4a6b-9c4f-3f1f5f4a9a3e.local 48323 typ host'),
    candidate('candidate:2 1 TCP 2105524479 0b3bf2f0-6d0a-4a6b-9c4f-3f1f5f4a9a3e.local 9 typ host tcptype active'),
    candidate('candidate:1 1 UDP 1686052863 203.0.113.5 48323 typ srflx raddr 0.0.0.0 rport 0'),
    candidate(''),
    null
  ]
}
