// The policy service is asked before a room is made and before a device joins one. A repeat, which changes nothing, is not asked about.
import { endpoint } from '../../domain/endpoint.js'
import { PART, type ParticipantRecord, type RoomDecision, type Settings } from '../../domain/room/state.js'
import type { Actor } from '../../schemas/claims.js'
import type { QuestionOf } from '../../schemas/policy.js'
import type { Role } from '../../schemas/room.js'
import type { Context } from '../context.js'
import { askPolicy } from '../policy/ask-policy.js'
import { policyDenied } from '../policy/denial.js'

/** A decision about a room, without a commit. */
type Decide<Read, Decision extends RoomDecision> = (read: Read, now: number) => Decision

interface Subject {
  readonly actor: Actor
  readonly roomId: string
}

/**
 * The rule, which asks the policy about what it decides. A commit that conflicts decides again; the policy is asked once, and once more if
 * the room turns out to be new.
 * @throws AppError policy_denied, policy_unavailable, and what the rule throws
 */
export function withRoomPolicy<Read, Decision extends RoomDecision>(
  context: Context,
  subject: Subject,
  decide: Decide<Read, Decision>
): (read: Read, now: number) => Promise<Decision> {
  return withJoinPolicy(context, subject, () => decide)
}

/** The same for a rule by which a device joins, given the actor. The policy may give them another role. */
export function withJoinPolicy<Read, Decision extends RoomDecision>(
  context: Context,
  { actor, roomId }: Subject,
  ruleFor: (actor: Actor) => Decide<Read, Decision>
): (read: Read, now: number) => Promise<Decision> {
  const subject = { caller: endpoint(actor), roomId }
  let creation: Promise<void> | null = null
  let join: Promise<Role | undefined> | null = null
  return async (read, now) => {
    const decision = ruleFor(actor)(read, now)
    if (context.config.policyUrl === null) return decision
    const joining = joiningIn(decision, actor)
    const joins = joining !== undefined
    if (decision.createsRoom) creation ??= askAboutCreation(context, subject, decision)
    if (joins) join ??= askAboutJoin(context, subject, joining)
    const [role] = await Promise.all([joins ? join : null, decision.createsRoom ? creation : null])
    return role ? ruleFor(withRole(actor, roomId, role))(read, now) : decision
  }
}

/** The participant who joins, if the decision is that one does: only then it checks the capacity, or notes a hidden join. */
function joiningIn({ writes, participantsMax }: RoomDecision, actor: Actor): ParticipantRecord | undefined {
  const part = participantsMax === undefined ? PART.hiddenOf(actor) : PART.participantOf(actor)
  return (writes[part] ?? undefined) as ParticipantRecord | undefined
}

type AboutRoom = Pick<QuestionOf<'room'>, 'caller' | 'roomId'>

async function askAboutCreation(context: Context, subject: AboutRoom, { writes }: RoomDecision): Promise<void> {
  const made = writes[PART.settings] as Settings
  const { mode, p2pFallback, callType, locked, maxParticipants, defaultRole, metadata } = made
  const settings = { mode, p2pFallback, callType, locked, maxParticipants, defaultRole, metadata }
  const { answer } = await askPolicy<'room'>(context, { action: 'room', ...subject, settings })
  if (!answer.allow) throw policyDenied(answer)
}

async function askAboutJoin(
  context: Context,
  subject: AboutRoom,
  { role, metadata, whip }: ParticipantRecord
): Promise<Role | undefined> {
  const via = whip ? { via: whip.via } : {}
  const { answer } = await askPolicy<'join'>(context, { action: 'join', ...subject, role, ...via, metadata })
  if (!answer.allow) throw policyDenied(answer)
  return answer.role
}

/** The actor with this role in their claim for the room, as if their token gave it. Grants that the token lists stay. */
function withRole({ served: _, ...actor }: Actor, roomId: string, role: Role): Actor {
  const { rooms = {} } = actor
  const claim = Object.hasOwn(rooms, roomId) ? rooms[roomId] : Object.hasOwn(rooms, '*') ? rooms['*'] : {}
  return { ...actor, rooms: { [roomId]: { ...claim, role } } }
}
