// What had to wait for fan-out: signals to a participant whose joining, or whose peer's, was not published yet, and the offer of an
// invitation to a device that came late.
import type { FollowUp } from '../../store/aggregate.js'
import type { Context } from '../context.js'
import { readPair } from './pairs.js'
import { offerInvitation } from './ringing-invitations.js'

/** In the background: everything that was committed before the task in this room has been published. */
export function followUp(context: Context, roomId: string, task: FollowUp): void {
  const name = `follow up ${task.kind} ${context.ids.unique()}`
  context.background.run(name, () =>
    task.kind === 'pair' ? readPair(context, task.id) : offerInvitation(context, roomId, task)
  )
}
