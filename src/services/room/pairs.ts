// Offers, answers and candidates from one participant of a room to another. Both must be in the room when the request is handled. What the
// two negotiate is an aggregate of its own, the pair (domain/room/pair.ts).
import type { Broadcast } from '../../domain/negotiation/broadcast.js'
import {
  type CandidateBatch,
  NO_OUTCOMES,
  readCandidates,
  readOptionalCandidates,
  ufragOf
} from '../../domain/negotiation/candidate.js'
import { parseDescription } from '../../domain/negotiation/sdp.js'
import { findParticipantRecord, partsOfAccess, requireParticipant } from '../../domain/room/access.js'
import {
  decidePair,
  dropWaitingCandidates,
  endPair,
  inMode,
  type JoinedParticipant,
  judgePairCandidates,
  newPair,
  orderByJoin,
  type PairCommand,
  type PairState,
  pairId,
  refuseOutdated,
  toJoinedParticipant
} from '../../domain/room/pair.js'
import { PART } from '../../domain/room/state.js'
import { modeSinceOf } from '../../domain/sfu/mode.js'
import { AppError } from '../../errors.js'
import { splitIds } from '../../id-text.js'
import type { Actor } from '../../schemas/claims.js'
import type { RoomCandidatesRequest, RoomDescriptionRequest } from '../../schemas/room-signal.js'
import type { CandidateOutcomes, CandidatesReply, DescriptionReply } from '../../schemas/signal.js'
import type { Context } from '../context.js'
import { recordKeepalive } from '../device/keepalive.js'
import { NO_DELIVERY } from '../mail.js'
import { createUpdater } from '../update-aggregate.js'
import { type ReadRoom, readRoom } from './parts.js'
import type { RoomPath } from './paths.js'
import { afterPublication } from './update-room.js'

/** How often a pair is checked. A check ends the pair of a participant who has left, and drops candidates that wait. */
const CHECK_EVERY_MS = 600_000

const pairs = createUpdater<PairState>({
  kind: 'pair',
  cacheIn: context => context.pairs,
  deadlineOf: ({ checkAt }) => checkAt,
  isOver: ({ checkAt }) => checkAt === null,
  partiesOf: ({ peers }) => [peers.earlier.user, peers.later.user],
  isReleased: async (context, { roomId, since }) => isPublished(await readRoom(context, roomId, []), since)
})

/** A room that was created anew counts its versions from 1, and its log of before is gone: then `since` may be above its version. */
const isPublished = ({ version, publishedVersion }: ReadRoom, since: number): boolean =>
  publishedVersion >= Math.min(since, version)

/** Also delivers the signals that the pair holds, if what they wait for has been published. */
export const readPair = pairs.read

type DescriptionRequest = RoomPath & RoomDescriptionRequest & { readonly type: 'offer' | 'answer' }

/** @throws AppError not_in_room, participant_not_found, invalid_sdp, offer_collision, stale_revision, no_offer_pending, revision_required, … */
export async function sendRoomDescription(
  context: Context,
  actor: Actor,
  { roomId, to, type, sdp, revision, ...candidates }: DescriptionRequest
): Promise<DescriptionReply> {
  const description = parseDescription(sdp, context.config.maxSdpBytes)
  const batch = readOptionalCandidates(candidates)
  const pair = await readResolvedPair(context, actor, { roomId, to })
  if (batch) await chargeWaiting(context, pair, without(description.ufrags, batch))
  const { state, outcomes, delivery } = await signalPair(context, pair, { type, description, revision, batch })
  await signalBroadcast(context, pair)
  await releaseAfterPublication(context, [pair])
  recordKeepalive(context, actor)
  return { revision: state.negotiation.revision, delivery, ...(outcomes && { outcomes }) }
}

/** The candidates of other generations than these: they will wait. */
const without = (ufrags: readonly string[], { candidates }: CandidateBatch): CandidateBatch => ({
  candidates: candidates.filter(candidate => {
    const ufrag = ufragOf(candidate)
    return ufrag !== null && !ufrags.includes(ufrag)
  })
})

/**
 * Sends candidates to one participant. For all others at once see broadcast.ts.
 * @throws AppError not_in_room, participant_not_found, invalid_candidate, stale_candidate, too_many_waiting_candidates, rate_limited
 */
export async function sendRoomCandidates(
  context: Context,
  actor: Actor,
  { roomId, to, ...request }: RoomPath & RoomCandidatesRequest & { readonly to: string }
): Promise<CandidatesReply> {
  const batch = readCandidates(request)
  const pair = await readResolvedPair(context, actor, { roomId, to })
  await chargeWaiting(context, pair, batch)
  const { outcomes = NO_OUTCOMES, delivery } = await signalPair(context, pair, { type: 'candidates', batch })
  await releaseAfterPublication(context, [pair])
  recordKeepalive(context, actor)
  return { ...outcomes, delivery }
}

/**
 * Charges the sender for the candidates that will wait, in KiB: each pair bounds them, but a participant has as many pairs as there are
 * others in the room.
 * @throws AppError rate_limited
 */
async function chargeWaiting(context: Context, pair: ResolvedPair, batch: CandidateBatch): Promise<void> {
  if (batch.candidates.length === 0) return
  const { roomId, order, sender } = pair
  const found = context.pairs.get(pair.id)?.state ?? (await readPair(context, pair.id)) ?? newPair(roomId, order)
  const state = inMode(found, pair.modeSince)
  if (judgePairCandidates(state, sender.participantId, batch).held.length === 0) return
  const bytes = Buffer.byteLength(JSON.stringify(batch.candidates))
  await context.budgets.spend(sender.user, 'waiting', Math.ceil(bytes / 1024))
}

