// What the server sees of the sides of a call, for its record (record.ts): the types of their candidates, how often they resumed, and what
// they report about their connection.
import type { CandidateType, ConnectionStats } from '../../schemas/call-record.js'
import type { CandidateBatch } from '../negotiation/candidate.js'
import type { Description } from '../negotiation/sdp.js'
import type { CallCommand, CommandOf, SeenConnection } from './command.js'
import { type CallDecision, unchanged } from './decision.js'
import { isPartyOf } from './party.js'
import type { CallState, SeenSide, Side } from './state.js'

/** A client that resumes, or is served by other nodes, all the time costs no more commits than this. */
const COUNT_MAX = 100

/** RFC 8839, section 5.1: the type follows the word `typ`. */
const TYPE = / typ (host|srflx|prflx|relay)\b/
const TYPES_IN_SDP = /^a=candidate:.* typ (host|srflx|prflx|relay)\b/gm

interface SentSignals {
  readonly descriptions: readonly (Description | null | undefined)[]
  readonly batch?: CandidateBatch | undefined
}

/** The same object if there is no new type. */
export function seeTypes(seen: SeenSide, { descriptions, batch }: SentSignals): SeenSide {
  const inSdp = descriptions.flatMap(description => [...(description?.sdp.matchAll(TYPES_IN_SDP) ?? [])])
  const inBatch = (batch?.candidates ?? []).map(({ candidate }) => TYPE.exec(candidate))
  const types = [...inSdp, ...inBatch].flatMap(match => (match?.[1] as CandidateType | undefined) ?? [])
  const candidateTypes = [...new Set([...seen.candidateTypes, ...types])]
  return candidateTypes.length === seen.candidateTypes.length ? seen : { ...seen, candidateTypes }
}

/** The decision with what the command shows. It adds to a change and makes none. */
export function withSeen(before: CallState, decision: CallDecision, command: CallCommand): CallDecision {
  const { state } = decision
  if (state.version === before.version || !('actor' in command)) return decision
  const side = sideOfUser(state, command.actor.user)
  const seen = seeTypes(state.seen[side], signalsIn(command))
  const isRestart = command.type === 'offer' && restartsIce(before, state, side)
  if (seen === state.seen[side] && !isRestart) return decision
  const iceRestarts = state.iceRestarts + Number(isRestart)
  return { ...decision, state: { ...state, iceRestarts, seen: { ...state.seen, [side]: seen } } }
}

function signalsIn(command: CallCommand): SentSignals {
  switch (command.type) {
    case 'accept':
      return { descriptions: [command.offer, command.answer], batch: command.batch }
    case 'offer':
    case 'answer':
      return { descriptions: [command.description], batch: command.batch }
    case 'candidates':
      return { descriptions: [], batch: command.batch }
    default:
      return { descriptions: [] }
  }
}

/** The side had an ICE generation, and its new description starts another one. */
const restartsIce = (before: CallState, after: CallState, side: Side): boolean =>
  before.signaled[side].ufrags.length > 0 && after.signaled[side].older !== before.signaled[side].older

export const see = (state: CallState, command: CommandOf<'seen' | 'served'>): CallDecision =>
  command.type === 'seen' ? seeCandidates(state, command) : seeNodes(state, command)

/** Candidates that were sent without a commit. */
function seeCandidates(state: CallState, { actor, batch }: CommandOf<'seen'>): CallDecision {
  if (state.phase === 'ended' || !isPartyOf(state, actor.user)) return unchanged(state)
  const side = sideOfUser(state, actor.user)
  return withSide(state, side, seeTypes(state.seen[side], { descriptions: [], batch }))
}

/** The nodes that serve the sides, as far as they are not known. */
function seeNodes(state: CallState, { nodes }: CommandOf<'served'>): CallDecision {
  if (state.phase === 'ended') return unchanged(state)
  const { caller, callee } = state.seen
  const seen = { caller: withNode(caller, nodes.caller), callee: withNode(callee, nodes.callee) }
  if (seen.caller === caller && seen.callee === callee) return unchanged(state)
  return { state: { ...state, version: state.version + 1, seen }, events: [] }
}

const withNode = (seen: SeenSide, node: string | null): SeenSide =>
  seen.node === null && node !== null ? { ...seen, node } : seen

/** The device in the call has opened a stream or poll. The same object if that is of no interest. */
export function seeConnection(seen: SeenSide, connection: SeenConnection | undefined): SeenSide {
  if (connection === undefined) return seen
  const { node, isResume } = connection
  const hasMoved = seen.node !== null && seen.node !== node
  const resumes = Math.min(COUNT_MAX, seen.resumes + Number(isResume))
  const nodeChanges = Math.min(COUNT_MAX, seen.nodeChanges + Number(hasMoved))
  const isSame = resumes === seen.resumes && nodeChanges === seen.nodeChanges
  return isSame && seen.node !== null ? seen : { ...seen, node, resumes, nodeChanges }
}

/** The same object if the report is the last one again. */
export function withStats(state: CallState, side: Side, stats: ConnectionStats | undefined): CallState {
  const seen = state.seen[side]
  if (stats === undefined || JSON.stringify(stats) === JSON.stringify(seen.stats)) return state
  return { ...state, seen: { ...state.seen, [side]: { ...seen, stats } } }
}

/** A change of the version, without events: only what was seen of the side is new. */
export const withSide = (state: CallState, side: Side, seen: SeenSide): CallDecision =>
  seen === state.seen[side]
    ? unchanged(state)
    : { state: { ...state, version: state.version + 1, seen: { ...state.seen, [side]: seen } }, events: [] }

const sideOfUser = (state: CallState, user: string): Side => (user === state.caller.user ? 'caller' : 'callee')
