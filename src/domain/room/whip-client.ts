// A WHIP or WHEP client as it is recorded in a room.
import type { MediaIceCandidate } from '../../schemas/sfu-transport.js'

/** How it takes part. It has no mailbox, and is in the room as long as its transport exists. */
export interface WhipParticipation {
  readonly via: 'whip' | 'whep'
  /** That of the request, which its token or a header names. Absent in rooms of earlier releases. */
  readonly device?: string
  /** Null: the transport is being set up. */
  readonly transport: WhipTransport | null
  /** What a WHEP client receives. */
  readonly viewed?: readonly ViewedProducer[]
}

export interface ViewedProducer {
  readonly participantId: string
  readonly producerId: string
}

export interface WhipTransport {
  /** The media session that it is in. */
  readonly sessionId: string
  /** Digest of its ICE credentials (domain/whip/fragment.ts). */
  readonly iceDigest: string
  readonly iceCandidates: readonly MediaIceCandidate[]
}
