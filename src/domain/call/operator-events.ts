// What the systems of the operator receive of a change of a call: each event once, whichever devices got it, without descriptions and
// candidates, which contain network addresses.
import type { Call } from '../../schemas/call.js'
import type { CallEvent } from './decision.js'
import { recordOf } from './record.js'
import type { CallState } from './state.js'

type OperatorEvent = Pick<CallEvent, 'type' | 'data'>

interface CallChange {
  readonly before: CallState | null
  /** Null: a failover has lost the call, and its devices receive its end. */
  readonly state: CallState | null
  readonly events: readonly OperatorEvent[]
}

/** In the order of the commit. The end is followed by the record of the call. */
export function operatorEventsOf({ before, state, events }: CallChange, now: number): OperatorEvent[] {
  const isLive = state !== null && state.phase !== 'ended'
  // A device that lost the accept receives an end, while the call goes on.
  const relevant = events.filter(({ type }) => type !== 'call.ended' || !isLive)
  const keys = relevant.map(keyOf)
  const once = relevant.filter((_, i) => keys.indexOf(keys[i] ?? '') === i)
  const sent = once.map(event => toOperatorEvent(event, state))
  if (state === null || isLive || before?.phase === 'ended') return sent
  return [...sent, { type: 'call.record', data: recordOf(before, state, now) }]
}

/** Of several called users each has events of its own. */
function keyOf({ type, data }: OperatorEvent): string {
  const call = type === 'call.incoming' ? (data.call as Call) : null
  const { callee } = type === 'call.callee_changed' ? (data as { callee: Call['callee'] }) : { callee: call?.callee }
  return JSON.stringify([type, callee?.user])
}

/** The reason is that of the call, not that of one side. */
function toOperatorEvent({ type, data }: OperatorEvent, state: CallState | null): OperatorEvent {
  const { offer: _, answer: __, candidates: ___, end: ____, ...kept } = data
  return { type, data: type === 'call.ended' && state ? { ...kept, reason: state.reason } : kept }
}
