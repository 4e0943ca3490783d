import { crlf, SHA_256, type Stack } from './stack.js'

export const AIORTC: Stack = {
  name: 'aiortc',
  descriptions: [
    {
      name: 'answer after gathering',
      sdp: crlf(`v=0
o=- 3890227396 3890227396 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0
a=msid-semantic:WMS *
m=audio 54321 UDP/TLS/RTP/SAVPF 96 0 8
c=IN IP4 192.0.2.30
a=sendrecv
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:2 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=mid:0
a=msid:0d5c6b7a-8e9f-4a0b-9c1d-2e3f4a5b6c7d 6f7a8b9c-0d1e-4f2a-8b3c-4d5e6f708192
a=rtcp:9 IN IP4 0.0.0.0
a=rtcp-mux
a=ssrc:2901437165 cname:c6d7e8f9-a0b1-4c2d-9e3f-40516273849a
a=rtpmap:96 opus/48000/2
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=candidate:6fe5f8b1c2d3e4f5a6b7c8d9e0f1a2b3 1 udp 2130706431 192.0.2.30 54321 typ host
a=candidate:0a1b2c3d4e5f60718293a4b5c6d7e8f9 1 udp 1694498815 203.0.113.11 54321 typ srflx raddr 192.0.2.30 rport 54321
a=end-of-candidates
a=ice-ufrag:ZqPK
a=ice-pwd:JQ2c1bKpN5rS8tVwXyZaBd
a=fingerprint:sha-256 ${SHA_256}
a=setup:active`)
    }
  ],
  // An RTCIceCandidate of Python, with every member it has.
  candidates: [
    {
      candidate: 'candidate:6fe5f8b1c2d3e4f5a6b7c8d9e0f1a2b3 1 udp 2130706431 192.0.2.30 54321 typ host',
      ...{
        component: 1,
        foundation: '6fe5f8b1c2d3e4f5a6b7c8d9e0f1a2b3',
        ip: '192.0.2.30',
        port: 54_321,
        priority: 2_130_706_431
      },
      ...{ protocol: 'udp', type: 'host', relatedAddress: null, relatedPort: null, tcpType: null },
      sdpMid: '0',
      sdpMLineIndex: null
    }
  ]
}
