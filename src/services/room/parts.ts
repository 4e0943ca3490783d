// Reads the parts of a room for the rules, and encodes them for the store.
import { PART, type ParticipantRecord, type RoomParts, type Settings } from '../../domain/room/state.js'
import { decodeId } from '../../id-text.js'
import type { Stamp } from '../../store/aggregate.js'
import type { Field, RoomSnapshot } from '../../store/rooms.js'
import type { Context } from '../context.js'

export interface ReadRoom extends RoomParts {
  /** Every commit up to this version has been published to all its recipients. */
  readonly publishedVersion: number
  /** The commit that wrote a part; null: there is no such part. */
  stampOf(part: string): Stamp | null
}

/** `parts` are names of PART. A name that ends in a colon asks for all parts of a group. */
export async function readRoom(context: Context, roomId: string, parts: readonly string[]): Promise<ReadRoom> {
  return toParts(roomId, await context.store.rooms.load(roomId, parts))
}

function toParts(roomId: string, snapshot: RoomSnapshot | null): ReadRoom {
  const fields = snapshot?.fields ?? new Map<string, never>()
  function get<T>(part: string): T | null {
    const field = fields.get(part)
    return field ? fromText<T>(part, field) : null
  }
  return {
    roomId,
    version: snapshot?.version ?? 0,
    participantCount: snapshot?.participantCount ?? 0,
    publishedVersion: snapshot?.publishedVersion ?? 0,
    settings: get(PART.settings),
    emptySince: get(PART.empty),
    get,
    stampOf: part => fields.get(part) ?? null,
    list<T>(prefix: string) {
      const names = [...fields.keys()].filter(name => name.startsWith(prefix))
      return names.map(name => [decodeId(name.slice(prefix.length)), get(name) as T] as const)
    }
  }
}

const isParticipant = (part: string) => part.startsWith(PART.participants) || part.startsWith(PART.hiddenParticipants)

/** A participant has two lines: the first is what the store reads (toRecipient in store/rooms.ts), the second is the rest. */
export function toText(part: string, value: object | number): string {
  if (!isParticipant(part)) return JSON.stringify(value)
  const { user, device, participantId, since, ...rest } = value as ParticipantRecord
  return `${JSON.stringify({ user, device, participantId, since })}\n${JSON.stringify(rest)}`
}

function fromText<T>(part: string, { value, version }: Field): T {
  if (part === PART.settings) return withModeSince(JSON.parse(value) as Settings, version) as T
  if (!isParticipant(part)) return JSON.parse(value) as T
  const [head = '', rest = '{}'] = value.split('\n')
  const participant = { ...JSON.parse(head), ...JSON.parse(rest) } as ParticipantRecord
  // `since` is null in the commit that let the device in, and that commit wrote this value.
  return { ...participant, since: participant.since ?? version } as T
}

/** `modeSince` is null in the commit that changed the mode, and that commit wrote these settings. */
const withModeSince = (settings: Settings, version: number): Settings =>
  settings.modeSince === null ? { ...settings, modeSince: version } : settings
