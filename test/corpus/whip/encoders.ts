// Encoders and libraries: OBS and libdatachannel, GStreamer, pion, aiortc.
import { feedback, rtx, SHA_256, sdpOf, type WhipOffer } from './offer.js'

const LIBDATACHANNEL = `v=0
o=rtc 3748295810 0 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=group:LS 0 1
a=msid-semantic:WMS *
a=ice-options:ice2,trickle
a=setup:actpass
a=ice-ufrag:qL3h
a=ice-pwd:8sTmNfQzXcVbA1jKpR0uYw
a=fingerprint:sha-256 ${SHA_256}`

const OBS_AUDIO = `m=audio 50023 UDP/TLS/RTP/SAVPF 111
c=IN IP4 192.0.2.40
a=mid:0
a=sendonly
a=ssrc:1209441520 cname:5yTqZp0Lr8NwXa2K
a=ssrc:1209441520 msid:hQ3vB7dM1cE9sJ6f hQ3vB7dM1cE9sJ6f-audio
a=msid:hQ3vB7dM1cE9sJ6f hQ3vB7dM1cE9sJ6f-audio
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1
a=candidate:1 1 UDP 2122317823 192.0.2.40 50023 typ host
a=end-of-candidates`

const OBS_VIDEO = `m=video 50023 UDP/TLS/RTP/SAVPF 96
c=IN IP4 192.0.2.40
a=mid:1
a=sendonly
a=ssrc:1209441521 cname:5yTqZp0Lr8NwXa2K
a=ssrc:1209441521 msid:hQ3vB7dM1cE9sJ6f hQ3vB7dM1cE9sJ6f-video
a=msid:hQ3vB7dM1cE9sJ6f hQ3vB7dM1cE9sJ6f-video
a=rtcp-mux
a=rtpmap:96 H264/90000
${feedback(96, 'nack', 'nack pli', 'goog-remb')}
a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1`

/** OBS 32, its largest picture first. */
const OBS_SIMULCAST = `${OBS_VIDEO.replace(/a=ssrc.*\n/g, '')}
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=rid:0 send
a=rid:1 send
a=rid:2 send
a=simulcast:send 0;1;2
a=ssrc:1209441521 cname:5yTqZp0Lr8NwXa2K
a=ssrc:1209441522 cname:5yTqZp0Lr8NwXa2K
a=ssrc:1209441523 cname:5yTqZp0Lr8NwXa2K`

/** Without header extensions, and H.264 in single NAL units, the default of RFC 6184. */
const CAMERA = `m=video 9 UDP/TLS/RTP/SAVPF 102
c=IN IP4 0.0.0.0
a=mid:video
a=sendonly
a=ssrc:42 cname:video-send
a=rtcp-mux
a=rtpmap:102 H264/90000
a=fmtp:102 profile-level-id=42e01f`

const GSTREAMER_TRANSPORT = `c=IN IP4 0.0.0.0
a=setup:actpass
a=ice-ufrag:+TCTGT3nJyvTfNAMCWGVWgQ0QcRVMRx5
a=ice-pwd:l7sXy2ZpQ4vB9cN1mK8jH6gF5dS3aRtE
a=rtcp-mux
a=rtcp-rsize`

/** Debian 12: video first, without header extensions. */
const SIMPLE_WHIP_CLIENT = `v=0
o=- 473784826669279646 0 IN IP4 0.0.0.0
s=-
t=0 0
a=ice-options:trickle
a=group:BUNDLE video0 audio1
m=video 9 UDP/TLS/RTP/SAVPF 96
${GSTREAMER_TRANSPORT}
a=sendonly
a=rtpmap:96 VP8/90000
${feedback(96, 'nack pli', 'ccm fir', 'transport-cc')}
a=framerate:15
a=ssrc:2 msid:user1598140326@host-560c87e7 webrtctransceiver0
a=ssrc:2 cname:user1598140326@host-560c87e7
a=mid:video0
a=fingerprint:sha-256 ${SHA_256}
a=rtcp-mux-only
m=audio 0 UDP/TLS/RTP/SAVPF 100
c=IN IP4 0.0.0.0
a=setup:actpass
a=ice-ufrag:+TCTGT3nJyvTfNAMCWGVWgQ0QcRVMRx5
a=ice-pwd:l7sXy2ZpQ4vB9cN1mK8jH6gF5dS3aRtE
a=bundle-only
a=rtcp-mux
a=rtcp-rsize
a=sendonly
a=rtpmap:100 OPUS/48000/2
a=rtcp-fb:100 transport-cc
a=fmtp:100 sprop-stereo=0;sprop-maxcapturerate=48000
a=ssrc:1 msid:user1598140326@host-560c87e7 webrtctransceiver1
a=ssrc:1 cname:user1598140326@host-560c87e7
a=mid:audio1
a=fingerprint:sha-256 ${SHA_256}
a=rtcp-mux-only`

const PION_TRANSPORT = `c=IN IP4 0.0.0.0
a=setup:actpass
a=ice-ufrag:nVyyDLmVRmTjuwYb
a=ice-pwd:QwErTyUiOpAsDfGhJkLzXcVbNmQwErTy
a=rtcp-mux
a=rtcp-rsize`

