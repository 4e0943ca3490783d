import { crlf, SHA_256, type Stack } from './stack.js'

export const JANUS: Stack = {
  name: 'Janus',
  descriptions: [
    {
      name: 'offer of a video room, whose name has spaces',
      sdp: crlf(`v=0
o=- 1678870563121234 1 IN IP4 192.0.2.60
s=VideoRoom 1234 Daily standup
t=0 0
a=group:BUNDLE a v
a=ice-options:trickle
a=fingerprint:sha-256 ${SHA_256}
a=extmap-allow-mixed
a=msid-semantic: WMS *
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 192.0.2.60
a=sendonly
a=mid:a
a=rtcp-mux
a=ice-ufrag:Jn5s
a=ice-pwd:vT3xYqW8zB1nM6kL0pHjGd
a=ice-options:trickle
a=setup:actpass
a=rtpmap:111 opus/48000/2
a=msid:janus janusa0
a=ssrc:3579213467 cname:janus
a=candidate:1 1 udp 2015363327 192.0.2.60 40321 typ host
a=end-of-candidates
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 192.0.2.60
a=sendonly
a=mid:v
a=rtcp-mux
a=ice-ufrag:Jn5s
a=ice-pwd:vT3xYqW8zB1nM6kL0pHjGd
a=ice-options:trickle
a=setup:actpass
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack pli
a=msid:janus janusv0
a=ssrc:1928374650 cname:janus`)
    }
  ],
  candidates: [
    { candidate: 'candidate:1 1 udp 2015363327 192.0.2.60 40321 typ host', sdpMid: 'a', sdpMLineIndex: 0 },
    { candidate: 'candidate:3 1 tcp 1010827775 192.0.2.60 9 typ host tcptype active', sdpMid: 'a', sdpMLineIndex: 0 }
  ]
}
