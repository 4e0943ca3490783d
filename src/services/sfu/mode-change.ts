// What follows the commit that changed the mode of a room.
import { PART, type RoomDecision, type Settings } from '../../domain/room/state.js'
import type { Context } from '../context.js'
import type { ReadRoom } from '../room/parts.js'
import { deleteSessionOf, openInBackground } from './opening.js'

/** `room` is the room as it was read for the decision. */
export function followModeChange(context: Context, room: ReadRoom, { writes }: Pick<RoomDecision, 'writes'>): void {
  const settings = writes[PART.settings] as Settings | undefined
  if (settings === undefined || room.settings === null || settings.mode === room.settings.mode) return
  if (settings.mode === 'sfu') openInBackground(context, room.roomId)
  else deleteSessionOf(context, room)
}

/** The parts that a change of the mode reads, besides PART.settings. */
export const partsOfMode = (mode: Settings['mode'] | undefined): string[] =>
  mode === undefined ? [] : [PART.sfu, ...(mode === 'p2p' ? [PART.participantHeads] : [])]
