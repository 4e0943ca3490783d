import { crlf, SHA_256, type Stack } from './stack.js'

export const ESP: Stack = {
  name: 'ESP32',
  descriptions: [
    {
      name: 'offer of a camera',
      sdp: crlf(`v=0
o=- 1495799811084970 1495799811084970 IN IP4 0.0.0.0
s=-
t=0 0
a=msid-semantic: iot
a=group:BUNDLE video datachannel
m=video 9 UDP/TLS/RTP/SAVPF 96
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=fmtp:96 profile-level-id=42e01f;level-asymmetry-allowed=1
a=rtpmap:96 H264/90000
a=ssrc:1 cname:webrtc-h264
a=sendonly
a=mid:video
c=IN IP4 0.0.0.0
a=rtcp-mux
a=fingerprint:sha-256 ${SHA_256}
a=setup:actpass
a=ice-ufrag:esp3
a=ice-pwd:A1b2C3d4E5f6G7h8I9j0K1l2
m=application 50712 UDP/DTLS/SCTP webrtc-datachannel
a=mid:datachannel
a=sctp-port:5000
c=IN IP4 0.0.0.0
a=max-message-size:262144
a=fingerprint:sha-256 ${SHA_256}
a=setup:actpass
a=ice-ufrag:esp3
a=ice-pwd:A1b2C3d4E5f6G7h8I9j0K1l2
a=candidate:1 1 UDP 2130706431 192.0.2.80 50712 typ host`)
    }
  ],
  candidates: [
    'a=candidate:1 1 UDP 2130706431 192.0.2.80 50712 typ host\r\n',
    {
      candidate: 'candidate:2 1 UDP 1694498815 203.0.113.19 50712 typ srflx raddr 0.0.0.0 rport 0\r\n',
      sdpMid: 'video',
      sdpMLineIndex: 0
    }
  ]
}
