// What became of a transfer, for the metrics and the back-off of ring attempts.
import type { CallState, EndReason } from './state.js'

/** `transferred`, or why the target stopped ringing. Null: this change ends no transfer. */
export function transferOutcome(before: CallState | null, after: CallState, now: number): EndReason | null {
  const transfer = before?.transfer ?? null
  if (before === null || transfer === null || before.phase === 'ended') return null
  if (after.transferred.length > before.transferred.length) return 'transferred'
  if (after.transfer === null) {
    const { user, isMuted, endsAt } = transfer.target
    // A target who blocks one of the parties does not ring and is no former party. To the parties it is one who does not answer.
    if (isMuted) return endsAt !== null && now >= endsAt ? 'no_answer' : 'cancelled'
    return after.former.find(former => former.user === user)?.view.reason ?? 'no_answer'
  }
  if (after.phase !== 'ended') return null
  return transfer.hasLeft ? after.reason : 'cancelled'
}
