// A change of the mode while people are in the room, by a host or by the room service.
import type { RoomMode, RoomReply } from '../../schemas/room.js'
import { PART, type RoomDecision, type RoomParts, type Settings } from '../room/state.js'
import { offerOrder } from './session.js'

interface ModeChange {
  readonly mode: RoomMode
  /** Null: this changes the mode. */
  readonly modeSince: number | null
  /** The mode is only p2p because no media service is up. */
  readonly fellBack: boolean
  readonly writes: RoomDecision['writes']
  /** Further members of `room.updated`. */
  readonly told: Pick<RoomReply, 'offerOrder'>
}

/**
 * What a new mode changes besides the settings. Leaving sfu ends the session, and everyone learns who offers to whom. A room that fell back
 * stays p2p if sfu is asked for: it becomes sfu as soon as a media service is up. Reads PART.participantHeads if `mode` is p2p.
 */
export function changeMode(parts: RoomParts, before: Settings, mode: RoomMode | undefined): ModeChange {
  const fellBack = before.fellBack === true
  const modeSince = before.modeSince ?? 0
  if (mode === undefined || mode === wantedMode(before)) {
    return { mode: before.mode, modeSince, fellBack, writes: {}, told: {} }
  }
  if (mode === 'sfu') return { mode, modeSince: null, fellBack: false, writes: {}, told: {} }
  const change = { mode, fellBack: false, writes: { [PART.sfu]: null } }
  if (before.mode === 'p2p') return { ...change, modeSince, told: {} }
  return { ...change, modeSince: null, told: { offerOrder: offerOrder(parts) } }
}

/** The mode that the room has while media services are up. */
export const wantedMode = ({ mode, fellBack }: Pick<Settings, 'mode' | 'fellBack'>): RoomMode =>
  fellBack ? 'sfu' : mode

/** `settings` with the mode of the change. */
export function withMode({ fellBack: _, ...settings }: Settings, { mode, modeSince, fellBack }: ModeChange): Settings {
  return { ...settings, mode, ...(modeSince === 0 ? {} : { modeSince }), ...(fellBack ? { fellBack } : {}) }
}

/** The version of the room at which its mode last changed; 0: it never has. Reads PART.settings. */
export const modeSinceOf = ({ settings }: Pick<RoomParts, 'settings'>): number => settings?.modeSince ?? 0
