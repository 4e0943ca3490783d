// Transfers: a party leaves a connected call to another user. The target rings in the same call while both parties stay. When it accepts, the
// other party becomes the caller and the target the callee of a call that connects anew.
import { AppError } from '../../errors.js'
import type { Endpoint } from '../../schemas/common.js'
import { endpoint } from '../endpoint.js'
import { accept } from './answering.js'
import { newCalled } from './called.js'
import type { CommandOf } from './command.js'
import { incomingData } from './creation.js'
import { type CallDecision, type CallEvent, unchanged } from './decision.js'
import { type TargetEnd, targetEnd } from './ending.js'
import { callEvents, conflict, reaches, requireActiveDevice, sideOf, toCalled, tooEarly, toSide } from './party.js'
import { type CallState, otherSide, pendingTransfer, type Transfer } from './state.js'
import { withPolicy } from './timeline-lines.js'
import { phaseFor, transferorSide, transferTo, withoutTransferor } from './transfer-state.js'
import { viewCall, withFormer } from './view.js'

/** Of one call, also in a loop. */
const TRANSFERS_MAX = 8
/** After this time the call's deadline ends the call that it replaces. */
const REPLACED_MS = 2000

/** Rings the target. A repeat changes nothing. @throws AppError wrong_state, transfer_pending, transfer_limit, invalid_request */
export function beginTransfer(state: CallState, command: CommandOf<'transfer'>, now: number): CallDecision {
  const { actor, to, ringMs, isMuted, wakes, replaces, policy = [] } = command
  const side = requireActiveDevice(state, actor)
  const pending = pendingTransfer(state)
  if (pending) {
    if (isSameTransfer(pending, command)) return unchanged(state)
    throw conflict(state, 'transfer_pending')
  }
  if (state.phase !== 'connected') throw tooEarly(state, 'The call is not connected')
  if (to.user === state[otherSide(side)]?.user) {
    throw new AppError('invalid_request', { detail: 'body/to is the other party of the call' })
  }
  if (state.transfers >= TRANSFERS_MAX) throw conflict(state, 'transfer_limit')
  const target = newCalled({ ...to, ringMs, isMuted, wakes }, now)
  const transfer: Transfer = {
    number: state.transfers + 1,
    by: endpoint(actor),
    target,
    startedAt: now,
    hasLeft: false,
    ...(replaces && { replaces })
  }
  const next: CallState = {
    ...state,
    version: state.version + 1,
    transfer,
    transfers: transfer.number,
    former: state.former.filter(({ user }) => user !== to.user),
    timeline: withPolicy(state, policy, { user: actor.user, afterMs: now - state.createdAt })
  }
  return { state: next, events: [...transferringEvents(next, transfer, now), ...incomingEvents(next, transfer, now)] }
}

const isSameTransfer = ({ by, target, replaces }: Transfer, { actor, to, ...other }: CommandOf<'transfer'>): boolean =>
  by.user === actor.user &&
  by.device === actor.device &&
  target.user === to.user &&
  target.device === to.device &&
  replaces?.callId === other.replaces?.callId

function transferringEvents(state: CallState, transfer: Transfer, now: number): CallEvent[] {
  const { by, target, hasLeft, replaces } = transfer
  const expiresInMs = Math.max(0, (target.endsAt ?? now) - now)
  const toCall = replaces && { toCall: replaces.callId }
  const data = { by, to: publicTarget(transfer), ...toCall, expiresInMs, left: hasLeft }
  const to = toSide(state, hasLeft ? 'caller' : otherSide(transferorSide(state, transfer)), null)
  return callEvents(state, to, { type: 'call.transferring', data })
}

/** The device that rings, if the transferor has named one. */
export const publicTarget = ({ target: { user, device } }: Transfer) => ({ user, device })

function incomingEvents(state: CallState, { target }: Transfer, now: number): CallEvent[] {
  if (target.isMuted) return []
  const data = (user: string) => incomingData(state, now, user)
  return callEvents(state, toCalled(target, null), { type: 'call.incoming', data })
}

/** Before a lease of a transfer that was not committed is released (services/call/leases.ts, rule 2). */
export function closeTransfers(state: CallState, { upTo }: CommandOf<'closeTransfers'>): CallDecision {
  if (state.phase === 'ended' || state.transfers >= upTo) return unchanged(state)
  return { state: { ...state, version: state.version + 1, transfers: upTo }, events: [] }
}

/** The transferor takes it back. Without a pending transfer this changes nothing. @throws AppError wrong_party */
export function cancelTransfer(state: CallState, actor: Endpoint, now: number): CallDecision {
  const side = sideOf(state, actor.user)
  const pending = pendingTransfer(state)
  if (pending === null) return unchanged(state)
  if (side !== transferorSide(state, pending) || transferTo(state, actor.user)) {
    throw conflict(phaseFor(state, actor.user), 'wrong_party', {
      detail: 'Only the user who transfers the call may do this'
    })
  }
  return failTransfer(state, { reason: 'cancelled', by: actor }, now)
}

/** The target stops ringing, and the call goes on as before. */
export function failTransfer(state: CallState, { reason, by }: TargetEnd, now: number): CallDecision {
  const transfer = pendingTransfer(state)
  if (transfer === null) return unchanged(state)
  const next: CallState = { ...state, version: state.version + 1, transfer: null }
  const gone = targetEnd({ ...state, version: next.version }, { reason, by }, now)
  const left = { ...next, former: gone.state.former }
  const data = { to: publicTarget(transfer), reason }
  const parties = [...toSide(left, 'caller', by), ...toSide(left, 'callee', by)]
  return {
    state: left,
    events: [...gone.events, ...callEvents(left, parties, { type: 'call.transfer_failed', data })],
    releases: transfer.target.isMuted ? [] : [transfer.target.user]
  }
}

