// What the sides of a call send to each other besides signals: application messages, and which media they send.
import { createHash } from 'node:crypto'
import type { CommandOf } from './command.js'
import { type CallDecision, unchanged } from './decision.js'
import { callEvents, conflict, requireActiveDevice, sideOf, toDevice, tooEarly, toSide } from './party.js'
import { type CallState, otherSide, type SentMessage, type Side } from './state.js'

/** Of each side: a retry of an older one is a new message. */
const SENT_KEPT = 16

/**
 * The other side receives `call.message`: while the call rings, every device that rings, or the caller's device; afterwards the device in
 * the call. A retry changes nothing, also after the end.
 * @throws AppError call_not_found, call_ended, other_device
 */
export function sendMessage(state: CallState, command: CommandOf<'message'>, now: number): CallDecision {
  const { actor, messageId, content } = command
  const side = sideOf(state, actor.user)
  if (findSent(state, side, messageId) !== null) return unchanged(state)
  if (state.phase === 'ended') throw conflict(state, 'call_ended')
  const isRingingCallee = side === 'callee' && state.phase === 'ringing'
  if (!isRingingCallee) requireActiveDevice(state, actor)
  const version = state.version + 1
  const sent = [...state.sent[side], [digestOf(messageId), version, now - state.createdAt] as const].slice(-SENT_KEPT)
  const next: CallState = { ...state, version, sent: { ...state.sent, [side]: sent } }
  const other = otherSide(side)
  // The caller does not learn the callee's devices before the answer.
  const from = { user: actor.user, device: isRingingCallee ? null : actor.device }
  const recipients = state.phase === 'ringing' && side === 'caller' ? toSide(next, other, null) : toDevice(next, other)
  return {
    state: next,
    events: callEvents(next, recipients, { type: 'call.message', data: { from, messageId, content } })
  }
}

/** The message with this id, if it is one of the last that the side has sent. */
export function findSent(state: CallState, side: Side, messageId: string): SentMessage | null {
  const digest = digestOf(messageId)
  return state.sent[side].find(([each]) => each === digest) ?? null
}

/** 96 bits: an id of 255 bytes would take a tenth of the state. */
const digestOf = (messageId: string): string => createHash('sha256').update(messageId).digest('base64url').slice(0, 16)

/** The other side receives `call.media_changed`. Muting the media is up to the clients. */
export function setMedia(state: CallState, { actor, audio, video }: CommandOf<'media'>): CallDecision {
  const side = requireActiveDevice(state, actor)
  if (state.phase === 'ringing') throw tooEarly(state, 'The call has not been answered yet')
  const before = state.sendsMedia[side]
  const after = { audio: audio ?? before.audio, video: video ?? before.video }
  if (after.audio === before.audio && after.video === before.video) return unchanged(state)
  const next: CallState = { ...state, version: state.version + 1, sendsMedia: { ...state.sendsMedia, [side]: after } }
  const data = { by: actor, ...after }
  const recipients = toSide(next, otherSide(side), actor)
  return { state: next, events: callEvents(next, recipients, { type: 'call.media_changed', data }) }
}
