// What a Negotiator needs of its owner, a call or a room. No code.
import type { SignalType } from './signals.js'

export interface NegotiatorOptions {
  /** Creates a connection; called again when the other side has replaced its own. */
  open(): RTCPeerConnection
  /** Sends a description or candidates. The reply to an offer has its revision; null: the other side was first, and its offer will arrive. */
  post(type: SignalType, body: object): Promise<{ readonly revision: number } | null>
  /** Resolves when an offer may be sent. */
  whenReady?(): Promise<unknown>
  /** Whether the other side makes the first offer: until then nothing is offered that a change needs. */
  answersFirst?(): boolean
  onTrack(event: RTCTrackEvent): void
  onConnected?(): void
  /** ICE restarts have not helped. Without it they go on, each for as long as the last one. */
  onFailed?(): void
  onError(error: unknown): void
  /** How long each ICE restart of one failure may take. */
  readonly iceRestartsMs?: readonly number[] | undefined
}
