// What a room keeps of users who are out: a role that was given to them, and for a short while which participations were theirs.
import { NO_CHANGE, PART, type RoomDecision, type RoomParts, type RoomUser } from './state.js'

/** How long an ended participation may still be named, to ban its user. */
const LEFT_KEEP_MS = 60_000
/** Given roles of this many users who are out; those who left first are forgotten first. */
const GIVEN_ROLES_MAX = 1000

/** The parts of users who are out and of whom nothing has to be kept. */
export function formerUserParts(room: RoomParts, now: number): string[] {
  const out = room
    .list<RoomUser>(PART.users)
    .flatMap(([user, { devices, given, left }]) =>
      devices.length > 0 ? [] : [{ name: PART.user(user), isGiven: given !== null, leftAt: left.at(-1)?.at ?? 0 }]
    )
  const given = out.filter(({ isGiven }) => isGiven).sort((a, b) => b.leftAt - a.leftAt)
  const lapsed = out.filter(({ isGiven, leftAt }) => !isGiven && leftAt + LEFT_KEEP_MS <= now)
  return [...lapsed, ...given.slice(GIVEN_ROLES_MAX)].map(({ name }) => name)
}

/** But those of whom a device has come in meanwhile. Reads settings and the parts. */
export function forgetFormerUsers(parts: RoomParts, names: readonly string[]): RoomDecision {
  if (parts.settings?.closed !== null) return NO_CHANGE
  const out = names.filter(name => parts.get<RoomUser>(name)?.devices.length === 0)
  return { writes: Object.fromEntries(out.map(name => [name, null])), events: [] }
}
