import { crlf, SHA_256, type Stack } from './stack.js'

export const PION: Stack = {
  name: 'pion',
  descriptions: [
    {
      name: 'offer after gathering',
      sdp: crlf(`v=0
o=- 6368341270453471337 1677771342 IN IP4 0.0.0.0
s=-
t=0 0
a=msid-semantic:WMS*
a=fingerprint:sha-256 ${SHA_256}
a=extmap-allow-mixed
a=group:BUNDLE 0 1
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=setup:actpass
a=mid:0
a=ice-ufrag:nVyyDLmVRmTjuwYb
a=ice-pwd:QwErTyUiOpAsDfGhJkLzXcVbNmQwErTy
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=ssrc:1837461029 cname:pion
a=ssrc:1837461029 msid:pion video
a=ssrc:1837461029 mslabel:pion
a=ssrc:1837461029 label:video
a=msid:pion video
a=sendrecv
a=candidate:2231133432 1 udp 2130706431 192.0.2.20 61665 typ host
a=candidate:2231133432 2 udp 2130706431 192.0.2.20 61665 typ host
a=candidate:233762139 1 udp 1694498815 203.0.113.9 58231 typ srflx raddr 0.0.0.0 rport 58231
a=end-of-candidates
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=setup:actpass
a=mid:1
a=sendrecv
a=sctp-port:5000
a=max-message-size:1073741823
a=ice-ufrag:nVyyDLmVRmTjuwYb
a=ice-pwd:QwErTyUiOpAsDfGhJkLzXcVbNmQwErTy`)
    }
  ],
  candidates: [
    {
      candidate: 'candidate:2231133432 1 udp 2130706431 192.0.2.20 61665 typ host',
      sdpMid: '',
      sdpMLineIndex: 0,
      usernameFragment: null
    },
    {
      candidate: 'candidate:233762139 1 udp 1694498815 203.0.113.9 58231 typ srflx raddr 0.0.0.0 rport 58231',
      sdpMid: null,
      sdpMLineIndex: 0,
      usernameFragment: 'nVyyDLmVRmTjuwYb'
    }
  ]
}
