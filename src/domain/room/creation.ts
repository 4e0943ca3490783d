// A room that is not there yet, and what it looks like once it is made.
import { AppError } from '../../errors.js'
import type { Endpoint } from '../../schemas/common.js'
import type { RoomParts, ServiceSettings, Settings } from './state.js'

const DEFAULT_SETTINGS: Omit<Settings, 'createdAt' | 'createdBy' | 'maxParticipants'> = {
  mode: 'p2p',
  callType: 'video',
  locked: false,
  defaultRole: 'speaker',
  metadata: {},
  closed: null
}

export interface NewRoom {
  /** Unless the room says fewer. */
  readonly maxParticipants: number
  /** What the room service says of it. */
  readonly serviceSettings?: ServiceSettings
}

/** The settings of the room, or those of a new one. A room that its host closed stays closed for the retention. */
export function existingOrNewRoom(
  { settings }: RoomParts,
  { actor, maxParticipants, serviceSettings }: NewRoom & { readonly actor: Endpoint },
  now: number
): Settings {
  if (settings?.closed === 'closed') throw new AppError('room_closed')
  if (settings?.closed === null) return settings
  return { ...DEFAULT_SETTINGS, maxParticipants, ...serviceSettings, createdAt: now, createdBy: actor.user }
}
