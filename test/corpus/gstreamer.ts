import { crlf, SHA_256, type Stack } from './stack.js'

export const GSTREAMER: Stack = {
  name: 'GStreamer',
  descriptions: [
    {
      name: 'offer',
      sdp: crlf(`v=0
o=- 3541281234567890123 0 IN IP4 0.0.0.0
s=-
t=0 0
a=ice-options:trickle
a=group:BUNDLE video0
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=setup:actpass
a=ice-ufrag:+TCTGT3nJyvTfNAMCWGVWgQ0QcRVMRx5
a=ice-pwd:l7sXy2ZpQ4vB9cN1mK8jH6gF5dS3aRtE
a=rtcp-mux
a=rtcp-rsize
a=sendrecv
a=rtpmap:96 H264/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=framerate:30
a=fmtp:96 packetization-mode=1;profile-level-id=42e01f;level-asymmetry-allowed=1
a=ssrc:2718281828 msid:user3141592653@host-5897932 webrtctransceiver0
a=ssrc:2718281828 cname:user3141592653@host-5897932
a=mid:video0
a=fingerprint:sha-256 ${SHA_256}
a=rtcp-mux-only`)
    }
  ],
  candidates: [
    { candidate: 'candidate:1 1 UDP 2015363327 192.0.2.50 45237 typ host', sdpMLineIndex: 0 },
    { candidate: 'candidate:2 1 TCP 1015021823 192.0.2.50 9 typ host tcptype active', sdpMLineIndex: 0 },
    {
      candidate: 'candidate:4 1 UDP 1679819007 203.0.113.15 45237 typ srflx raddr 192.0.2.50 rport 45237',
      sdpMLineIndex: 0
    }
  ]
}
