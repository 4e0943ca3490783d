// Keepalives of devices without a stream, presence of other users, and the snapshot.
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import { isId } from '../../schemas/common.js'
import {
  LOOK_UP_MAX,
  type Presence,
  type PresenceQuery,
  type Snapshot,
  type UpdatePresenceRequest
} from '../../schemas/presence.js'
import { formatCursor } from '../../store/cursor.js'
import { listCalls } from '../call/read-call.js'
import type { Context } from '../context.js'
import { registerDevice } from '../device/keepalive.js'
import { positionBeforeIncoming } from '../device/late-offer.js'
import { listInvitations } from '../room/ringing-invitations.js'
import { listRooms } from '../room/rooms.js'
import { runUnlimited } from '../unlimited-action.js'
import { schedulePresenceCheck } from './publish-presence.js'
import { readPresence, toHiddenPresence, toOwnPresence, toPresence } from './read-presence.js'
import { mayShowPresence } from './visibility.js'
import { clearWatch, listWatchedUsers } from './watch-list.js'

/** A keepalive, with an optional status. Registers the device. @throws AppError too_many_devices, store_unavailable */
export async function updatePresence(
  context: Context,
  actor: Actor,
  { status }: UpdatePresenceRequest
): Promise<Presence> {
  await registerDevice(context, actor, status)
  schedulePresenceCheck(context, actor.user)
  return readOwnPresence(context, actor.user)
}

/** Signs the device off: calls no longer ring on it, its mailbox and watch list are deleted, and its stream ends. */
export async function signOffDevice(context: Context, actor: Actor): Promise<void> {
  await runUnlimited(context, actor, async () => {
    await clearWatch(context, actor)
    const isRemoved = await context.store.mailboxes.remove(actor.user, actor.device)
    schedulePresenceCheck(context, actor.user)
    return { result: undefined, isRepeat: !isRemoved }
  })
}

/** @throws AppError rate_limited, invalid_request */
export async function lookUpPresences(context: Context, actor: Actor, query: PresenceQuery): Promise<Presence[]> {
  const users = usersIn(query)
  await context.budgets.spend(actor.user, 'presence', users.length)
  return Promise.all([...new Set(users)].map(user => lookUpPresence(context, actor, user)))
}

function usersIn({ user = [], users }: PresenceQuery): readonly string[] {
  const asked = [...user, ...(users?.split(',') ?? [])]
  if (asked.length > 0 && asked.length <= LOOK_UP_MAX && asked.every(isId)) return asked
  const detail = `The query must have 1 to ${LOOK_UP_MAX} user ids: user=a&user=b, or users=a,b`
  throw new AppError('invalid_request', { detail })
}

async function lookUpPresence(context: Context, actor: Actor, user: string): Promise<Presence> {
  if (user === actor.user) return readOwnPresence(context, user)
  if (!(await mayShowPresence(context, actor, user))) return toHiddenPresence(user)
  return toPresence(user, (await readPresence(context, user)).current)
}

async function readOwnPresence(context: Context, user: string): Promise<Presence> {
  return toOwnPresence(user, (await readPresence(context, user)).current)
}

/**
 * The cursor is read first, so every later change has an event after it. If calls ring, it lies before their `call.incoming`, which has what no
 * state has: the offer. @throws AppError too_many_devices, rate_limited */
export async function getSnapshot(context: Context, actor: Actor): Promise<Snapshot> {
  const head = await registerDevice(context, actor)
  const [calls, rooms, invitations, presence, watching] = await Promise.all([
    listCalls(context, actor),
    listRooms(context, actor),
    listInvitations(context, actor.user),
    readOwnPresence(context, actor.user),
    listWatchedUsers(context, actor)
  ])
  const ringing = calls.filter(({ state, callee }) => state === 'ringing' && callee?.user === actor.user)
  const callIds = new Set(ringing.map(({ callId }) => callId))
  const cursor = await positionBeforeIncoming(context, actor, { head, callIds })
  return { cursor: formatCursor(cursor), calls, rooms, invitations, presence, watching }
}
