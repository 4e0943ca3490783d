// Users and commands of the domain tests of calls. alice calls bob: her phone is in the call and her tablet is not; bob's laptop answers and
// his watch does not; mallory is a stranger.

import type { CallCommand, CommandOf, NewCallee } from '../../src/domain/call/command.js'
import { decideCall } from '../../src/domain/call/decide-call.js'
import type { CallDecision, CallEvent, Recipients } from '../../src/domain/call/decision.js'
import type { CallState } from '../../src/domain/call/state.js'
import { parseDescription } from '../../src/domain/negotiation/sdp.js'
import { AppError } from '../../src/errors.js'
import type { Endpoint } from '../../src/schemas/common.js'
import type { Candidate } from '../../src/schemas/signal.js'
import { sdp } from './sdp.js'

export const T0 = Date.parse('2026-11-21T10:00:00.000Z')
export const RING_MS = 30_000
export const CONNECT_MS = 20_000
export const CHECK_MS = 15_000
export const AWAY_MS = 5_000
export const GRACE_MS = 30_000

export const phone: Endpoint = { user: 'alice', device: 'phone' }
export const tablet: Endpoint = { user: 'alice', device: 'tablet' }
export const laptop: Endpoint = { user: 'bob', device: 'laptop' }
export const watch: Endpoint = { user: 'bob', device: 'watch' }
export const mallory: Endpoint = { user: 'mallory', device: 'phone' }
export const carol: Endpoint = { user: 'carol', device: 'pad' }
export const tv: Endpoint = { user: 'carol', device: 'tv' }
export const CAST = { phone, tablet, laptop, watch, mallory } as const

interface CreateChanges extends Partial<CommandOf<'create'>>, Partial<Omit<NewCallee, 'user'>> {
  readonly to?: string
}

/** What is named of a callee is that of bob, or of `to`. */
export const create = ({
  to = 'bob',
  device = null,
  ringMs = RING_MS,
  isMuted = false,
  wakes = null,
  ...changes
}: CreateChanges = {}): CommandOf<'create'> => ({
  type: 'create',
  callId: 'c1',
  actor: phone,
  callees: [{ user: to, device, ringMs, isMuted, wakes }],
  media: 'video',
  metadata: { topic: 'lunch' },
  offer: null,
  attempt: 1,
  ...changes
})
export const accept = (
  actor: Endpoint,
  more: Pick<CommandOf<'accept'>, 'offer' | 'answer' | 'batch'> = {}
): CommandOf<'accept'> => ({
  type: 'accept',
  actor,
  connectMs: CONNECT_MS,
  checkMs: CHECK_MS,
  maxMs: null,
  ...more
})
export const reject = (actor: Endpoint, scope: 'device' | 'user', devices = ['laptop', 'watch']): CallCommand => ({
  type: 'reject',
  actor,
  scope,
  devices
})
export const cancel = (actor: Endpoint): CallCommand => ({ type: 'cancel', actor })
export const hangup = (actor: Endpoint, reason: 'hangup' | 'media_failed' = 'hangup'): CallCommand => ({
  type: 'hangup',
  actor,
  reason
})
export const simple = (type: 'ringing' | 'connected' | 'hold' | 'resume', actor: Endpoint): CallCommand => ({
  type,
  actor
})
export const message = (actor: Endpoint, messageId: string, content = 'unlock'): CommandOf<'message'> => ({
  type: 'message',
  actor,
  messageId,
  content
})
export const media = (actor: Endpoint, sends: { audio?: boolean; video?: boolean }): CommandOf<'media'> => ({
  type: 'media',
  actor,
  ...sends
})
export const describe = (
  type: 'offer' | 'answer',
  actor: Endpoint,
  ufrag: string,
  revision?: number
): CommandOf<'offer' | 'answer'> => ({ type, actor, description: parseDescription(sdp(ufrag)), revision })
export const trickle = (actor: Endpoint, batch: Candidate[], end?: boolean): CallCommand => ({
  type: 'candidates',
  actor,
  batch: { candidates: batch, ...(end === undefined ? {} : { end }) }
})
/** `isNew`: the call was not offered to the device yet. */
export const appeared = (actor: Endpoint, isNew: boolean): CallCommand => ({
  type: 'appeared',
  actor,
  offerAt: isNew ? { seq: 0, tag: 'birth' } : null
})
export const check = (caller: number | null = null, callee: number | null = null): CommandOf<'check'> => ({
  type: 'check',
  goneSince: { caller, callee },
  awayMs: AWAY_MS,
  graceMs: GRACE_MS,
  checkMs: CHECK_MS
})

