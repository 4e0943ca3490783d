// The lines of a transfer.
import type { Endpoint } from '../../schemas/common.js'
import type { CallState, Timeline, TimelineChange } from './state.js'
import { transferorSide } from './transfer-state.js'

export function transferChanges(before: CallState, after: CallState): TimelineChange[] {
  const [was, is] = [before.transfer, after.transfer]
  const done = after.transferred[before.transferred.length]
  if (done)
    return [['transferred', partyIndex(after.timeline, done.by), { to: done.to.user, ...toCallOf(done.toCall) }]]
  if (is === null) {
    if (was === null) return []
    const to = was.target.user
    const reason = after.former.find(({ user }) => user === to)?.view.reason ?? 'no_answer'
    return [['transfer_failed', null, { reason, to }]]
  }
  const to = is.target.user
  if (was === null) return [['transferring', transferorSide(after, is), { to, ...toCallOf(is.replaces?.callId) }]]
  if (is.hasLeft && !was.hasLeft) return [['transferor_left', partyIndex(after.timeline, is.by)]]
  return is.target.isAlerted && !was.target.isAlerted ? [['ringing', null, { to }]] : []
}

const toCallOf = (toCall: string | undefined) => (toCall === undefined ? {} : { toCall })

function partyIndex({ parties = [] }: Timeline, { user, device }: Endpoint): number | null {
  const index = parties.findIndex(party => party.user === user && party.device === device)
  return index === -1 ? null : index
}

/** The first offer, if the accept has one. */
export function offerOf(before: CallState, after: CallState): TimelineChange[] {
  const { revision, pendingFrom } = after.negotiation
  return revision > before.negotiation.revision && pendingFrom ? [['offer', pendingFrom, { revision }]] : []
}
