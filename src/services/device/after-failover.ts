// After a Redis server restarted or failed over, what lies on different servers may not fit together any more: a lease without its call,
// a membership without its participant, a mailbox that knows more than the call. Each node puts that right for the devices that are
// connected to it; a device that comes later is looked after when it arrives (lifecycle.ts, memberships.ts).
import { wait } from '../../clock.js'
import type { Actor } from '../../schemas/claims.js'
import type { Lease } from '../../store/leases.js'
import { type LostWrites, RESET } from '../../store/lost-writes.js'
import { confirmLease } from '../call/lease-conflicts.js'
import { parseHolder } from '../call/lease-holder.js'
import { updateCall } from '../call/update-call.js'
import type { Context } from '../context.js'
import { JOINING_MS, participationsOf } from '../room/memberships.js'

/** Devices at a time. */
const SLICE = 64

/** Never fails: what could not be done is done when the device arrives the next time. */
export function confirmConnected(context: Context, connected: readonly Actor[], where: LostWrites): void {
  // Another server may fail over while this one is still being confirmed.
  context.background.run(`confirm what is connected ${context.ids.unique()}`, async closing => {
    await inSlices(context, connected, actor => confirmDevice(context, actor, { where, closing }))
    // A membership that is so young may announce a join that is under way.
    await wait(context.clock, JOINING_MS, closing)
    if (!closing.aborted) await inSlices(context, connected, actor => participationsOf(context, actor))
  })
}

async function inSlices(context: Context, actors: readonly Actor[], confirm: (actor: Actor) => Promise<unknown>) {
  for (let from = 0; from < actors.length; from += SLICE) {
    for (const result of await Promise.allSettled(actors.slice(from, from + SLICE).map(confirm))) {
      if (result.status === 'rejected') context.log.warn({ err: result.reason }, 'a device is confirmed later')
    }
  }
}

interface Pass {
  readonly where: LostWrites
  readonly closing: AbortSignal
}

async function confirmDevice(context: Context, actor: Actor, { where, closing }: Pass): Promise<void> {
  const { user, device } = actor
  const { leases, memberships } = context.store
  const [held, rooms] = await Promise.all([leases.list(user), memberships.list(user, device)])
  // What lies on one server was set back together, and the device gets its reset there.
  const isApart = (id: string) => where.serverOf(id) !== null && where.serverOf(id) !== where.serverOf(user)
  await Promise.all(held.map(lease => confirmCall(context, user, { lease, closing, isApart })))
  await participationsOf(context, actor)
  const ids = [...rooms.map(({ roomId }) => roomId), ...held.map(({ holder }) => parseHolder(holder).callId)]
  if (ids.some(isApart)) await resetDevice(context, actor)
}

interface CallPass {
  readonly lease: Lease
  readonly closing: AbortSignal
  isApart(id: string): boolean
}

async function confirmCall(context: Context, user: string, { lease, closing, isApart }: CallPass): Promise<void> {
  const call = await confirmLease(context, user, { lease, closing })
  if (call === null || !isApart(call.callId)) return
  // Committed once more: a mailbox that has taken the call's end says so, and the others learn what stands.
  await updateCall(context, { id: call.callId }, state => {
    if (state === null || state.phase === 'ended') return { state: state ?? call, events: [] }
    return { state: { ...state, version: state.version + 1 }, events: [] }
  })
}

/** Its calls or rooms may have been set back, which its own mailbox does not know. */
async function resetDevice({ store, ids, clock }: Context, { user, device }: Actor): Promise<void> {
  const event = { device, type: RESET, envelope: '{}', tag: ids.tag() }
  await store.mailboxes.send(user, { basis: null, ...event, now: clock.now() })
}