/** The pair's deadline has come: ends the pair if one of its participants has left, else drops the candidates that wait. */
export async function checkPair(context: Context, id: string): Promise<void> {
  const [roomId = '', earlier = '', later = ''] = splitIds(id)
  const room = await readRoom(context, roomId, [earlier, later].map(PART.participant))
  const areBothIn = [earlier, later].every(participantId => findParticipantRecord(room, participantId) !== null)
  await pairs.update(context, { id }, (state, now) => {
    if (state === null) throw new AppError('participant_not_found')
    const decision = areBothIn ? dropWaitingCandidates(state, now + CHECK_EVERY_MS) : endPair(state)
    return { ...decision, isHeld: !isPublished(room, state.since) }
  })
}

/** Sends what the sender broadcast before this description. Called after its commit, see the race in broadcast.ts. */
async function signalBroadcast(context: Context, pair: ResolvedPair): Promise<void> {
  const part = PART.broadcast(pair.sender.participantId)
  const broadcast = (await readRoom(context, pair.roomId, [part])).get<Broadcast>(part)
  if (broadcast?.modeSince === pair.modeSince) await signalPair(context, pair, { type: 'broadcast', broadcast })
}

/** The sender of a signal, its recipient, and their pair. */
export interface ResolvedPair {
  readonly roomId: string
  /** The id of the pair. */
  readonly id: string
  readonly order: ReturnType<typeof orderByJoin>
  readonly sender: JoinedParticipant
  readonly peer: JoinedParticipant
  /** See PairState. */
  readonly modeSince: number
  /**
   * The later of the joining of the later one and the last change of the mode is not published yet. Signals are held, so that they arrive
   * after `room.participant_joined` and `room.updated`.
   */
  readonly isHeld: boolean
  /** The version of the room that has to be published. */
  readonly since: number
}

/** Reads PART.settings. */
export function resolvePair(room: ReadRoom, sender: JoinedParticipant, peer: JoinedParticipant): ResolvedPair {
  const { roomId, publishedVersion } = room
  const order = orderByJoin(sender, peer)
  const modeSince = modeSinceOf(room)
  const since = Math.max(order.later.since, modeSince)
  return { roomId, id: pairId(roomId, order), order, sender, peer, modeSince, since, isHeld: publishedVersion < since }
}

export async function signalPair(context: Context, pair: ResolvedPair, command: PairCommand) {
  const { roomId, id, order, sender, peer, isHeld, modeSince } = pair
  let outcomes: CandidateOutcomes | undefined
  const { state, deliveries } = await pairs.update(context, { id }, async (found, now) => {
    const input = { from: sender.participantId, command, checkAt: now + CHECK_EVERY_MS, isHeld, modeSince }
    if (found && (await isOutdated(context, pair, found))) return refuseOutdated(found, input)
    const decision = decidePair(found ?? newPair(roomId, order), input)
    outcomes = decision.outcomes
    return decision
  })
  return {
    state,
    outcomes: outcomes as CandidateOutcomes | undefined,
    delivery: deliveries.get(peer.user) ?? NO_DELIVERY
  }
}

/** The mode has changed since the request read the room. False also if `found` is of another mode: then that one is over. */
async function isOutdated(context: Context, { roomId, modeSince }: ResolvedPair, found: PairState): Promise<boolean> {
  if (found.modeSince === modeSince) return false
  return modeSinceOf(await readRoom(context, roomId, [PART.settings])) !== modeSince
}

/**
 * Schedules the delivery of the signals that these pairs of one room hold, for when what they wait for has been published. The signals are
 * stored: if this fails, or this node dies, the timers of any node deliver them.
 */
export async function releaseAfterPublication(context: Context, all: readonly ResolvedPair[]): Promise<void> {
  const held = all.filter(({ isHeld }) => isHeld)
  const [first] = held
  if (first === undefined) return
  const { roomId } = first
  const version = Math.max(...held.map(({ since }) => since))
  const tasks = held.map(({ id }) => ({ kind: 'pair' as const, id }))
  try {
    if (await afterPublication(context, roomId, { version, tasks })) return
    await Promise.all(held.map(({ id }) => readPair(context, id)))
  } catch (error) {
    context.log.warn({ err: error, roomId }, 'delivery of held signals not scheduled; timers deliver them')
  }
}

interface SignalTarget extends RoomPath {
  /** The participant id of the recipient. */
  readonly to: string
}

async function readResolvedPair(context: Context, actor: Actor, { roomId, to }: SignalTarget): Promise<ResolvedPair> {
  const room = await readRoom(context, roomId, [...partsOfAccess(actor), PART.participant(to)])
  const sender = requireSender(context, room, actor)
  if (sender.participantId === to) throw new AppError('cannot_signal_self')
  const peer = findParticipantRecord(room, to)
  if (peer === null) throw unknownParticipant(context, actor, { roomId, to })
  return resolvePair(room, sender, toJoinedParticipant(peer))
}

/** @throws AppError room_not_found, room_closed, not_in_room, not_permitted, banned */
export const requireSender = ({ clock }: Context, room: ReadRoom, actor: Actor): JoinedParticipant =>
  toJoinedParticipant(requireParticipant('signal', room, { actor, now: clock.now() }).participant)

/** Logged: the participant has just left, or the client guesses ids. */
function unknownParticipant(context: Context, { user }: Actor, target: SignalTarget): AppError {
  context.log.info({ user, ...target }, 'signal to an unknown participant')
  return new AppError('participant_not_found')
}
