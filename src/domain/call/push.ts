// Which devices of the callee a call wakes, and which of them learn that it rings no more.
import type { CallState } from './state.js'

/** For the push gateway. What it needs besides is added when it is delivered. */
export interface CallPush {
  readonly data: {
    readonly kind: 'incoming' | 'cancelled'
    readonly callId: string
    readonly user: string
    readonly from: CallState['caller']
    readonly media: CallState['media']
    readonly metadata: CallState['metadata']
    readonly devices: readonly string[]
  }
  /** Nobody needs it after this instant. */
  readonly expiresAt: number
}

/** A push service that has not delivered `incoming` by the end of the ring time never will, so `cancelled` is needed little longer. */
const CANCELLED_KEPT_MS = 30_000

/** Null: the change wakes no device. Once for each call `incoming`, and after it once `cancelled`. */
export function pushOf(before: CallState | null, state: CallState, now: number): CallPush | null {
  const devices = state.called[0]?.pushed ?? null
  if (devices === null) return null
  if (before === null) return toPush(state, 'incoming', { devices, expiresAt: state.limitAt ?? now })
  if (before.phase !== 'ringing' || state.phase === 'ringing') return null
  const left = devices.filter(device => !knowsByItself(state, device))
  if (left.length === 0 && devices.length > 0) return null
  return toPush(state, 'cancelled', { devices: left, expiresAt: now + CANCELLED_KEPT_MS })
}

/** The device has answered, ended or declined the call. */
function knowsByItself({ callee, called, endedBy }: CallState, device: string): boolean {
  const hasEnded = endedBy?.user === called[0]?.user && endedBy?.device === device
  return hasEnded || callee?.device === device || called[0]?.declined.includes(device) === true
}

function toPush(
  { callId, called, caller: from, media, metadata }: CallState,
  kind: CallPush['data']['kind'],
  { devices, expiresAt }: { readonly devices: readonly string[]; readonly expiresAt: number }
): CallPush {
  return { data: { kind, callId, user: called[0]?.user ?? '', from, media, metadata, devices }, expiresAt }
}
