import { crlf, SHA_256, type Stack } from './stack.js'

export const ZLMEDIAKIT: Stack = {
  name: 'ZLMediaKit',
  descriptions: [
    {
      name: 'answer with a ufrag of other characters than ice-chars',
      sdp: crlf(`v=0
o=- 1683184723 1683184723 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0
a=msid-semantic: WMS *
a=ice-lite
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:zlm_ab=-1
a=ice-pwd:bqR2cW8eZ5vTn1yUi3oPaS
a=fingerprint:sha-256 ${SHA_256}
a=setup:passive
a=mid:0
a=sendonly
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 H264/90000
a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=ssrc:1 cname:zlmediakit-rtp
a=candidate:udpcandidate 1 udp 120 192.0.2.90 8000 typ host
a=candidate:tcpcandidate 1 tcp 115 192.0.2.90 8000 typ host tcptype passive`)
    }
  ],
  candidates: [
    {
      candidate: 'candidate: 1 udp 120 192.0.2.90 8000 typ host ufrag zlm_ab=-1',
      sdpMid: '0',
      sdpMLineIndex: 0,
      usernameFragment: 'zlm_ab=-1'
    }
  ]
}
