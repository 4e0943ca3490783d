// After a Redis server restarted or failed over, records on different servers may contradict each other: a lease without its call, a
// membership without its participant, a mailbox with events of a newer commit than the call's. Each node repairs this for the devices that
// are connected to it, and for other devices when they connect (lifecycle.ts, memberships.ts).
import { wait } from '../../clock.js'
import type { Actor } from '../../schemas/claims.js'
import type { Lease } from '../../store/leases.js'
import { type LostWrites, RESET } from '../../store/lost-writes.js'
import { confirmLease } from '../call/lease-conflicts.js'
import { parseHolder } from '../call/lease-holder.js'
import { updateCall } from '../call/update-call.js'
import type { Context } from '../context.js'
import { currentParticipations, JOINING_MS } from '../room/memberships.js'

/** Devices confirmed at a time. */
const BATCH_SIZE = 64

/** Returns at once and never throws. A device that could not be confirmed is confirmed when it connects again. */
export function confirmConnected(context: Context, connected: readonly Actor[], lost: LostWrites): void {
  // The name is unique, because `run` does nothing while a task of the same name runs, and another server may fail over meanwhile.
  context.background.run(`confirm connected devices ${context.ids.unique()}`, async closing => {
    await inBatches(context, connected, actor => confirmDevice(context, actor, { lost, closing }))
    // A younger membership may belong to a join that is not committed yet.
    await wait(context.clock, JOINING_MS, closing)
    if (!closing.aborted) await inBatches(context, connected, actor => currentParticipations(context, actor))
  })
}

async function inBatches(context: Context, actors: readonly Actor[], confirm: (actor: Actor) => Promise<unknown>) {
  for (let from = 0; from < actors.length; from += BATCH_SIZE) {
    for (const result of await Promise.allSettled(actors.slice(from, from + BATCH_SIZE).map(confirm))) {
      if (result.status === 'rejected')
        context.log.warn({ err: result.reason }, 'device not confirmed; its next connection confirms it')
    }
  }
}

interface DeviceConfirmation {
  readonly lost: LostWrites
  readonly closing: AbortSignal
}

async function confirmDevice(context: Context, actor: Actor, { lost, closing }: DeviceConfirmation): Promise<void> {
  const { user, device } = actor
  const { leases, memberships } = context.store
  const [held, rooms] = await Promise.all([leases.list(user), memberships.list(user, device)])
  // Records on the user's own server lost the same writes as the mailbox, whose next touch appends a reset.
  const isOnOtherServer = (id: string) => lost.serverOf(id) !== null && lost.serverOf(id) !== lost.serverOf(user)
  await Promise.all(held.map(lease => confirmCall(context, user, { lease, closing, isOnOtherServer })))
  await currentParticipations(context, actor)
  const ids = [...rooms.map(({ roomId }) => roomId), ...held.map(({ holder }) => parseHolder(holder).callId)]
  if (ids.some(isOnOtherServer)) await resetDevice(context, actor)
}

interface CallConfirmation {
  readonly lease: Lease
  readonly closing: AbortSignal
  isOnOtherServer(id: string): boolean
}

async function confirmCall(
  context: Context,
  user: string,
  { lease, closing, isOnOtherServer }: CallConfirmation
): Promise<void> {
  const call = await confirmLease(context, user, { lease, closing })
  if (call === null || !isOnOtherServer(call.callId)) return
  // A new version: a mailbox that has the end of this call reports it, and the other mailboxes record the commit.
  await updateCall(context, { id: call.callId }, state => {
    if (state === null || state.phase === 'ended') return { state: state ?? call, events: [] }
    return { state: { ...state, version: state.version + 1 }, events: [] }
  })
}

/** Another server lost writes of its calls or rooms, which its own mailbox cannot detect. */
async function resetDevice({ store, ids, clock }: Context, { user, device }: Actor): Promise<void> {
  const event = { device, type: RESET, envelope: '{}', tag: ids.tag() }
  await store.mailboxes.send(user, { basis: null, ...event, now: clock.now() })
}
