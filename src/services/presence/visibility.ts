// Who may see the presence of a user. Everyone else gets the same reply as for a user who does not exist: offline, never seen.
import type { Endpoint } from '../../schemas/common.js'
import { listCalls } from '../call/read-call.js'
import type { Context } from '../context.js'
import { askPolicy } from '../policy/ask-policy.js'
import { haveCommonRoom, roomIdsOf } from '../room/memberships.js'

/** Whether `viewer` may see the user. The user's blocks, rooms and calls are read at most once. */
type VisibilityCheck = (viewer: Endpoint) => Promise<boolean>

export function mayShowPresence(context: Context, viewer: Endpoint, user: string): Promise<boolean> {
  return visibilityOf(context, user)(viewer)
}

export function visibilityOf(context: Context, user: string): VisibilityCheck {
  const { presenceVisibility: visibility } = context.config
  let contacts: Promise<CurrentContacts> | null = null
  let blocks: Promise<readonly string[]> | null = null
  return async viewer => {
    if (viewer.user === user) return true
    blocks ??= context.store.contacts.blocks(user, context.clock.now())
    if ((await blocks).includes(viewer.user)) return false
    if (visibility === 'everyone') return true
    if (visibility === 'policy') return policyAllows(context, viewer, user)
    contacts ??= readContacts(context, user)
    return isContact(context, await contacts, viewer.user)
  }
}

/** Users who share a room or an answered call with the user. */
interface CurrentContacts {
  readonly rooms: ReadonlySet<string>
  readonly peers: ReadonlySet<string>
}

/** Only answered calls count: a caller must not learn the callee's presence by ringing them. */
async function readContacts(context: Context, user: string): Promise<CurrentContacts> {
  const [rooms, calls] = await Promise.all([roomIdsOf(context, user), listCalls(context, { user })])
  const answered = calls.filter(({ answeredAt }) => answeredAt !== null)
  return {
    rooms,
    peers: new Set(answered.flatMap(({ caller, callee }) => [caller.user, callee?.user ?? caller.user]))
  }
}

async function isContact(context: Context, { rooms, peers }: CurrentContacts, viewer: string): Promise<boolean> {
  if (peers.has(viewer)) return true
  return rooms.size > 0 && haveCommonRoom(rooms, await roomIdsOf(context, viewer))
}

/** Without an answer the user is hidden, unless POLICY_ON_ERROR is `allow`. */
function policyAllows(context: Context, { user: viewer, device }: Endpoint, user: string): Promise<boolean> {
  const question = { action: 'presence', caller: { user: viewer, device }, to: user } as const
  return askPolicy<'presence'>(context, question).then(
    ({ answer }) => answer.allow,
    () => false
  )
}
