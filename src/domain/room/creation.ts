// A room that is not there yet, and what it looks like once it is made.
import { AppError } from '../../errors.js'
import type { Endpoint } from '../../schemas/common.js'
import type { Known, RoomParts, Settings } from './state.js'

const FRESH: Omit<Settings, 'createdAt' | 'createdBy' | 'maxParticipants'> = {
  mode: 'p2p',
  callType: 'video',
  locked: false,
  defaultRole: 'speaker',
  metadata: {},
  closed: null
}

export interface Making {
  /** Unless the room says fewer. */
  readonly maxParticipants: number
  /** What the room service says of it. */
  readonly known?: Known
}

/** The settings of the room, or those of a new one. A room that its host closed stays closed for the retention. */
export function openOrFresh(
  { settings }: RoomParts,
  { actor, maxParticipants, known }: Making & { readonly actor: Endpoint },
  now: number
): Settings {
  if (settings?.closed === 'closed') throw new AppError('room_closed')
  if (settings?.closed === null) return settings
  return { ...FRESH, maxParticipants, ...known, createdAt: now, createdBy: actor.user }
}
