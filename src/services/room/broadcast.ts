// Candidates for all other participants of a room. A batch is stored once, with its sender. It is sent at once in each pair in which the
// sender has sent a description of the same ICE generation; the other pairs send it after that description (signalBroadcast in pairs.ts).
//
// Race: a description may be committed at the same moment. The batch is stored before any pair is read, and a description reads the stored
// batches after its commit, so at least one of the two sends the batch. The state of the pair says which candidates it has sent, so none is
// sent twice.
import { type Broadcast, withBatch } from '../../domain/negotiation/broadcast.js'
import { type CandidateBatch, readCandidates } from '../../domain/negotiation/candidate.js'
import { classifyBroadcast } from '../../domain/negotiation/candidates.js'
import { NO_SIGNALS, type SideSignals } from '../../domain/negotiation/state.js'
import { findParticipantRecord, partsOfAccess, requireAccess } from '../../domain/room/access.js'
import { isDescribedBy, signalsOf, toJoinedParticipant } from '../../domain/room/pair.js'
import { PART, type ParticipantHead } from '../../domain/room/state.js'
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Delivery } from '../../schemas/common.js'
import type { CandidateOutcomes, CandidatesReply, CandidatesRequest } from '../../schemas/signal.js'
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
  { roomId, ...request }: RoomPath & CandidatesRequest
): Promise<CandidatesReply> {
  const batch = readCandidates(request)
  const others = await findOthers(context, actor, { roomId, batch })
  const [first] = others
  if (first === undefined) return { ...classifyBroadcast([], batch), delivery: NO_DELIVERY }
  const broadcast = await storeBroadcast(context, first, batch)
  const sent = await Promise.all(others.map(pair => signalBatch(context, pair, broadcast)))
  await releaseAfterPublication(context, others)
  recordKeepalive(context, actor)
  const sides = sent.map(({ signaled }) => signaled)
  const sum = (key: keyof Delivery) => sent.reduce((total, { delivery }) => total + delivery[key], 0)
  return {
    ...requireAccepted(classifyBroadcast(sides, batch)),
    delivery: { online: sum('online'), queued: sum('queued') }
  }
}

/** @throws AppError stale_candidate if all are rejected */
function requireAccepted(verdict: CandidateOutcomes): CandidateOutcomes {
  const { accepted, rejected } = verdict
  const [first] = rejected
  if (first && accepted === 0) throw new AppError(first.code, { detail: first.detail, extra: { rejected } })
  return verdict
}

/** The pairs with all other participants. The actor is charged for each of them. */
async function findOthers(
  context: Context,
  actor: Actor,
  { roomId, batch }: RoomPath & { readonly batch: CandidateBatch }
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

/** Adds the batch to what the sender has broadcast, and resolves to all of it. */
async function storeBroadcast(
  context: Context,
  { roomId, sender, modeSince }: ResolvedPair,
  batch: CandidateBatch
): Promise<Broadcast> {
  const { participantId } = sender
  const part = PART.broadcast(participantId)
  const parts = [PART.participant(participantId), part]
  const { decision } = await changeRoom(context, { roomId, parts }, room => {
    if (findParticipantRecord(room, participantId) === null) throw new AppError('not_in_room')
    return { writes: { [part]: withBatch(room.get<Broadcast>(part), batch, modeSince) }, events: [] }
  })
  return decision.writes[part] as Broadcast
}

interface SentBatch {
  /** What the sender has signaled to the other participant, this batch included if it was sent. */
  readonly signaled: SideSignals
  readonly delivery: Delivery
}

/** Sends nothing in a pair in which the sender has sent no description: the batch waits for it. */
async function signalBatch(context: Context, pair: ResolvedPair, broadcast: Broadcast): Promise<SentBatch> {
  const from = pair.sender.participantId
  const cached = context.pairs.get(pair.id)?.state
  // A cached state may be old, so the store is read before the conclusion that there is no description.
  const state = cached && isDescribedBy(cached, from) ? cached : await readPair(context, pair.id)
  if (state === null || !isDescribedBy(state, from)) return { signaled: NO_SIGNALS, delivery: NO_DELIVERY }
  const { state: after, delivery } = await signalPair(context, pair, { type: 'broadcast', broadcast })
  return { signaled: signalsOf(after, from), delivery }
}
