// WHIP and WHEP clients join a room, are found by their session URL, and leave.
import type { MediaOwner } from '../../adapters/media-requests.js'
import { endpoint } from '../../domain/endpoint.js'
import { findParticipantRecord, partsOfAccess, requireAccess, requireParticipant } from '../../domain/room/access.js'
import { leaveRoom } from '../../domain/room/participants.js'
import { NO_CHANGE, PART, type ParticipantRecord, participantIdOf } from '../../domain/room/state.js'
import type { ViewedProducer, WhipParticipation } from '../../domain/room/whip-client.js'
import { credentialDigest } from '../../domain/whip/fragment.js'
import { decideTransport, decideWhipJoin, SETUP_MS, whipDevicePrefix } from '../../domain/whip/participation.js'
import type { TransportDescription } from '../../domain/whip/rtp.js'
import { AppError } from '../../errors.js'
import { idFromKey } from '../../ids.js'
import type { Actor } from '../../schemas/claims.js'
import type { MediaKind } from '../../schemas/sfu-rtp.js'
import type { Context } from '../context.js'
import { chargeCreate } from '../room/create-charge.js'
import { addMembership, commitJoin, removeMemberships } from '../room/memberships.js'
import { type ReadRoom, readRoom } from '../room/parts.js'
import type { ParticipantPath, RoomPath } from '../room/paths.js'
import { withJoinPolicy } from '../room/room-policy.js'
import { readServiceSettings } from '../room/room-service.js'
import { changeOpenRoom, changeRoom } from '../room/update-room.js'
import { mediaUnavailable } from '../sfu/media-services.js'

/** Each client has one transport on the media service. */
export const TRANSPORT_ID = 'whip'

export type Via = WhipParticipation['via']

export interface WhipClient extends ParticipantPath {
  /** The user of the request, with the device name of the client. */
  readonly actor: Actor
}

export interface JoinedClient extends WhipClient {
  /** False: an earlier request with the same Idempotency-Key has joined. */
  readonly isNew: boolean
}

export interface JoiningClient extends RoomPath {
  readonly via: Via
  readonly kinds: readonly MediaKind[]
  readonly idempotencyKey?: string | undefined
  /** Parts of the room that `check` reads. */
  readonly parts?: readonly string[]
  /** Refuses before anything is written. */
  readonly check?: (room: ReadRoom) => void
}

/** @throws AppError as joinRoom, and not_sfu, too_many_media */
export async function joinWhipClient(
  context: Context,
  { user, device, ...token }: Actor,
  { roomId, via, kinds, idempotencyKey, parts = [], check }: JoiningClient
): Promise<JoinedClient> {
  const { config, ids, clock } = context
  // A retry with the same key finds the client that the first request has left.
  const name = idempotencyKey === undefined ? ids.unique() : idFromKey(user, idempotencyKey, roomId)
  const actor: Actor = { ...token, user, device: whipDevicePrefix(via) + name }
  const participantId = participantIdOf(actor, ids.tag() + ids.tag())
  const serviceSettings = await readServiceSettings(context, actor, roomId)
  const whip = { via, device, transport: null }
  const joining = { participantId, metadata: {}, replace: false, whip, kinds }
  const command = { ...joining, maxParticipants: config.roomMaxParticipants, serviceSettings }
  const decide = withJoinPolicy(context, { actor, roomId }, actor => (room: ReadRoom, now) => ({
    ...decideWhipJoin(room, { ...command, actor }, now),
    deadlineAt: now + SETUP_MS
  }))
  // Decided once before anything is written or charged, so that a refusal leaves nothing behind.
  const first = await readRoom(context, roomId, [...partsOfAccess(actor), ...parts])
  if (check) {
    decideWhipJoin(first, { ...command, actor }, clock.now())
    check(first)
  }
  const decision = await decide(first, clock.now())
  await chargeCreate(context, actor, decision)
  const own = PART.participantOf(actor)
  const participation = { user, device: actor.device, participantId }
  const isNew = first.get<ParticipantRecord>(own) === null
  const { decision: made, room } = await commitJoin(context, { roomId, participation, isNew }, () =>
    changeRoom(context, { roomId, parts: partsOfAccess(actor), payer: user }, decide)
  )
  const record = (made.writes[own] as ParticipantRecord | undefined) ?? room.get<ParticipantRecord>(own)
  const joinedId = record?.participantId ?? participantId
  const hasJoined = joinedId === participantId
  // Another request with the same key has joined in between.
  if (!hasJoined) await addMembership(context, { ...participation, participantId: joinedId }, roomId)
  return { actor, roomId, participantId: joinedId, isNew: hasJoined }
}

/** If `setUp` fails, a client that this request has joined leaves again. @throws AppError what `setUp` throws */
export async function orLeave<T>(context: Context, client: JoinedClient, setUp: () => Promise<T>): Promise<T> {
  try {
    return await setUp()
  } catch (error) {
    if (client.isNew)
      await leave(context, client).catch(cause =>
        context.log.debug(
          { err: cause, roomId: client.roomId },
          'WHIP client not removed; the next check of the room does'
        )
      )
    // The session was replaced between two requests to the media service.
    throw error instanceof AppError && error.code === 'media_not_found' ? mediaUnavailable(error) : error
  }
}

async function leave(context: Context, { actor, roomId, participantId }: WhipClient): Promise<void> {
  const parts = [PART.participantOf(actor), PART.user(actor.user)]
  await changeOpenRoom(context, { roomId, parts }, (room, now) => {
    const record = findParticipantRecord(room, participantId)
    return record ? leaveRoom(room, record, { reason: 'left', by: endpoint(actor), now }) : NO_CHANGE
  })
  await removeMemberships(context, roomId, [{ ...endpoint(actor), participantId }])
}

interface RecordedTransport {
  readonly owner: MediaOwner
  readonly transport: Omit<TransportDescription, 'dtlsParameters'>
  /** What a WHEP client receives. */
  readonly viewed?: readonly ViewedProducer[]
}

/** Records the transport that was set up. @throws AppError not_in_room, media_unavailable */
export async function recordTransport(
  context: Context,
  { roomId, participantId }: WhipClient,
  { owner: { sessionId }, transport: { iceParameters, iceCandidates }, ...viewer }: RecordedTransport
): Promise<string> {
  const iceDigest = credentialDigest(iceParameters)
  const parts = [PART.settings, PART.sfu, PART.participant(participantId)]
  await changeRoom(context, { roomId, parts }, room =>
    decideTransport(room, { participantId, transport: { sessionId, iceDigest, iceCandidates }, ...viewer })
  )
  return iceDigest
}

/**
 * The client of this session URL, which only its user may use.
 * @throws AppError participant_not_found, and as requireAccess
 */
export async function findWhipClient(
  context: Context,
  actor: Actor,
  { roomId, participantId, via }: ParticipantPath & { readonly via: Via }
): Promise<{ readonly client: WhipClient; readonly whip: WhipParticipation }> {
  const room = await readRoom(context, roomId, [...partsOfAccess(actor), PART.participant(participantId)])
  const record = findParticipantRecord(room, participantId)
  if (record?.user !== actor.user || record.whip?.via !== via) {
    // To a user who is not related to the room, its participants do not exist either.
    requireAccess('know', room, { actor, now: context.clock.now() })
    throw new AppError('participant_not_found')
  }
  const own = { ...actor, device: record.device }
  requireParticipant('takePart', room, { actor: own, now: context.clock.now() })
  return { client: { actor: own, roomId, participantId }, whip: record.whip }
}
