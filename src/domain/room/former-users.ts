// What a room keeps of users who have left: a role that was assigned to them, and for a minute the ids of their participations.
import { NO_CHANGE, PART, type RoomDecision, type RoomParts, type RoomUser } from './state.js'

/** How long a moderator may ban the user of a participation that has ended. */
const LEFT_KEEP_MS = 60_000
/** Assigned roles that are kept for users who have left. The roles of users who left first are removed first. */
const ASSIGNED_ROLES_MAX = 1000

/** The parts of users who have left and of whom nothing has to be kept. `room` has all parts of PART.users. */
export function formerUserParts(room: RoomParts, now: number): string[] {
  const former = room.list<RoomUser>(PART.users).flatMap(([user, { devices, hidden = [], assigned, left }]) => {
    if (devices.length + hidden.length > 0) return []
    return [{ part: PART.user(user), hasRole: assigned !== null, leftAt: left.at(-1)?.at ?? 0 }]
  })
  const newestFirst = former.filter(({ hasRole }) => hasRole).sort((a, b) => b.leftAt - a.leftAt)
  const lapsed = former.filter(({ hasRole, leftAt }) => !hasRole && leftAt + LEFT_KEEP_MS <= now)
  return [...lapsed, ...newestFirst.slice(ASSIGNED_ROLES_MAX)].map(({ part }) => part)
}

/** Deletes these parts, except those of users who have joined again. Reads PART.settings and the parts. */
export function removeFormerUserParts(room: RoomParts, names: readonly string[]): RoomDecision {
  if (room.settings?.closed !== null) return NO_CHANGE
  const former = names.filter(part => {
    const user = room.get<RoomUser>(part)
    return user?.devices.length === 0 && user.hidden === undefined
  })
  return { writes: Object.fromEntries(former.map(part => [part, null])), events: [] }
}
