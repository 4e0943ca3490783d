// The events of a call, and the parts of the API that they are made of.
import type {
  CalleeStatus,
  CallParty,
  Call as CallRecord,
  EventData,
  EndReason as ServerReason,
  TransferFailure,
  TransferTarget
} from './api.js'
import type { Candidates, Description } from './signals.js'

/** `failed`: the server refused the call. `merged`: both users called each other, and the other Call object goes on. */
export type EndReason = ServerReason | 'failed' | 'merged'

export interface Signals {
  readonly offer?: { readonly sdp: string; readonly revision?: number } | undefined
  readonly answer?: { readonly sdp: string; readonly revision?: number } | undefined
  readonly candidates?: readonly RTCIceCandidateInit[] | undefined
  readonly end?: boolean | undefined
}

export interface CallEvents {
  /** A device of the callee rings. */
  ringing: object
  accepted: object
  /** Of several callees one begins to ring, or has ended while others go on. */
  callee: { callee: CalleeStatus }
  connected: object
  track: { track: MediaStreamTrack; stream: MediaStream; transceiver: RTCRtpTransceiver }
  /** A side has put the call on hold, or has taken it off hold. */
  held: { local: boolean; remote: boolean }
  /** Whether the other side sends audio and video. Null: it has not said so. */
  media: { audio: boolean | null; video: boolean | null }
  message: { messageId: string; content: string; from: CallParty }
  /** The call ends as `lost` after this time unless the other side comes back. */
  peer_away: { expiresInMs: number }
  peer_back: object
  /** A side transfers the call: a user is rung who may take its place. `left`: that side has left already, and the call waits for the user. */
  transferring: { by: CallParty | null; to: TransferTarget; toCall?: string; expiresInMs: number; left: boolean }
  /** That user did not take the call, which goes on as before. */
  transfer_failed: { to: TransferTarget; reason: TransferFailure }
  /** The other side has transferred the call: `peer` and `peerConnection` are others now. `connected` follows once more. */
  transferred: { by: CallParty | null }
  /** Without a peerConnection: a signal of the other side. */
  signal: { type: 'offer' | 'answer'; data: Description } | { type: 'candidates'; data: Candidates }
  ended: { reason: EndReason; by: CallParty | null }
  error: unknown
}

export interface Start {
  readonly direction: 'incoming' | 'outgoing'
  readonly callRecord: Pick<CallRecord, 'callId' | 'caller' | 'callee'> & Partial<CallRecord>
  /** Of this device. Null before the client has connected. */
  readonly user: string | null
  readonly first?: First
}

/** What came with `call.incoming`. */
export type First = Signals & Partial<Pick<EventData['call.incoming'], 'startedBy' | 'transferredBy' | 'replaces'>>

/** Those among other options. */
export const signalsOf = ({ offer, answer, candidates, end }: Signals): Signals => ({ offer, answer, candidates, end })
