// What rings in rooms: shown to whoever it rings for, offered to devices that come late, ended when its time has come.

import { decideExpiry, viewIncoming } from '../../domain/room/invitation.js'
import { dueAt } from '../../domain/room/invitation-bounds.js'
import { decideForgetEarlyCancel, earlyCancelsIn } from '../../domain/room/invitation-cancel.js'
import { type Invitation, PART, type RoomParts } from '../../domain/room/state.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type { IncomingInvitation } from '../../schemas/invitation.js'
import type { Cursor, StoredEvent } from '../../store/store.js'
import { recordAttempt } from '../call/contacts.js'
import type { Context } from '../context.js'
import { cursorBeforeOffer } from '../device/late-offer.js'
import { graceStart } from '../device/liveness.js'
import { readRoom } from './parts.js'
import { afterPublication, changeOpenRoom } from './update-room.js'

/** What rings for a user now. */
export async function listInvitations(context: Context, user: string): Promise<IncomingInvitation[]> {
  const roomIds = await context.store.invitations.list(user, context.clock.now())
  const found = await Promise.all(roomIds.map(async roomId => (await readInvitation(context, roomId, user))?.incoming))
  return found.filter(each => each !== undefined)
}

async function readInvitation(context: Context, roomId: string, user: string) {
  const room = await readRoom(context, roomId, [PART.settings, PART.invitation(user)])
  const invitation = room.get<Invitation>(PART.invitation(user))
  if (room.settings?.closed !== null || invitation?.ended !== null) return null
  return { room, incoming: viewIncoming(room, invitation, { settings: room.settings, now: context.clock.now() }) }
}

/** A device came: what rings is offered to it if that is not in its mailbox `since`. */
export async function offerInvitations(context: Context, actor: Actor, since: Cursor): Promise<void> {
  const roomIds = await context.store.invitations.list(actor.user, context.clock.now())
  const { user, device } = actor
  await Promise.all(roomIds.map(roomId => offerInvitation(context, roomId, { user, device, since })))
}

interface InvitationOffer extends Endpoint {
  readonly since: Cursor
}

/** Once the room has published the invitation: devices that were registered by then have it, and others are offered it here. */
export async function offerInvitation(
  context: Context,
  roomId: string,
  { user, device, since }: InvitationOffer
): Promise<void> {
  for (;;) {
    const found = await readInvitation(context, roomId, user)
    if (found === null) return
    const version = found.room.stampOf(PART.invitation(user))?.version ?? 0
    if (found.room.publishedVersion < version) {
      const tasks = [{ kind: 'invitation', user, device, since } as const]
      if (await afterPublication(context, roomId, { version, tasks })) return
      continue
    }
    const { invitationId } = found.incoming
    const isOffer = ({ type, envelope }: StoredEvent) =>
      type === 'room.invitation' && JSON.parse(envelope).data.invitationId === invitationId
    const at = await cursorBeforeOffer(context, { user, device }, { since, isOffer })
    if (at === null) return
    // Read again: had it ended before the head was read, its end would not move the mailbox any more.
    const still = await readInvitation(context, roomId, user)
    if (still?.incoming.invitationId !== invitationId) return
    const now = context.clock.now()
    const type = 'room.invitation'
    const data = { ...still.incoming, version: still.room.version }
    const { status } = await context.store.mailboxes.send(user, {
      basis: null,
      device,
      expectedHead: at,
      type,
      envelope: JSON.stringify({ type, timestamp: new Date(now).toISOString(), data }),
      tag: context.ids.tag(),
      now
    })
    if (status !== 'moved') return
  }
}

/** The room's time has come: what has rung for long enough ends. Resolves to when the next one will have. */
export async function checkInvitations(context: Context, room: RoomParts): Promise<number> {
  const now = context.clock.now()
  const { retentionMs } = context.config
  let next = Number.POSITIVE_INFINITY
  for (const [user, invitation] of room.list<Invitation>(PART.invitation(''))) {
    // Nobody can answer while the store is away.
    const due = Math.max(dueAt(invitation, retentionMs), invitation.ended === null ? graceStart(context) : 0)
    if (due > now) next = Math.min(next, due)
    else await expireInvitation(context, room.roomId, user)
  }
  for (const { invitationId, dueAt: due } of earlyCancelsIn(room, retentionMs)) {
    if (due > now) next = Math.min(next, due)
    else await forgetEarlyCancel(context, room.roomId, invitationId)
  }
  return next
}

/** An invitation that nobody answered counts as an attempt that failed, as a call does. */
async function expireInvitation(context: Context, roomId: string, user: string): Promise<void> {
  const part = PART.invitation(user)
  const { decision } = await changeOpenRoom(context, { roomId, parts: [part] }, (room, now) =>
    decideExpiry(room, { user, retentionMs: context.config.retentionMs }, now)
  )
  const after = (decision.writes[part] ?? null) as Invitation | null
  if (after) await recordAttempt(context, { caller: after.from.user, callee: user }, 'failed')
}

const forgetEarlyCancel = (context: Context, roomId: string, invitationId: string) =>
  changeOpenRoom(context, { roomId, parts: [PART.earlyCancel(invitationId)] }, room =>
    decideForgetEarlyCancel(room, invitationId)
  )
