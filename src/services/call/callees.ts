// The callees of a create: who rings at once, who waits, who is left out, and which of their devices are woken.
import type { NewCallee } from '../../domain/call/command.js'
import type { Context } from '../context.js'
import { devicesToWake, takePush } from '../push/wake.js'
import { findRepeated } from './call-permission.js'
import type { CreateCommand, Route } from './call-routes.js'
import type { CalleeRelation } from './contacts.js'
import type { LeasedCallee } from './leases.js'

export interface PlannedCallee extends Pick<NewCallee, 'user' | 'ringMs' | 'leftOut' | 'wakes'> {
  readonly device: string | null
  readonly relation: CalleeRelation
}

/** A repeat takes nothing of the callees' budgets. */
export async function planCallees(
  context: Context,
  command: CreateCommand,
  routes: readonly Route[]
): Promise<PlannedCallee[]> {
  const planned = routes.map(
    ({ target, relation, refusal }): PlannedCallee => ({
      ...target,
      relation,
      leftOut: refusal === null ? undefined : 'unreachable'
    })
  )
  const ringing = ringingAtOnce(command, planned)
  const isWoken = ({ user, relation }: PlannedCallee) =>
    ringing.some(each => each.user === user) && devicesToWake(context, relation) !== null
  if (!planned.some(isWoken) || (await findRepeated(context, command))) return planned
  return Promise.all(
    planned.map(async each => (isWoken(each) ? { ...each, wakes: await devicesWoken(context, each) } : each))
  )
}

/** Takes one push from the budget of the user. Null: there is none, or nothing to wake. */
export async function devicesWoken(
  context: Context,
  { user, relation }: Pick<PlannedCallee, 'user' | 'relation'>
): Promise<readonly string[] | null> {
  const devices = devicesToWake(context, relation)
  return devices && (await takePush(context, user, relation)) ? devices : null
}

/** Those who ring when the call is made: all, or the first. */
export function ringingAtOnce({ strategy }: CreateCommand, callees: readonly PlannedCallee[]): LeasedCallee[] {
  const ringing = callees.filter(({ leftOut }) => leftOut === undefined)
  const atOnce = strategy === 'sequence' ? ringing.slice(0, 1) : ringing
  return atOnce.map(({ user, relation: { isKnown, isBlocked } }) => ({ user, isKnown, isMuted: isBlocked }))
}

export function toNewCallees(command: CreateCommand, callees: readonly PlannedCallee[]): NewCallee[] {
  const ringing = ringingAtOnce(command, callees).map(({ user }) => user)
  return callees.map(({ user, device, ringMs, leftOut, wakes = null, relation }) => ({
    ...{ user, device, ringMs, leftOut, wakes },
    isMuted: relation.isBlocked,
    isWaiting: !ringing.includes(user)
  }))
}
