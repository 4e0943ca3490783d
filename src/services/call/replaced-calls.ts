// The end of calls that an attended transfer has replaced: in the background of the accept, and by the deadline of the call that goes on if a
// node has died.
import { decideCall } from '../../domain/call/decide-call.js'
import type { CallState } from '../../domain/call/state.js'
import type { Context } from '../context.js'
import { readCall, updateCall } from './update-call.js'

export function endReplacedInBackground(context: Context, call: CallState): void {
  if (!call.replaced?.length) return
  context.background.run(`end calls replaced by ${call.callId}`, () => endReplacedCalls(context, call))
}

/** A call that one of the two users has left goes on. */
export async function endReplacedCalls(context: Context, { callId, replaced = [] }: CallState): Promise<void> {
  for (const { callId: other, by, to } of replaced) {
    if (await readCall(context, other)) {
      const command = { type: 'endReplaced' as const, by, to }
      await updateCall(context, { id: other }, (call, now) => decideCall(call, command, now))
    }
    const done = { type: 'forgetReplaced' as const, callId: other }
    await updateCall(context, { id: callId }, (call, now) => decideCall(call, done, now))
  }
}
