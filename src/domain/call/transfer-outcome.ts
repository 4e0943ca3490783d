// What became of a transfer, for the metrics.
import type { CallState, EndReason } from './state.js'

/** `transferred`, or why the target stopped ringing. Null: this change ends no transfer. */
export function transferOutcome(before: CallState | null, after: CallState): EndReason | null {
  const transfer = before?.transfer ?? null
  if (before === null || transfer === null || before.phase === 'ended') return null
  if (after.transferred.length > before.transferred.length) return 'transferred'
  if (after.transfer === null) {
    // A target who blocks one of the parties is no former party.
    return after.former.find(({ user }) => user === transfer.target.user)?.view.reason ?? 'no_answer'
  }
  if (after.phase !== 'ended') return null
  return transfer.hasLeft ? after.reason : 'cancelled'
}
