// Tasks that run after the fan-out has published the commits of a room that came before them: delivering the signals that a pair holds, and
// offering an invitation to a device that registered after it was sent.
import type { FollowUp } from '../../store/aggregate.js'
import type { Context } from '../context.js'
import { readPair } from './pairs.js'
import { offerInvitation } from './ringing-invitations.js'

/** Runs the task in the background. Everything that was committed before it in this room has been published. */
export function followUp(context: Context, roomId: string, task: FollowUp): void {
  const name = `follow up ${task.kind} ${context.ids.unique()}`
  context.background.run(name, () =>
    task.kind === 'pair' ? readPair(context, task.id) : offerInvitation(context, roomId, task)
  )
}
