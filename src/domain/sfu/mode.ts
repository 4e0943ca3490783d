// A change of the mode while people are in the room, by a host or by the room service.
import type { RoomMode } from '../../schemas/room.js'
import { PART, type RoomDecision, type RoomParts, type Settings } from '../room/state.js'
import { offerOrder } from './session.js'

interface ModeChange {
  readonly mode: RoomMode
  /** The mode is only p2p because no media service is up. */
  readonly fellBack: boolean
  readonly writes: RoomDecision['writes']
  /** Further members of `room.updated`. */
  readonly told: { readonly offerOrder?: readonly string[] }
}

/**
 * What a new mode changes besides the settings. Leaving sfu ends the session, and everyone learns who offers to whom. A room that fell back
 * stays p2p if sfu is asked for: it becomes sfu as soon as a media service is up. Reads PART.participantHeads if `mode` is p2p.
 */
export function changeMode(parts: RoomParts, before: Settings, mode: RoomMode | undefined): ModeChange {
  const fellBack = before.fellBack === true
  if (mode === undefined || mode === wantedMode(before)) {
    return { mode: before.mode, fellBack, writes: {}, told: {} }
  }
  if (mode === 'sfu') return { mode, fellBack: false, writes: {}, told: {} }
  const told = before.mode === 'sfu' ? { offerOrder: offerOrder(parts) } : {}
  return { mode, fellBack: false, writes: { [PART.sfu]: null }, told }
}

/** The mode that the room has while media services are up. */
export const wantedMode = ({ mode, fellBack }: Pick<Settings, 'mode' | 'fellBack'>): RoomMode =>
  fellBack ? 'sfu' : mode

/** `settings` with the mode of the change. */
export function withMode({ fellBack: _, ...settings }: Settings, { mode, fellBack }: ModeChange): Settings {
  return { ...settings, mode, ...(fellBack ? { fellBack } : {}) }
}
