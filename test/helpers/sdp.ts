// Small descriptions and candidates as browsers make them. All of one generation have its ufrag.
import type { Candidate } from '../../src/schemas/signal.js'

export function sdp(ufrag: string, session = 1): string {
  return [
    'v=0',
    `o=- ${session} 2 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    `a=ice-ufrag:${ufrag}`,
    'a=ice-pwd:x9cml/YzichV2+XlhiMu8g',
    'a=mid:0',
    ''
  ].join('\r\n')
}

/** Unique by its `number`. Without `ufrag` it belongs to the current generation. */
export function candidate(number: number, ufrag?: string): Candidate {
  const line = `candidate:${number} 1 udp 2130706431 192.0.2.1 ${1024 + (number % 60_000)} typ host`
  return {
    candidate: ufrag === undefined ? line : `${line} ufrag ${ufrag}`,
    sdpMid: '0',
    sdpMLineIndex: 0,
    ...(ufrag === undefined ? {} : { usernameFragment: ufrag })
  }
}

export const candidates = (count: number, ufrag?: string, from = 1): Candidate[] =>
  Array.from({ length: count }, (_, i) => candidate(from + i, ufrag))
