import { crlf, SHA_256, type Stack } from './stack.js'

const TRANSPORT = `c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:LooB
a=ice-pwd:kvhxMF4KzofL/2UsvMLrT6si
a=ice-options:trickle
a=fingerprint:sha-256 ${SHA_256}`

const AUDIO = `m=audio 9 UDP/TLS/RTP/SAVPF 111 63 0 8 126
${TRANSPORT}
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendrecv
a=msid:- 3401ec65-85a6-4d77-9e6e-87b18c91de16
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:126 telephone-event/8000
a=ssrc:1213351431 cname:EdWVoioabnyLsZb8
a=ssrc:1213351431 msid:- 3401ec65-85a6-4d77-9e6e-87b18c91de16`

const VIDEO = `m=video 9 UDP/TLS/RTP/SAVPF 96 97
${TRANSPORT}
a=setup:actpass
a=mid:1
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:13 urn:3gpp:video-orientation
a=sendrecv
a=msid:- f875bd9d-b153-46df-90b7-8055c85d638c
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 ccm fir
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=ssrc-group:FID 3058317412 1467382590
a=ssrc:3058317412 cname:EdWVoioabnyLsZb8
a=ssrc:1467382590 cname:EdWVoioabnyLsZb8`

const DATA = `m=application 9 UDP/DTLS/SCTP webrtc-datachannel
${TRANSPORT.replace('a=rtcp:9 IN IP4 0.0.0.0\n', '')}
a=setup:actpass
a=mid:2
a=sctp-port:5000
a=max-message-size:262144`

const session = (mids: string) => `v=0
o=- 663725878535325428 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE ${mids}
a=extmap-allow-mixed
a=msid-semantic: WMS`

/** Stopped transceivers: no BUNDLE, no ICE. */
const REJECTED = `v=0
o=- 663725878535325428 3 IN IP4 127.0.0.1
s=-
t=0 0
a=extmap-allow-mixed
a=msid-semantic: WMS
m=audio 0 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=mid:0
a=inactive
a=rtcp-mux
a=rtpmap:111 opus/48000/2`

export const CHROMIUM: Stack = {
  name: 'Chromium',
  descriptions: [
    { name: 'offer', sdp: crlf(`${session('0 1 2')}\n${AUDIO}\n${VIDEO}\n${DATA}`) },
    { name: 'offer of a data channel', sdp: crlf(`${session('2')}\n${DATA}`) },
    {
      name: 'offer with a stopped transceiver',
      sdp: crlf(`${session('0')}\n${AUDIO}\n${REJECTED.slice(REJECTED.indexOf('m=')).replace('mid:0', 'mid:1')}`)
    },
    { name: 'offer with stopped transceivers only', sdp: crlf(REJECTED) },
    {
      name: 'answer',
      sdp: crlf(`${session('0 2')}\n${AUDIO}\n${DATA}`.replaceAll('a=setup:actpass', 'a=setup:active'))
    }
  ],
  candidates: [
    {
      candidate:
        'candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 10.0.0.17 rport 46154 generation 0 ufrag LooB network-id 1 network-cost 10',
      sdpMid: '0',
      sdpMLineIndex: 0,
      usernameFragment: 'LooB'
    },
    {
      candidate:
        'candidate:3122045183 1 udp 2113937151 0b3bf2f0-6d0a-4a6b-9c4f-3f1f5f4a9a3e.local 52063 typ host generation 0 ufrag LooB network-cost 999',
      sdpMid: '0',
      sdpMLineIndex: 0,
      usernameFragment: 'LooB'
    },
    {
      candidate:
        'candidate:2154773085 1 tcp 1518214911 192.0.2.5 9 typ host tcptype active generation 0 ufrag LooB network-id 1',
      sdpMid: '0',
      sdpMLineIndex: 0,
      usernameFragment: 'LooB'
    },
    null
  ]
}
