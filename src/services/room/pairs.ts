// Offers, answers and candidates from one participant of a room to another. Sender and target must both be in
// the room when it is asked; what they negotiate is an aggregate of its own (domain/room/pair.ts).
import type { Broadcast } from '../../domain/negotiation/broadcast.js'
import { checkCandidates, parseDescription } from '../../domain/negotiation/sdp.js'
import { findParticipantRecord, partsOfAccess, requireParticipant } from '../../domain/room/access.js'
import {
  countPairWaiting,
  decidePair,
  dropWaitingCandidates,
  endPair,
  type JoinedParticipant,
  newPair,
  orderByJoin,
  type PairCommand,
  type PairState,
  pairId,
  toJoinedParticipant
} from '../../domain/room/pair.js'
import { PART } from '../../domain/room/state.js'
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Delivery } from '../../schemas/common.js'
import type { RoomCandidatesRequest, RoomDescriptionRequest } from '../../schemas/room-signal.js'
import type { CandidatesRequest, CandidatesResponse } from '../../schemas/signal.js'
import type { Context } from '../context.js'
import { recordKeepalive } from '../device/keepalive.js'
import { NO_DELIVERY } from '../mail.js'
import { createUpdater } from '../update-aggregate.js'
import { type ReadRoom, readRoom } from './parts.js'
import type { RoomPath } from './paths.js'
import { afterPublication } from './update-room.js'

/** How often a pair is looked at, so that nothing is kept for participants who have left. */
const CHECK_EVERY_MS = 600_000

const pairs = createUpdater<PairState>({
  kind: 'pair',
  cacheIn: context => context.pairs,
  deadlineOf: ({ checkAt }) => checkAt,
  isOver: ({ checkAt }) => checkAt === null,
  partiesOf: ({ peers }) => [peers.earlier.user, peers.later.user],
  isReleased: async (context, { roomId, since }) => isPublished(await readRoom(context, roomId, []), since)
})

/** A room that began anew counts from one; what was to be published before has gone with it. */
const isPublished = ({ version, publishedVersion }: ReadRoom, since: number): boolean =>
  publishedVersion >= Math.min(since, version)

/** Also delivers what it holds back, once the two know of each other. */
export const readPair = pairs.read

export interface SentDescription {
  readonly revision: number
  readonly delivery: Delivery
}

/** @throws AppError not_in_room, participant_not_found, invalid_sdp, offer_collision, stale_revision, no_offer_pending, … */
export async function sendRoomDescription(
  context: Context,
  actor: Actor,
  { roomId, to, type, sdp, revision }: RoomPath & RoomDescriptionRequest & { readonly type: 'offer' | 'answer' }
): Promise<SentDescription> {
  const description = parseDescription(sdp)
  const two = await readResolvedPair(context, actor, { roomId, to })
  const { state, delivery } = await signalPair(context, two, { type, description, revision })
  await signalBroadcast(context, two)
  await releaseAfterPublication(context, [two])
  recordKeepalive(context, actor)
  return { revision: state.negotiation.revision, delivery }
}

/** To one participant; to all others: see broadcast.ts. @throws AppError not_in_room, participant_not_found, invalid_candidate, stale_candidate, … */
export async function sendRoomCandidates(
  context: Context,
  actor: Actor,
  { roomId, to, ...batch }: RoomPath & RoomCandidatesRequest & { readonly to: string }
): Promise<CandidatesResponse> {
  checkCandidates(batch.candidates)
  const two = await readResolvedPair(context, actor, { roomId, to })
  await chargeWaiting(context, two, batch)
  const { before, delivery } = await signalPair(context, two, { type: 'candidates', batch })
  await releaseAfterPublication(context, [two])
  recordKeepalive(context, actor)
  return { accepted: batch.candidates.length, waiting: countWaiting(two, before, batch), delivery }
}

