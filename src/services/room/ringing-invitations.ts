// Invitations that ring: listed for the invitee, offered to devices that register late, and ended when they expire.
import { decideExpiry, viewIncoming } from '../../domain/room/invitation.js'
import { dueAt } from '../../domain/room/invitation-bounds.js'
import { deleteEarlyCancel, earlyCancelsIn } from '../../domain/room/invitation-cancel.js'
import { endInvitation } from '../../domain/room/invitation-end.js'
import { type Invitation, NO_CHANGE, PART, type RoomParts } from '../../domain/room/state.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type { IncomingInvitation } from '../../schemas/invitation.js'
import type { Cursor, StoredEvent } from '../../store/store.js'
import { recordRingAttempt } from '../call/contacts.js'
import type { Context } from '../context.js'
import { cursorBeforeOffer } from '../device/late-offer.js'
import { absenceCountsFrom } from '../device/liveness.js'
import { envelopeOf, timestampOf } from '../mail.js'
import { readRoom } from './parts.js'
import { afterPublication, changeOpenRoom } from './update-room.js'

/** The invitations that ring for a user now. */
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

/** A device has registered or connected: offers it each ringing invitation that its mailbox does not have after `since`. */
export async function offerInvitations(context: Context, actor: Actor, since: Cursor): Promise<void> {
  const roomIds = await context.store.invitations.list(actor.user, context.clock.now())
  const { user, device } = actor
  await Promise.all(roomIds.map(roomId => offerInvitation(context, roomId, { user, device, since })))
}

interface InvitationOffer extends Endpoint {
  readonly since: Cursor
}

/**
 * Appends the invitation to the device's mailbox, unless it is there. If the room has not published the invitation yet, this is repeated
 * after the publication: until then the mailbox does not show whether the device gets the invitation from the fan-out.
 */
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
    // Read again. If the invitation ended before the mailbox was read, its end is in the mailbox already, does not move it and would not
    // stop the offer below. If it ends later, its end moves the mailbox and the append at `at` fails.
    const current = await readInvitation(context, roomId, user)
    if (current?.incoming.invitationId !== invitationId) return
    const now = context.clock.now()
    const type = 'room.invitation'
    const data = { ...current.incoming, version: current.room.version }
    const { status } = await context.store.mailboxes.send(user, {
      basis: null,
      device,
      expectedHead: at,
      type,
      envelope: envelopeOf({ type, timestamp: timestampOf(now), data }),
      tag: context.ids.tag(),
      now
    })
    if (status !== 'moved') return
  }
}

/**
 * Ends the invitations that have rung for long enough and removes those that were kept for long enough. Resolves to when the next is due.
 */
export async function checkInvitations(context: Context, room: RoomParts): Promise<number> {
  const now = context.clock.now()
  const { retentionMs } = context.config
  let next = Number.POSITIVE_INFINITY
  for (const [user, invitation] of room.list<Invitation>(PART.invitation(''))) {
    // While the store was unavailable, no one could answer.
    const due = Math.max(dueAt(invitation, retentionMs), invitation.ended === null ? absenceCountsFrom(context) : 0)
    if (due > now) next = Math.min(next, due)
    else await expireInvitation(context, room.roomId, user)
  }
  for (const { invitationId, dueAt: due } of earlyCancelsIn(room, retentionMs)) {
    if (due > now) next = Math.min(next, due)
    else await removeEarlyCancel(context, room.roomId, invitationId)
  }
  return next
}

/** An invitation that was not answered counts as a failed ring attempt, as a call does. */
async function expireInvitation(context: Context, roomId: string, user: string): Promise<void> {
  const part = PART.invitation(user)
  const { decision } = await changeOpenRoom(context, { roomId, parts: [part] }, (room, now) =>
    decideExpiry(room, { user, retentionMs: context.config.retentionMs }, now)
  )
  const expired = (decision.writes[part] ?? null) as Invitation | null
  if (expired) await recordRingAttempt(context, { caller: expired.from.user, callee: user }, 'failed')
}

/** The user cannot answer any more: the devices that rang were signed out. */
export async function endInvitationsOf(context: Context, user: string): Promise<void> {
  const roomIds = await context.store.invitations.list(user, context.clock.now())
  const part = PART.invitation(user)
  const ending = roomIds.map(roomId =>
    changeOpenRoom(context, { roomId, parts: [part] }, (room, now) => {
      const invitation = room.get<Invitation>(part)
      return invitation?.ended === null
        ? endInvitation(invitation, { reason: 'expired', by: null, at: now })
        : NO_CHANGE
    })
  )
  await Promise.all(ending)
}

const removeEarlyCancel = (context: Context, roomId: string, invitationId: string) =>
  changeOpenRoom(context, { roomId, parts: [PART.earlyCancel(invitationId)] }, room =>
    deleteEarlyCancel(room, invitationId)
  )
