// What two sides send each other, and what a description says.

export type SignalType = 'offer' | 'answer' | 'candidates'

export interface Description {
  readonly sdp: string
  readonly revision?: number
}

export interface Candidates {
  readonly candidates: readonly RTCIceCandidateInit[]
  readonly end?: boolean
}

export const isOfFirefox = (sdp: string) => sdp.includes('\no=mozilla')

export const fingerprintOf = (sdp: string) => /a=fingerprint:\S+ (\S+)/.exec(sdp)?.[1]

/**
 * An offer on top of a DTLS association names the role that this side has in it. Firefox answers "active" to an ICE restart with "actpass" also
 * if it is the server, which Chromium refuses. RFC 5763, section 5.
 */
export function keepRole(sdp: string, connection: RTCPeerConnection): string {
  const { currentLocalDescription: local, currentRemoteDescription: remote } = connection
  const answer = local?.type === 'answer' ? local : remote
  const isClient = (answer?.sdp.includes('a=setup:active') ?? false) === (answer === local)
  return answer ? sdp.replaceAll('a=setup:actpass', `a=setup:${isClient ? 'active' : 'passive'}`) : sdp
}
