// The start of a call by an operator.
import { AppError } from '../../errors.js'
import type { Call } from '../../schemas/call.js'
import { newCalled } from './called.js'
import { incomingData, newCall } from './creation.js'
import { OPERATOR, OPERATOR_DEVICE } from './operator-call.js'
import { callEvents } from './party.js'
import type { Side, Timeline } from './state.js'
import { type CallIdRecord, callIn, isClosed, type RecordDecision } from './tombstone.js'

export interface StartCommand {
  readonly callId: string
  /** Rings first. */
  readonly from: string
  readonly to: string
  readonly media: Call['media']
  readonly metadata: Call['metadata']
  readonly offerer: Side
  /** For each of the two. */
  readonly ringMs: number
  readonly attempt: number
  /** The devices of the first user that are woken; null: there is no push. */
  readonly wakes: readonly string[] | null
}

/** No party has created it. */
const BEGUN: Timeline = { lines: [[0, 'created', null]], omitted: 0 }

/** A repeat changes nothing. @throws AppError call_id_taken */
export function decideStart(record: CallIdRecord | null, command: StartCommand, now: number): RecordDecision {
  const { callId, from, to, ringMs, attempt, wakes, media, metadata, offerer } = command
  const call = callIn(record)
  if (call !== null && call.creator !== OPERATOR) throw new AppError('call_id_taken')
  if (record && (call !== null || isClosed(record, OPERATOR, attempt))) return { state: record, events: [] }
  const called = [newCalled({ user: from, ringMs, wakes }, now), newCalled({ user: to, ringMs, isWaiting: true }, now)]
  const caller = { user: OPERATOR, device: OPERATOR_DEVICE }
  const version = (record?.version ?? 0) + 1
  const created = newCall({ callId, caller, called, attempt }, { version, now })
  const state = { ...created, media, metadata, offerer, limitAt: now + ringMs, timeline: BEGUN }
  const incoming = { type: 'call.incoming', data: incomingData(state, now, from) }
  return { state, events: callEvents(state, [{ user: from }], incoming) }
}
