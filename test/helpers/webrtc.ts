// Types for the part of WebRTC that the tests use: the package has none, and the project is compiled without those of browsers.
import { createRequire } from 'node:module'
import type { Candidate } from '../../src/schemas/signal.js'

export interface Description {
  readonly type: 'offer' | 'answer'
  readonly sdp: string
}

export interface DataChannel extends EventTarget {
  readonly readyState: string
  send(data: string): void
  close(): void
}

export interface PeerConnection extends EventTarget {
  readonly connectionState: string
  readonly iceGatheringState: string
  readonly localDescription: Description | null
  readonly remoteDescription: Description | null
  createDataChannel(label: string): DataChannel
  createOffer(options?: { iceRestart: boolean }): Promise<Description>
  createAnswer(): Promise<Description>
  setLocalDescription(description: Description): Promise<void>
  setRemoteDescription(description: Description): Promise<void>
  addIceCandidate(candidate: Candidate): Promise<void>
  getStats(): Promise<ReadonlyMap<string, Readonly<Record<string, unknown>>>>
  close(): void
}

export interface CandidateEvent {
  /** Null when gathering is complete. */
  readonly candidate: (Candidate & { toJSON(): Candidate }) | null
}

interface WebRtc {
  readonly RTCPeerConnection: new (configuration: object) => PeerConnection
}

export const { RTCPeerConnection } = createRequire(import.meta.url)('@roamhq/wrtc') as WebRtc
