// WHIP and WHEP clients leave when their media is gone: the media service has closed their transport, the media session is lost, or nothing that
// they view is published any more. They have no connection by which a device is judged.
import { findParticipantRecord } from '../../domain/room/access.js'
import { PART, type ParticipantRecord, type RoomDecision } from '../../domain/room/state.js'
import { decideLost, decideTransportClosed, partsOfViewed, whipLostAt } from '../../domain/whip/participation.js'
import type { MediaEvent } from '../../schemas/media-service.js'
import type { Context } from '../context.js'
import { removeMembershipsOfRemoved } from '../room/memberships.js'
import { type ReadRoom, readRoom } from '../room/parts.js'
import { changeOpenRoom } from '../room/update-room.js'

/** Resolves to when the first of them has to be checked again. `room` has PART.settings and PART.sfu. */
export async function checkWhipClients(
  context: Context,
  room: ReadRoom,
  participants: readonly ParticipantRecord[]
): Promise<number> {
  const now = context.clock.now()
  const viewed = new Set(participants.flatMap(partsOfViewed))
  const media = viewed.size === 0 ? room : await readRoom(context, room.roomId, [PART.settings, PART.sfu, ...viewed])
  const checked = participants.map(participant => ({ participant, at: whipLostAt(media, participant) }))
  const lost = checked.filter(({ at }) => at <= now)
  await Promise.all(
    lost.map(({ participant }) => leave(context, { roomId: room.roomId, participant, decide: decideLost }))
  )
  return Math.min(...checked.filter(({ at }) => at > now).map(({ at }) => at))
}

/** Idempotent: the node that has taken the events may have died before this. */
export async function removeClientsOfTransports(
  context: Context,
  roomId: string,
  events: readonly MediaEvent[]
): Promise<void> {
  const closed = events.flatMap(event => (event.type === 'transport_closed' ? [event.participantId] : []))
  if (closed.length === 0) return
  const room = await readRoom(context, roomId, closed.map(PART.participant))
  for (const participantId of new Set(closed)) {
    const record = findParticipantRecord(room, participantId)
    if (record?.whip) await leave(context, { roomId, participant: record, decide: decideTransportClosed })
  }
}

interface Leaving {
  readonly roomId: string
  readonly participant: ParticipantRecord
  readonly decide: (room: ReadRoom, participantId: string, now: number) => RoomDecision
}

async function leave(context: Context, { roomId, participant, decide }: Leaving): Promise<void> {
  const { participantId, user } = participant
  const parts = [PART.sfu, PART.participant(participantId), PART.user(user), ...partsOfViewed(participant)]
  const { decision, room } = await changeOpenRoom(context, { roomId, parts }, (before, now) =>
    decide(before, participantId, now)
  )
  await removeMembershipsOfRemoved(context, room, decision)
}
