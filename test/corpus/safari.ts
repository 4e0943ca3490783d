import { crlf, SHA_256, type Stack } from './stack.js'

export const SAFARI: Stack = {
  name: 'Safari',
  descriptions: [
    {
      name: 'offer',
      sdp: crlf(`v=0
o=- 3962746213872119104 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=msid-semantic: WMS 7C1F9A52-3D2B-4E6A-9F0C-1B2D3E4F5A6B
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:Lx4y
a=ice-pwd:Qz5WmT0uJcD1aVbNpR7sKf2H
a=ice-options:trickle
a=fingerprint:sha-256 ${SHA_256}
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:toffset
a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id
a=sendonly
a=msid:7C1F9A52-3D2B-4E6A-9F0C-1B2D3E4F5A6B 0D9E8F70-6A5B-4C3D-2E1F-0A9B8C7D6E5F
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 H264/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 nack pli
a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640c1f
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rid:1 send
a=rid:2 send
a=simulcast:send 1;2`)
    }
  ],
  candidates: [
    {
      candidate:
        'candidate:1467250027 1 udp 2122260223 8f3d6c1e-2b4a-4d5e-9f60-718293a4b5c6.local 55321 typ host generation 0 ufrag Lx4y network-cost 999',
      sdpMid: '0',
      sdpMLineIndex: 0,
      usernameFragment: 'Lx4y'
    },
    { candidate: '', sdpMid: '0', sdpMLineIndex: 0, usernameFragment: 'Lx4y' }
  ]
}
