import { crlf, SHA_256, type Stack } from './stack.js'

export const ASTERISK: Stack = {
  name: 'Asterisk',
  descriptions: [
    {
      name: 'offer with an address of the session',
      sdp: crlf(`v=0
o=- 1450124326 1 IN IP4 192.0.2.70
s=Asterisk
c=IN IP4 192.0.2.70
t=0 0
a=msid-semantic:WMS *
a=group:BUNDLE 0
m=audio 14578 UDP/TLS/RTP/SAVPF 107 0 8 101
a=connection:new
a=setup:actpass
a=fingerprint:SHA-256 ${SHA_256}
a=ice-ufrag:5a1f0c9b3f2e4d7c
a=ice-pwd:3c5e7a9b1d2f4e6a8c0b2d4f6e8a1c3b
a=candidate:Hc0000246 1 UDP 2130706431 192.0.2.70 14578 typ host
a=candidate:Scb007111 1 UDP 1694498815 203.0.113.17 14578 typ srflx raddr 192.0.2.70 rport 14578
a=rtpmap:107 opus/48000/2
a=fmtp:107 useinbandfec=1
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=maxptime:60
a=ptime:20
a=sendrecv
a=rtcp-mux
a=ssrc:1029384756 cname:8f7e6d5c-4b3a-4291-8077-6e5d4c3b2a19
a=msid:6c5b4a39-2817-4605-94f3-e2d1c0bfae9d 7d6c5b4a-3928-4716-85f4-e3d2c1b0af9e
a=rtcp-fb:* transport-cc
a=mid:0`)
    }
  ],
  candidates: [
    { candidate: 'candidate:Hc0000246 1 UDP 2130706431 192.0.2.70 14578 typ host', sdpMLineIndex: 0 },
    'candidate:Scb007111 1 UDP 1694498815 203.0.113.17 14578 typ srflx raddr 192.0.2.70 rport 14578'
  ]
}
