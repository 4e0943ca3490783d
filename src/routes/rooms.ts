// Rooms: create, join, moderate, leave. Leaving, and removing a participant without a ban, are never rate limited.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { ParticipantId, RoomId, Strict, UserId } from '../schemas/common.js'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import {
  BansReply,
  JoinRoomReply,
  JoinRoomRequest,
  ParticipantReply,
  RemoveQuery,
  RoomAndParticipants,
  RoomReply,
  RoomRequest,
  UpdateParticipantRequest
} from '../schemas/room.js'
import { IDENTITY_QUERY } from '../schemas/stream.js'
import type { Context } from '../services/context.js'
import { listBans, removeBan } from '../services/room/bans.js'
import {
  closeRoom,
  createOrUpdateRoom,
  getRoom,
  joinRoom,
  removeParticipant,
  updateParticipant
} from '../services/room/rooms.js'

export const RoomParams = Type.Object({ roomId: RoomId() }, { ...Strict })
const ParticipantParams = Type.Object({ roomId: RoomId(), participantId: ParticipantId() }, { ...Strict })
const BanParams = Type.Object({ roomId: RoomId(), user: UserId() }, { ...Strict })

const READING = [
  'invalid_request',
  'room_not_found',
  'room_closed',
  'not_permitted',
  'banned',
  'room_service_unavailable',
  'rate_limited'
] as const
const JOINING = [
  'no_media_service',
  'not_in_room',
  'room_locked',
  'room_full',
  'too_many_devices',
  'too_many_rooms'
] as const
const POLICY = ['policy_denied', 'policy_unavailable'] as const
const WRITING = [...READING, ...BODY_PROBLEMS] as const

const CREATE_OR_UPDATE_ROOM = {
  config: { limit: 'signals', optionalBody: true },
  schema: {
    operationId: 'createOrUpdateRoom',
    tags: ['rooms'],
    summary: 'Create or update a room',
    description:
      'Returns 201 with the new room, or 200 with the updated one. What the body leaves out stays as it is. Requires the grant `manage`, which ' +
      'the creator of a room has. A room that no device joins is closed after an hour.\n\n' +
      'The other participants receive `room.updated`. If you set the mode to `p2p`, the reply has the `offerOrder` of that event. `record: true` ' +
      'requires the mode `sfu`.\n\n' +
      'Fails with `room_not_found` if the room exists and you may not see it, or if the room service does not know it.',
    params: RoomParams,
    body: RoomRequest,
    response: { 201: RoomReply, 200: RoomReply, ...problems(...WRITING, ...POLICY, 'no_media_service', 'not_sfu') }
  }
} as const

const GET_ROOM = {
  config: { limit: 'reads' },
  schema: {
    operationId: 'getRoom',
    tags: ['rooms'],
    summary: 'Get a room',
    description:
      'Returns the room and its participants. Allowed for participants, the creator, users with a pending invitation, and users with a claim ' +
      'for the room in their token or from the room service. Requires the grant `join`. Fails with `room_not_found` for all other users.',
    params: RoomParams,
    response: { 200: RoomAndParticipants, ...problems(...READING) }
  }
} as const

const CLOSE_ROOM = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'closeRoom',
    tags: ['rooms'],
    summary: 'Close a room',
    description: 'Removes all participants; they receive `room.closed`. Requires the grant `manage`.',
    params: RoomParams,
    response: { 204: Type.Null({ description: 'The room is closed.' }), ...problems(...WRITING) }
  }
} as const

const JOIN_ROOM = {
  config: { limit: 'signals', optionalBody: true },
  schema: {
    operationId: 'joinRoom',
    tags: ['rooms'],
    summary: 'Join a room',
    description:
      'Adds this device to the room and returns all participants; they receive `room.participant_joined`. The room is created if it does not ' +
      'exist, and the first participant is its host. Joining again returns 200 with the same participation.\n\n' +
      'Requires the grant `join`. A role that you were given in the room is kept when you leave. A members-only room (`defaultRole: "none"`) ' +
      'fails with `room_not_found` for others.',
    params: RoomParams,
    body: JoinRoomRequest,
    response: {
      201: JoinRoomReply,
      200: JoinRoomReply,
      ...problems(...WRITING, ...POLICY, ...JOINING)
    }
  }
} as const