const PION = `v=0
o=- 6368341270453471337 1677771342 IN IP4 0.0.0.0
s=-
t=0 0
a=msid-semantic:WMS*
a=fingerprint:sha-256 ${SHA_256}
a=extmap-allow-mixed
a=group:BUNDLE 0 1
m=video 9 UDP/TLS/RTP/SAVPF 96 97 45 46
${PION_TRANSPORT}
a=mid:0
a=rtpmap:96 VP8/90000
${feedback(96, 'goog-remb', 'ccm fir', 'nack', 'nack pli')}
${rtx(97, 96)}
a=rtpmap:45 AV1/90000
${feedback(45, 'goog-remb', 'ccm fir', 'nack', 'nack pli')}
${rtx(46, 45)}
a=ssrc-group:FID 1837461029 2210453178
a=ssrc:1837461029 cname:pion
a=ssrc:1837461029 msid:pion video
a=ssrc:2210453178 cname:pion
a=msid:pion video
a=sendonly
a=candidate:2231133432 1 udp 2130706431 192.0.2.20 61665 typ host
a=candidate:2231133432 2 udp 2130706431 192.0.2.20 61665 typ host
a=end-of-candidates
m=audio 9 UDP/TLS/RTP/SAVPF 111
${PION_TRANSPORT}
a=mid:1
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
a=ssrc:3301945268 cname:pion
a=msid:pion audio
a=sendonly`

export const aiortc = (direction: string) => `v=0
o=- 3890227396 3890227396 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0 1
a=msid-semantic:WMS *
m=audio 54321 UDP/TLS/RTP/SAVPF 96 9 0 8
c=IN IP4 192.0.2.30
a=${direction}
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:2 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=mid:0
a=msid:0d5c6b7a-8e9f-4a0b-9c1d-2e3f4a5b6c7d 6f7a8b9c-0d1e-4f2a-8b3c-4d5e6f708192
a=rtcp:9 IN IP4 0.0.0.0
a=rtcp-mux
a=ssrc:2901437165 cname:c6d7e8f9-a0b1-4c2d-9e3f-40516273849a
a=rtpmap:96 opus/48000/2
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=candidate:6fe5f8b1c2d3e4f5a6b7c8d9e0f1a2b3 1 udp 2130706431 192.0.2.30 54321 typ host
a=end-of-candidates
a=ice-ufrag:ZqPK
a=ice-pwd:JQ2c1bKpN5rS8tVwXyZaBd
a=fingerprint:sha-256 ${SHA_256}
a=fingerprint:sha-384 ${Array.from({ length: 48 }, (_, byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(':')}
a=setup:actpass
m=video 54321 UDP/TLS/RTP/SAVPF 97 98 99 100
c=IN IP4 192.0.2.30
a=${direction}
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:3 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=mid:1
a=msid:0d5c6b7a-8e9f-4a0b-9c1d-2e3f4a5b6c7d 7a8b9c0d-1e2f-4a3b-8c4d-5e6f70819203
a=rtcp:9 IN IP4 0.0.0.0
a=rtcp-mux
a=ssrc-group:FID 1409132771 3320918274
a=ssrc:1409132771 cname:c6d7e8f9-a0b1-4c2d-9e3f-40516273849a
a=ssrc:3320918274 cname:c6d7e8f9-a0b1-4c2d-9e3f-40516273849a
a=rtpmap:97 VP8/90000
${feedback(97, 'nack', 'nack pli', 'goog-remb')}
${rtx(98, 97)}
a=rtpmap:99 H264/90000
${feedback(99, 'nack', 'nack pli', 'goog-remb')}
a=fmtp:99 packetization-mode=1;level-asymmetry-allowed=1;profile-level-id=42001f
${rtx(100, 99)}
a=ice-ufrag:ZqPK
a=ice-pwd:JQ2c1bKpN5rS8tVwXyZaBd
a=fingerprint:sha-256 ${SHA_256}
a=setup:actpass`

export const ENCODERS_PUBLISH: readonly WhipOffer[] = [
  { name: 'OBS 30', sdp: sdpOf(LIBDATACHANNEL, OBS_AUDIO, OBS_VIDEO) },
  { name: 'OBS 32, simulcast', sdp: sdpOf(LIBDATACHANNEL, OBS_AUDIO, OBS_SIMULCAST) },
  {
    name: 'libdatachannel, a camera',
    sdp: sdpOf(LIBDATACHANNEL.replace('BUNDLE 0 1', 'BUNDLE video').replace('LS 0 1', 'LS video'), CAMERA)
  },
  {
    name: 'simple-whip-client',
    sdp: sdpOf(SIMPLE_WHIP_CLIENT)
  },
  { name: 'pion', sdp: sdpOf(PION) },
  { name: 'aiortc', sdp: sdpOf(aiortc('sendonly')) }
]

const receiving = (sdp: string) =>
  sdp.replaceAll('a=sendonly', 'a=recvonly').replace(/a=(?:ssrc|ssrc-group|msid|simulcast|rid):.*\n/g, '')

export const LIBRARIES_VIEW: readonly WhipOffer[] = [
  { name: 'pion', sdp: sdpOf(receiving(PION)) },
  { name: 'libdatachannel', sdp: sdpOf(LIBDATACHANNEL, receiving(OBS_AUDIO), receiving(OBS_VIDEO)) },
  { name: 'aiortc', sdp: sdpOf(receiving(aiortc('recvonly'))) }
]
