// The examples about WHIP and WHEP, which are texts.
import type { Example } from './room-examples.js'

const FINGERPRINT = Array.from({ length: 32 }, () => '2F').join(':')

const offer = (direction: 'sendonly' | 'recvonly'): string =>
  [
    'v=0',
    'o=- 1495799811084970 1495799811084970 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    `a=${direction}`,
    'a=rtcp-mux',
    'a=ice-ufrag:EsAw',
    'a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1',
    `a=fingerprint:sha-256 ${FINGERPRINT}`,
    'a=setup:actpass',
    'a=rtpmap:111 opus/48000/2',
    ...(direction === 'sendonly' ? ['a=ssrc:1001 cname:encoder'] : []),
    ''
  ].join('\r\n')

const FRAGMENT = [
  'a=group:BUNDLE 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:0',
  'a=ice-ufrag:EsAw',
  'a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1',
  'a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host',
  'a=end-of-candidates',
  ''
].join('\r\n')

const ICE_OF_SERVER = [
  'a=ice-ufrag:h4q0m3vkk0q0s4c1',
  'a=ice-pwd:7c4t2y8w9o1p5r3e6u0i2a4s6d8f1g3h',
  'a=candidate:udpcandidate 1 udp 1076302079 203.0.113.7 40000 typ host',
  'a=end-of-candidates'
]

export const ANSWER_EXAMPLE = [
  'v=0',
  'o=- 4603198201 1 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'a=ice-lite',
  'a=ice-options:trickle ice2',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP4 0.0.0.0',
  ...ICE_OF_SERVER,
  `a=fingerprint:sha-256 ${FINGERPRINT}`,
  'a=setup:passive',
  'a=mid:0',
  'a=recvonly',
  'a=rtcp-mux',
  'a=rtcp-mux-only',
  'a=rtpmap:111 opus/48000/2',
  ''
].join('\r\n')

export const RESTART_EXAMPLE = [
  'a=ice-lite',
  'a=ice-options:trickle ice2',
  'a=group:BUNDLE 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:0',
  ...ICE_OF_SERVER,
  ''
].join('\r\n')

export const WHIP_EXAMPLES: Readonly<Record<string, Example>> = {
  publishByWhip: { body: offer('sendonly') },
  viewByWhep: { body: offer('recvonly') },
  patchWhipSession: { body: FRAGMENT },
  patchWhepSession: { body: FRAGMENT }
}
