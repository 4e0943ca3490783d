// Who came, who went, and what that means for their calls.
import type { Lifecycle } from '../delivery/delivery.js'
import { decideCall } from '../domain/call.js'
import { endpointOf } from '../domain/party.js'
import type { CallState, Side } from '../domain/state.js'
import { AppError } from '../errors.js'
import type { Actor } from '../schemas/claims.js'
import type { Context } from './context.js'
import { checkEveryMs } from './times.js'
import { callRef, readCall, transact } from './transact.js'

/** What delivery is told to call when devices come and go. */
export function createLifecycle(context: Context): Lifecycle {
  const unheard = (work: Promise<void>) => {
    work.catch(error => context.log.debug({ err: error }, 'coming or going not noted; the next check will'))
  }
  return {
    arrived: (actor, fresh) => unheard(greetDevice(context, actor, fresh)),
    left: actor => unheard(missDevice(context, actor))
  }
}

/**
 * A device opened a stream or poll: ringing calls are offered to it if it is `fresh` (new, or without a cursor), and peers
 * that were told it was away hear that it is back.
 */
export async function greetDevice(context: Context, actor: Actor, fresh: boolean): Promise<void> {
  const leases = await context.store.leases.list(actor.user)
  const device = { user: actor.user, device: actor.device }
  await Promise.all(
    leases.map(async ({ holder }) => {
      if ((await readCall(context, holder)) === null) return
      await transact(context, holder, (call, now) => decideCall(call, { type: 'appeared', actor: device, fresh }, now))
    })
  )
}

/** A device's stream or poll has gone: its calls are looked at as soon as it would count as away. */
export async function missDevice(context: Context, actor: Actor): Promise<void> {
  const leases = await context.store.leases.list(actor.user)
  const at = context.clock.now() + context.config.awayAfterMs
  await Promise.all(leases.map(({ holder }) => context.store.aggregates.hasten(callRef(holder), at)))
}

/** A call's deadline has come. A late or doubled firing finds nothing due and changes nothing (G7). */
export async function checkCall(context: Context, callId: string): Promise<void> {
  const call = await readCall(context, callId)
  if (call === null || call.phase === 'ended') return
  const [caller, callee] = await Promise.all([
    absentSince(context, call, 'caller'),
    absentSince(context, call, 'callee')
  ])
  const { awayAfterMs: awayMs, graceMs } = context.config
  const command = {
    type: 'check' as const,
    absence: { caller, callee },
    awayMs,
    graceMs,
    checkMs: checkEveryMs(context.config)
  }
  await transact(context, callId, (state, now) => decideCall(state, command, now))
}

/** Since when a side's device shows no sign of life; null: it is there. Time without the store counts against nobody. */
async function absentSince(context: Context, call: CallState, side: Side): Promise<number | null> {
  const { store, clock, config } = context
  const device = endpointOf(call, side)
  if (device === null) return null
  const known = (await store.mailboxes.devices(device.user, clock.now())).find(
    ({ device: name }) => name === device.device
  )
  if (known?.online) return null
  const contact = store.contactSince()
  if (contact === null) throw new AppError('store_unavailable')
  // After an outage open streams need one round of refreshes to be known again.
  const fair = contact + config.presenceTtlMs / 3
  return Math.max(known?.seenAt ?? call.answeredAt ?? call.createdAt, fair)
}
