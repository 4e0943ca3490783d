// The settings of a new room.
import { AppError } from '../../errors.js'
import type { RoomClaim } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type { RoomParts, ServiceSettings, Settings } from './state.js'

const DEFAULT_SETTINGS: Omit<Settings, 'createdAt' | 'createdBy' | 'maxParticipants'> = {
  mode: 'p2p',
  p2pFallback: true,
  callType: 'video',
  locked: false,
  record: false,
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

interface Creator {
  readonly actor: Endpoint
  /** The mode in it is that of a room that the actor creates, unless the room service decides. */
  readonly claim: RoomClaim | undefined
}

/**
 * The settings of the open room, or those of a new one. A room that its host closed stays closed for RETENTION_MS.
 * @throws AppError room_closed
 */
export function existingOrNewRoom(
  { settings }: RoomParts,
  { actor, claim, maxParticipants, serviceSettings }: NewRoom & Creator,
  now: number
): Settings {
  if (settings?.closed === 'closed') throw new AppError('room_closed')
  if (settings?.closed === null) return settings
  const claimed = claim?.mode === undefined ? {} : { mode: claim.mode }
  return { ...DEFAULT_SETTINGS, maxParticipants, ...claimed, ...serviceSettings, createdAt: now, createdBy: actor.user }
}
