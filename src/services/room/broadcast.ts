// Candidates for all others in a room. They are kept once, with their sender, and passed on at once to those to whom the sender has
// described them; the pairs with the others take them from there when their description comes (services/room/pairs.ts).
//
// The batch is kept before any pair is looked at, and a description looks at what is kept after its commit: so one of the two
// sees the other. What a pair has taken is part of its state, so nothing is sent twice.
import { type Broadcast, withBatch } from '../../domain/negotiation/broadcast.js'
import { checkCandidates } from '../../domain/negotiation/sdp.js'
import { findParticipantRecord, partsOfAccess, requireAccess } from '../../domain/room/access.js'
import { countNotCurrent, isDescribedBy, toJoinedParticipant } from '../../domain/room/pair.js'
import { PART, type ParticipantHead } from '../../domain/room/state.js'
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Delivery } from '../../schemas/common.js'
import type { CandidatesRequest, CandidatesResponse } from '../../schemas/signal.js'
import { deliveryCost } from '../budgets.js'
import type { Context } from '../context.js'
import { recordKeepalive } from '../device/keepalive.js'
import { NO_DELIVERY } from '../mail.js'
import {
  type ResolvedPair,
  readPair,
  releaseAfterPublication,
  requireSender,
  resolvePair,
  signalPair
} from './pairs.js'
import { readRoom } from './parts.js'
import type { RoomPath } from './paths.js'
import { changeRoom } from './update-room.js'

/** @throws AppError not_in_room, not_permitted, invalid_candidate, too_many_waiting_candidates, rate_limited, … */
export async function broadcastCandidates(
  context: Context,
  actor: Actor,
  { roomId, ...batch }: RoomPath & CandidatesRequest
): Promise<CandidatesResponse> {
  checkCandidates(batch.candidates)
  const others = await findOthers(context, actor, { roomId, batch })
  const [first] = others
  if (first === undefined) return { accepted: batch.candidates.length, waiting: 0, delivery: NO_DELIVERY }
  const broadcast = await storeBroadcast(context, first, batch)
  const sent = await Promise.all(others.map(two => signalBatch(context, two, { batch, broadcast })))
  await releaseAfterPublication(context, others)
  recordKeepalive(context, actor)
  const sum = (key: keyof Delivery) => sent.reduce((total, { delivery }) => total + delivery[key], 0)
  const waiting = Math.max(0, ...sent.map(each => each.waiting))
  return { accepted: batch.candidates.length, waiting, delivery: { online: sum('online'), queued: sum('queued') } }
}

/** All others in the room; their number is charged. */
async function findOthers(
  context: Context,
  actor: Actor,
  { roomId, batch }: RoomPath & { readonly batch: CandidatesRequest }
): Promise<ResolvedPair[]> {
  const room = await readRoom(context, roomId, [...partsOfAccess(actor), PART.participantHeads])
  const sender = requireSender(context, room, actor)
  requireAccess('broadcast', room, { actor, now: context.clock.now() })
  const others = room
    .list<ParticipantHead>(PART.participantHeads)
    .flatMap(([, head]) => (head.participantId === sender.participantId ? [] : toJoinedParticipant(head)))
  const bytes = Buffer.byteLength(JSON.stringify(batch))
  if (others.length > 0) await context.budgets.spend(actor.user, 'deliveries', deliveryCost(others.length, bytes))
  return others.map(peer => resolvePair(room, sender, peer))
}

/** Resolves to all that the participant has broadcast. */
async function storeBroadcast(
  context: Context,
  { roomId, sender }: ResolvedPair,
  batch: CandidatesRequest
): Promise<Broadcast> {
  const { participantId } = sender
  const part = PART.broadcast(participantId)
  const parts = [PART.participant(participantId), part]
  const { decision } = await changeRoom(context, { roomId, parts }, room => {
    if (findParticipantRecord(room, participantId) === null) throw new AppError('not_in_room')
    return { writes: { [part]: withBatch(room.get<Broadcast>(part), batch) }, events: [] }
  })
  return decision.writes[part] as Broadcast
}

/** To whom nothing was described yet gets it with the description. */
async function signalBatch(
  context: Context,
  two: ResolvedPair,
  { batch, broadcast }: { batch: CandidatesRequest; broadcast: Broadcast }
): Promise<{ readonly waiting: number; readonly delivery: Delivery }> {
  const from = two.sender.participantId
  const known = context.pairs.get(two.id)?.state
  // What this node knows may be old: only the store can say that nothing was described.
  const state = known && isDescribedBy(known, from) ? known : await readPair(context, two.id)
  if (state === null || !isDescribedBy(state, from)) return { waiting: batch.candidates.length, delivery: NO_DELIVERY }
  const { state: after, delivery } = await signalPair(context, two, { type: 'broadcast', broadcast })
  return { waiting: countNotCurrent(after, from, batch), delivery }
}
