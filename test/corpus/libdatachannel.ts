import { crlf, SHA_256, type Stack } from './stack.js'

export const LIBDATACHANNEL: Stack = {
  name: 'libdatachannel',
  descriptions: [
    {
      name: 'offer with the ICE attributes of the session',
      sdp: crlf(`v=0
o=rtc 3748295810 0 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=group:LS 0
a=msid-semantic:WMS *
a=ice-options:ice2,trickle
a=setup:actpass
a=ice-ufrag:qL3h
a=ice-pwd:8sTmNfQzXcVbA1jKpR0uYw
a=fingerprint:sha-256 ${SHA_256}
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:0
a=sendrecv
a=sctp-port:5000
a=max-message-size:262144`)
    }
  ],
  candidates: [
    { candidate: 'a=candidate:1 1 UDP 2122317823 192.0.2.40 50023 typ host', sdpMid: '0' },
    { candidate: 'candidate:2 1 UDP 1686109951 203.0.113.13 50023 typ srflx raddr 0.0.0.0 rport 0', sdpMid: '0' },
    { candidate: 'candidate:4 1 TCP 2105524479 2001:db8::40 9 typ host tcptype active', sdpMid: '0' }
  ]
}