/** A participant has as many pairs as others are in the room, and each may keep some. @throws AppError rate_limited, stale_candidate */
async function chargeWaiting(context: Context, two: ResolvedPair, batch: CandidatesRequest): Promise<void> {
  const known = context.pairs.get(two.id)?.state ?? (await readPair(context, two.id))
  if (countWaiting(two, known, batch) === 0) return
  const bytes = Buffer.byteLength(JSON.stringify(batch.candidates))
  await context.budgets.spend(two.sender.user, 'waiting', Math.ceil(bytes / 1024))
}

const countWaiting = (
  { roomId, order, sender }: ResolvedPair,
  known: PairState | null,
  batch: CandidatesRequest
): number => countPairWaiting(known ?? newPair(roomId, order), sender.participantId, batch)

/** The time has come to see whether both are still in. */
export async function checkPair(context: Context, id: string): Promise<void> {
  const [roomId = '', earlier = '', later = ''] = id.split('/')
  const room = await readRoom(context, roomId, [earlier, later].map(PART.participant))
  const bothThere = [earlier, later].every(participantId => findParticipantRecord(room, participantId) !== null)
  await pairs.update(context, { id }, (state, now) => {
    if (state === null) throw new AppError('participant_not_found')
    const mustWait = !isPublished(room, state.since)
    return { ...(bothThere ? dropWaitingCandidates(state, now + CHECK_EVERY_MS) : endPair(state)), isHeld: mustWait }
  })
}

/** What the sender has broadcast before it described this. It is read after the commit: see broadcast.ts. */
async function signalBroadcast(context: Context, two: ResolvedPair): Promise<void> {
  const part = PART.broadcast(two.sender.participantId)
  const broadcast = (await readRoom(context, two.roomId, [part])).get<Broadcast>(part)
  if (broadcast !== null) await signalPair(context, two, { type: 'broadcast', broadcast })
}

/** A participant, and the one it signals to. */
export interface ResolvedPair {
  readonly roomId: string
  /** Of the pair they are. */
  readonly id: string
  readonly order: ReturnType<typeof orderByJoin>
  readonly sender: JoinedParticipant
  readonly peer: JoinedParticipant
  /** One of them may not have been told of the other yet: what they signal is held back until both have. */
  readonly mustWait: boolean
}

export function resolvePair(
  { roomId, publishedVersion }: ReadRoom,
  sender: JoinedParticipant,
  peer: JoinedParticipant
): ResolvedPair {
  const order = orderByJoin(sender, peer)
  return { roomId, id: pairId(roomId, order), order, sender, peer, mustWait: publishedVersion < order.later.since }
}

export async function signalPair(
  context: Context,
  { roomId, id, order, sender, peer, mustWait }: ResolvedPair,
  command: PairCommand
) {
  const { before, state, deliveries } = await pairs.update(context, { id }, (found, now) => {
    const turn = { from: sender.participantId, command, checkAt: now + CHECK_EVERY_MS, mustWait }
    return decidePair(found ?? newPair(roomId, order), turn)
  })
  return { before, state, delivery: deliveries.get(peer.user) ?? NO_DELIVERY }
}

/**
 * What pairs of a room hold back is delivered when the latest joining of theirs has been published to all. It is kept already: if this
 * cannot be written, or its node dies, the timers of any node deliver it.
 */
export async function releaseAfterPublication(context: Context, twos: readonly ResolvedPair[]): Promise<void> {
  const mustWait = twos.filter(two => two.mustWait)
  const [first] = mustWait
  if (first === undefined) return
  const { roomId } = first
  const version = Math.max(...mustWait.map(({ order }) => order.later.since))
  const tasks = mustWait.map(({ id }) => ({ kind: 'pair' as const, id }))
  try {
    if (await afterPublication(context, roomId, { version, tasks })) return
    await Promise.all(mustWait.map(({ id }) => readPair(context, id)))
  } catch (error) {
    context.log.warn({ err: error, roomId }, 'signals are delivered later')
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

/** Counted and logged: a client that signals strangers is broken, or worse. */
function unknownParticipant(context: Context, { user }: Actor, where: SignalTarget): AppError {
  context.log.info({ user, ...where }, 'a signal to somebody who is not in the room')
  return new AppError('participant_not_found')
}