const UPDATE_PARTICIPANT = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'updateParticipant',
    tags: ['rooms'],
    summary: 'Update a participant',
    description:
      'Sets the role, asks to mute, or changes your own metadata. A role belongs to the user: it applies to all their devices, and they keep ' +
      'it when they leave and join again. What the role does not allow them to send is closed: all receive `sfu.producer_closed`. Requires the grant `moderate`, or `manage` to appoint or dismiss a host. Your own metadata requires no ' +
      'grant.',
    params: ParticipantParams,
    body: UpdateParticipantRequest,
    response: { 200: ParticipantReply, ...problems(...WRITING, 'not_in_room', 'participant_not_found') }
  }
} as const

const REMOVE_PARTICIPANT = {
  config: { limit: false, unloadRoute: true },
  schema: {
    operationId: 'removeParticipant',
    tags: ['rooms'],
    summary: 'Leave a room or remove a participant',
    description:
      'With your own participant id you leave. Removing another user requires the grant `moderate`, removing a host `manage`. Neither is rate ' +
      'limited, except with `ban=true`. The others receive `room.participant_left`. To leave, a page that is being closed may use a ticket, ' +
      'with `keepalive: true`.\n\n' +
      'With `ban=true` the user is removed with all devices and may not come back, even to a new room with this id. It works for up to a ' +
      'minute after the participant has left.',
    params: ParticipantParams,
    querystring: Type.Object({ ...RemoveQuery.properties, ...IDENTITY_QUERY }),
    response: {
      204: Type.Null({ description: 'The participant is no longer in the room.' }),
      ...problems(
        'rate_limited',
        ...BODY_PROBLEMS,
        ...(['room_not_found', 'room_closed'] as const),
        ...(['not_permitted', 'banned', 'participant_not_found', 'too_many_bans'] as const)
      )
    }
  }
} as const

const LIST_BANS = {
  config: { limit: 'reads' },
  schema: {
    operationId: 'listBans',
    tags: ['rooms'],
    summary: 'List bans',
    description: 'Returns the users who are banned from the room. Requires the grant `moderate`.',
    params: RoomParams,
    response: { 200: BansReply, ...problems(...READING) }
  }
} as const

const REMOVE_BAN = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'removeBan',
    tags: ['rooms'],
    summary: 'Remove a ban',
    description: 'Allows a banned user to enter the room again. Requires the grant `moderate`.',
    params: BanParams,
    response: { 204: Type.Null({ description: 'The user is not banned.' }), ...problems(...WRITING) }
  }
} as const

export const roomRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.put('/rooms/:roomId', CREATE_OR_UPDATE_ROOM, async ({ actor, params, body }, reply) => {
    const { isNew, ...updated } = await createOrUpdateRoom(context, actor, { ...body, ...params })
    return reply.code(isNew ? 201 : 200).send(updated)
  })

  app.get('/rooms/:roomId', GET_ROOM, ({ actor, params }) => getRoom(context, actor, params))

  app.delete('/rooms/:roomId', CLOSE_ROOM, async ({ actor, params }, reply) => {
    await closeRoom(context, actor, params)
    return reply.code(204).send(null)
  })

  app.post('/rooms/:roomId/participants', JOIN_ROOM, async ({ actor, params, body }, reply) => {
    const { isNew, ...joined } = await joinRoom(context, actor, { ...body, ...params })
    return reply.code(isNew ? 201 : 200).send(joined)
  })

  app.patch('/rooms/:roomId/participants/:participantId', UPDATE_PARTICIPANT, async ({ actor, params, body }) => ({
    participant: await updateParticipant(context, actor, { ...body, ...params })
  }))

  app.delete(
    '/rooms/:roomId/participants/:participantId',
    REMOVE_PARTICIPANT,
    async ({ actor, params, query }, reply) => {
      await removeParticipant(context, actor, { ...query, ...params })
      return reply.code(204).send(null)
    }
  )

  app.get('/rooms/:roomId/bans', LIST_BANS, async ({ actor, params }) => ({
    bans: await listBans(context, actor, params)
  }))

  app.delete('/rooms/:roomId/bans/:user', REMOVE_BAN, async ({ actor, params }, reply) => {
    await removeBan(context, actor, params)
    return reply.code(204).send(null)
  })
}
