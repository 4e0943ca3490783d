// Offers, answers and candidates in a room: to one participant, candidates also to all others. Sender and target must both be in
// the room when it is asked; what they negotiate is an aggregate of its own (domain/pair.ts).
import { claimFor, mustBeGranted } from '../domain/grants.js'
import {
  countPairWaiting,
  decidePair,
  endPair,
  inOrder,
  type Joined,
  keepPair,
  newPair,
  type PairCommand,
  type PairState,
  pairId
} from '../domain/pair.js'
import { openRoom } from '../domain/room.js'
import { type Member, PART } from '../domain/room-state.js'
import { checkCandidates, parseDescription } from '../domain/sdp.js'
import { AppError } from '../errors.js'
import type { Actor } from '../schemas/claims.js'
import type { Delivery, Endpoint } from '../schemas/common.js'
import type { RoomCandidatesBody, RoomDescriptionBody } from '../schemas/room-signal.js'
import type { CandidatesReply } from '../schemas/signal.js'
import { createLoop } from './aggregates.js'
import type { Context } from './context.js'
import { type ReadRoom, readRoom, untilTold } from './room-commit.js'
import { noteSignOfLife } from './sign-of-life.js'

/** How often a pair is looked at, so that nothing is kept for participants who have left. */
const CHECK_EVERY_MS = 600_000

const pairs = createLoop<PairState>({
  kind: 'pair',
  known: context => context.pairs,
  deadlineOf: ({ checkAt }) => checkAt,
  isOver: ({ checkAt }) => checkAt === null,
  partiesOf: ({ peers }) => [peers.earlier.user, peers.later.user],
  holdsLeases: false,
  record: () => undefined
})

export const readPair = pairs.read

/** @throws AppError not_in_room, participant_not_found, invalid_sdp, offer_collision, stale_revision, no_offer_pending, … */
export async function sendRoomDescription(
  context: Context,
  actor: Actor,
  roomId: string,
  { to, sdp, revision, type }: RoomDescriptionBody & { readonly type: 'offer' | 'answer' }
): Promise<{ revision: number; delivery: Delivery }> {
  const command = { type, description: parseDescription(sdp), revision }
  const [me, peer] = await bothIn(context, actor, roomId, to)
  const { state, deliveries } = await speak(context, roomId, { me, peer, command })
  noteSignOfLife(context, actor)
  return { revision: state.negotiation.revision, delivery: deliveries.get(peer.user) ?? NOBODY }
}

/** Without `to` they go to all others. @throws AppError not_in_room, participant_not_found, invalid_candidate, stale_candidate, … */
export async function sendRoomCandidates(
  context: Context,
  actor: Actor,
  roomId: string,
  { to, ...batch }: RoomCandidatesBody
): Promise<CandidatesReply> {
  checkCandidates(batch.candidates)
  const targets =
    to === undefined ? await allOthers(context, actor, roomId) : [await bothIn(context, actor, roomId, to)]
  const command = { type: 'candidates' as const, batch }
  const sent = await Promise.all(
    targets.map(async ([me, peer]) => {
      const { before, deliveries } = await speak(context, roomId, { me, peer, command })
      const known = before ?? newPair(roomId, inOrder(me, peer))
      return { held: countPairWaiting(known, me.participantId, batch), delivery: deliveries.get(peer.user) ?? NOBODY }
    })
  )
  noteSignOfLife(context, actor)
  const delivery = {
    online: sum(sent.map(each => each.delivery.online)),
    queued: sum(sent.map(each => each.delivery.queued))
  }
  return { accepted: batch.candidates.length, held: Math.max(0, ...sent.map(each => each.held)), delivery }
}

const NOBODY: Delivery = { online: 0, queued: 0 }
const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)

/** The time has come to see whether both are still in. */
export async function checkPair(context: Context, id: string): Promise<void> {
  const [roomId = '', earlier = '', later = ''] = id.split('/')
  const room = await readRoom(context, roomId, [PART.at(earlier), PART.at(later)])
  const bothThere = room.get(PART.at(earlier)) !== null && room.get(PART.at(later)) !== null
  await pairs.transact(context, id, (state, now) => {
    if (state === null) throw new AppError('participant_not_found')
    return bothThere ? keepPair(state, now + CHECK_EVERY_MS) : endPair(state)
  })
}

type Two = readonly [me: Joined, peer: Joined]

function speak(
  context: Context,
  roomId: string,
  { me, peer, command }: { me: Joined; peer: Joined; command: PairCommand }
) {
  const order = inOrder(me, peer)
  return pairs.transact(context, pairId(roomId, order), (state, now) =>
    decidePair(state ?? newPair(roomId, order), { from: me.participantId, command, checkAt: now + CHECK_EVERY_MS })
  )
}

async function bothIn(context: Context, actor: Actor, roomId: string, to: string): Promise<Two> {
  const first = await readRoom(context, roomId, [PART.settings, PART.member(actor.user, actor.device), PART.at(to)])
  const me = speaker(first, actor)
  if (me.participantId === to) throw new AppError('cannot_signal_self')
  const at = first.get<Endpoint>(PART.at(to))
  if (at === null) throw refused(context, actor, { roomId, to })
  const parts = [PART.member(at.user, at.device), PART.at(to), PART.at(me.participantId)]
  const second = await readRoom(context, roomId, parts)
  const peer = second.get<Member>(PART.member(at.user, at.device))
  if (peer?.participantId !== to) throw refused(context, actor, { roomId, to })
  const both: Two = [joinedIn(second, me), joinedIn(second, peer)]
  await hearOfEachOther(context, second, both)
  return both
}

async function allOthers(context: Context, actor: Actor, roomId: string): Promise<Two[]> {
  const room = await readRoom(context, roomId, 'all')
  const me = joinedIn(room, speaker(room, actor))
  const members = room.list<Member>(PART.members).map(([, member]) => joinedIn(room, member))
  await hearOfEachOther(context, room, members)
  return members.filter(({ participantId }) => participantId !== me.participantId).map(peer => [me, peer] as const)
}

/** Where a participant sits is written when they join and never again. */
const joinedIn = (room: ReadRoom, member: Member): Joined => ({
  ...member,
  since: room.since(PART.at(member.participantId))
})

/** Nobody gets a signal from somebody whose joining they have not been told of. @throws AppError store_unavailable */
function hearOfEachOther(context: Context, room: ReadRoom, members: readonly Joined[]): Promise<void> {
  return untilTold(context, room, Math.max(...members.map(({ since }) => since)))
}

/** @throws AppError room_not_found, room_closed, not_in_room, not_permitted */
function speaker(room: ReadRoom, actor: Actor): Member {
  openRoom(room)
  const me = room.get<Member>(PART.member(actor.user, actor.device))
  if (me === null) throw new AppError('not_in_room')
  mustBeGranted('signal', me.role, claimFor(actor, room.roomId))
  return me
}

/** Counted and logged: a client that signals strangers is broken, or worse. */
function refused(context: Context, { user }: Actor, where: { roomId: string; to: string }): AppError {
  context.log.info({ user, ...where }, 'a signal to somebody who is not in the room')
  return new AppError('participant_not_found')
}
