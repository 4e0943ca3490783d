// What the systems of the operator receive of a change of a call: each event once, whichever devices got it, without descriptions and
// candidates, which contain network addresses.
import { recordOf } from './record.js'
import type { CallEvent, CallState } from './state.js'

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
  const types = new Set(relevant.map(({ type }) => type))
  const once = [...types].flatMap(type => relevant.find(event => event.type === type) ?? [])
  const sent = once.map(event => toOperatorEvent(event, state))
  if (state === null || isLive || before?.phase === 'ended') return sent
  return [...sent, { type: 'call.record', data: recordOf(before, state, now) }]
}

/** The reason is that of the call, not that of one side. */
function toOperatorEvent({ type, data }: OperatorEvent, state: CallState | null): OperatorEvent {
  const { offer: _, answer: __, candidates: ___, end: ____, ...kept } = data
  return { type, data: type === 'call.ended' && state ? { ...kept, reason: state.reason } : kept }
}