/** The transferor hangs up or is lost while the target rings: the call goes on without them. */
export function leaveTransfer(
  state: CallState,
  { transfer, by, reason }: { transfer: Transfer; by: Endpoint | null; reason: 'hangup' | 'media_failed' | 'lost' },
  now: number
): CallDecision {
  const next = { ...withoutTransferor(state, transfer), version: state.version + 1 }
  const left = transferorEnd(state, next, { transfer, reason, except: by, now })
  const waiting = next.transfer ? transferringEvents(left.state, next.transfer, now) : []
  return { ...left, events: [...left.events, ...waiting] }
}

/** The transferor leaves: `next` is the call without them. */
function transferorEnd(
  before: CallState,
  next: CallState,
  {
    transfer,
    reason,
    except,
    now
  }: {
    transfer: Transfer
    reason: 'hangup' | 'media_failed' | 'lost' | 'transferred'
    except: Endpoint | null
    now: number
  }
): CallDecision {
  const { by } = transfer
  const { former } = withFormer({ ...before, version: next.version }, [by.user], { reason, by: except ?? by, now })
  const state = { ...next, former }
  const call = viewCall(state, now, by.user)
  const to = toSide(before, transferorSide(before, transfer), except)
  const data = { reason, endedBy: call.endedBy, call }
  return { state, events: callEvents(state, to, { type: 'call.ended', data }), releases: [by.user] }
}

/** The target accepts: the transferor is out, and the other two connect. */
export function acceptTransfer(state: CallState, command: CommandOf<'accept'>, now: number): CallDecision {
  const { transfer } = state
  if (transfer === null) throw new TypeError('no transfer')
  const ringing = transfer.hasLeft ? state : withoutTransferor(state, transfer)
  const decision = accept(ringing, command, now)
  if (decision.state.version === state.version) return decision
  const { by, replaces } = transfer
  const users = { by, to: endpoint(command.actor) }
  const done = { ...users, afterMs: now - state.createdAt, ...(replaces && { toCall: replaces.callId }) }
  const { answeredAt, endsAt, transferred } = state
  const accepted: CallState = {
    ...decision.state,
    transfer: null,
    answeredAt,
    endsAt,
    transferred: [...transferred, done],
    ...(replaces && {
      replaced: [...(state.replaced ?? []), { callId: replaces.callId, ...users, endsAt: now + REPLACED_MS }]
    })
  }
  const call = viewCall(accepted, now, accepted.caller.user)
  const events = decision.events.map(event =>
    event.type === 'call.accepted'
      ? { ...event, type: 'call.transferred', data: { ...event.data, by: transfer.by, call } }
      : event
  )
  if (transfer.hasLeft) return { ...decision, state: accepted, events }
  const left = transferorEnd(state, accepted, { transfer, reason: 'transferred', except: null, now })
  return { ...decision, state: left.state, events: [...left.events, ...events], releases: left.releases ?? [] }
}

/** What the target of a pending transfer may do. */
export function decideAsTarget(
  state: CallState,
  command: CommandOf<'ringing' | 'accept' | 'reject' | 'hangup' | 'appeared'>,
  now: number
): CallDecision {
  const transfer = transferTo(state, command.actor.user)
  if (transfer === null) throw new TypeError('no transfer')
  if (command.type === 'accept') return acceptTransfer(state, command, now)
  if (command.type === 'ringing') return markTargetRinging(state, transfer, command.actor)
  if (command.type === 'appeared') return offerToTarget(state, command, now)
  return declineTransfer(state, command, now)
}

const withTarget = (state: CallState, transfer: Transfer, changes: Partial<Transfer['target']>): CallState => ({
  ...state,
  version: state.version + 1,
  transfer: { ...transfer, target: { ...transfer.target, ...changes } }
})

function markTargetRinging(state: CallState, transfer: Transfer, actor: Endpoint): CallDecision {
  const { target } = transfer
  if (target.device !== null && target.device !== actor.device) {
    throw conflict(phaseFor(state, actor.user), 'other_device', {
      detail: `The call rings on your device ${target.device}`
    })
  }
  if (target.isAlerted) return unchanged(state)
  const next = withTarget(state, transfer, { isAlerted: true })
  const parties = [...toSide(next, 'caller', null), ...toSide(next, 'callee', null)]
  const data = { by: { user: target.user, device: null } }
  return { state: next, events: callEvents(next, parties, { type: 'call.ringing', data }) }
}

function declineTransfer(state: CallState, command: CommandOf<'reject' | 'hangup'>, now: number): CallDecision {
  const { actor } = command
  const transfer = transferTo(state, actor.user)
  if (transfer === null) return unchanged(state)
  const { target } = transfer
  const failure = { reason: 'declined', by: actor } as const
  if (command.type === 'hangup' || command.scope === 'user') return failTransfer(state, failure, now)
  const declined = target.declined.includes(actor.device) ? target.declined : [...target.declined, actor.device]
  const next = withTarget(state, transfer, { declined })
  if (target.device === actor.device || command.devices.every(device => declined.includes(device))) {
    return failTransfer({ ...next, version: state.version }, failure, now)
  }
  return declined === target.declined ? unchanged(state) : { state: next, events: [] }
}

function offerToTarget(state: CallState, { actor, offerAt }: CommandOf<'appeared'>, now: number): CallDecision {
  const transfer = transferTo(state, actor.user)
  const rings = transfer && toCalled(transfer.target, null).some(to => reaches(to, actor.device))
  if (offerAt === null || !rings) return unchanged(state)
  const recipient = { user: actor.user, device: actor.device, expectedHead: offerAt }
  const data = incomingData(state, now, actor.user)
  return { state, events: callEvents(state, [recipient], { type: 'call.incoming', data }) }
}
