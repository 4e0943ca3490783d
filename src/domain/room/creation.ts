// The settings of a new room.
import { AppError } from '../../errors.js'
import type { Endpoint } from '../../schemas/common.js'
import type { RoomParts, ServiceSettings, Settings } from './state.js'

const DEFAULT_SETTINGS: Omit<Settings, 'createdAt' | 'createdBy' | 'maxParticipants'> = {
  mode: 'p2p',
  p2pFallback: true,
  callType: 'video',
  locked: false,
  defaultRole: 'speaker',
  metadata: {},
  closed: null
}

export interface NewRoom {
  /** The limit of this server. A room may have a lower one. */
  readonly maxParticipants: number
  /** What the room service decides. */
  readonly serviceSettings?: ServiceSettings
}

/**
 * The settings of the open room, or those of a new one. A room that its host closed stays closed for RETENTION_MS.
 * @throws AppError room_closed
 */
export function existingOrNewRoom(
  { settings }: RoomParts,
  { actor, maxParticipants, serviceSettings }: NewRoom & { readonly actor: Endpoint },
  now: number
): Settings {
  if (settings?.closed === 'closed') throw new AppError('room_closed')
  if (settings?.closed === null) return settings
  return { ...DEFAULT_SETTINGS, maxParticipants, ...serviceSettings, createdAt: now, createdBy: actor.user }
}