/** The call after these commands, one each second, the first at T0. It is frozen: a decision that changes it throws. */
export function after(...commands: CallCommand[]): CallState {
  let state: CallState | null = null
  commands.forEach((command, i) => {
    state = decideCall(state, command, T0 + i * 1000).state
  })
  if (state === null) throw new Error('there is no call without commands')
  return freeze(state)
}

export const ringing = (changes: CreateChanges = {}) => after(create(changes))
export const connecting = () => after(create(), accept(laptop))
export const connected = () => after(create(), accept(laptop), simple('connected', phone))
export const ended = () => after(create(), accept(laptop), hangup(phone))

export const transfer = (
  actor: Endpoint,
  { user, device = null }: { readonly user: string; readonly device?: string | null } = { user: carol.user },
  isMuted = false
): CommandOf<'transfer'> => ({ type: 'transfer', actor, to: { user, device }, ringMs: RING_MS, isMuted, wakes: null })
export const cancelTransfer = (actor: Endpoint): CallCommand => ({ type: 'cancelTransfer', actor })

const NEGOTIATED = () => [
  create({ offer: parseDescription(sdp('alice1')) }),
  accept(laptop, { answer: parseDescription(sdp('bob1')) }),
  simple('connected', phone)
]
/** alice transfers bob to carol, whose devices are a pad and a tv. */
export const transferring = (...more: CallCommand[]) => after(...NEGOTIATED(), transfer(phone), ...more)
/** alice has hung up meanwhile. */
export const transferorLeft = (...more: CallCommand[]) => transferring(hangup(phone), ...more)
export const transferred = (...more: CallCommand[]) => transferring(accept(carol), ...more)

/** The decision, or the error that was thrown. */
export function attempt(state: CallState | null, command: CallCommand, now: number): CallDecision | AppError {
  try {
    return decideCall(state, command, now)
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}

/** Like `attempt`, but throws if the command is refused. */
export function decide(state: CallState | null, command: CallCommand, now = T0 + 5000): CallDecision {
  const outcome = attempt(state, command, now)
  if (outcome instanceof AppError) throw new Error(`refused with ${outcome.code}`, { cause: outcome })
  return outcome
}

/** `<phase>: <recipients> <event>(<reason>); …`; `same` if nothing changed; or the error code. */
export function outcomeOf(state: CallState | null, command: CallCommand, now = T0 + 5000): string {
  const outcome = attempt(state, command, now)
  if (outcome instanceof AppError) return outcome.code
  const events = outcome.events.map(event => `${nameOf(event.to)} ${nameOfEvent(event)}`).join('; ')
  const what = outcome.state === state ? 'same' : outcome.state.phase
  return events === '' ? what : `${what}: ${events}`
}

function nameOf({ user, device, except }: Recipients): string {
  if (device !== undefined) return `${user}/${device}`
  return except === undefined ? user : `${user} but ${[...new Set(except)].join(' ')}`
}

function nameOfEvent({ type, data }: CallEvent): string {
  const short = type.replace(/^call\.|^signal\./, '')
  return type === 'call.ended' ? `${short}(${data.reason})` : short
}

export function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(freeze)
  }
  return value
}

/** Whether an event to these recipients goes to this device. */
export const reaches = ({ user, device, except }: Recipients, to: Endpoint): boolean =>
  user === to.user && (device === undefined || device === to.device) && !(except ?? []).includes(to.device)
