// The media session of a room in mode sfu: on which media service it is, and what happens when it is lost. Pure functions from the parts of
// the room to writes and events. They read PART.settings, PART.sfu and, if no service is up, PART.participantHeads.
import {
  mergeDecisions,
  NO_CHANGE,
  PART,
  type ParticipantHead,
  type RoomDecision,
  type RoomParts,
  roomEvent,
  type Settings
} from '../room/state.js'

/** Where a session is, or is about to be opened. */
export interface Placement {
  /** Chosen by Signalpost, at random. */
  readonly sessionId: string
  /** Host and port of the media service. */
  readonly service: string
  /** The start of the service, as far as it was known when the session was placed. */
  readonly instance: string | null
  readonly placedAt: number
}

export interface OpenSession extends Placement {
  readonly state: 'open'
}

export interface OpeningSession extends Placement {
  readonly state: 'opening'
  /** The node that asks the service. Null: it has failed, and the next request opens the session. */
  readonly openingBy: string | null
  /** From then on another node may open it. */
  readonly openingUntil: number
}

/** No service was up when the session was lost or asked for. */
export interface UnavailableSession {
  readonly state: 'unavailable'
  readonly sessionId: null
}

export type SfuSession = OpenSession | OpeningSession | UnavailableSession

export type ResetReason = 'worker_died' | 'service_lost'

/** The next placement, if a service is up, and the node that opens it. */
export interface NextPlacement extends Placement {
  readonly openingBy: string
  readonly openingUntil: number
}

/** With fewer participants than this, p2p works: each sends its media to at most two others. */
const FALLBACK_BELOW = 4

/** Also of a room that fell back to p2p: then it is unavailable. */
export const sessionIn = (parts: Pick<RoomParts, 'get'>): SfuSession | null => parts.get<SfuSession>(PART.sfu)

/** The id of the session whose producers count; null: there is none. */
export function sessionIdIn(parts: Pick<RoomParts, 'get' | 'settings'>): string | null {
  return parts.settings?.mode === 'sfu' ? (sessionIn(parts)?.sessionId ?? null) : null
}

/**
 * Places the session if there is none, none was available, or the node that opened it has failed or died. If none is available still, a room
 * that has become small enough falls back.
 */
export function placeSession(parts: RoomParts, next: NextPlacement | null, now: number): RoomDecision {
  const { settings } = parts
  const session = sessionIn(parts)
  if (settings?.closed !== null) return NO_CHANGE
  if (session?.state === 'unavailable') return next === null ? fallBack(parts, settings) : recover(settings, next)
  if (settings.mode !== 'sfu' || session?.state === 'open') return NO_CHANGE
  if (session !== null && session.openingUntil > now) return NO_CHANGE
  if (next === null) return becomeUnavailable(parts, settings)
  return session === null ? open(next) : reopen(next, 'service_lost')
}

const open = (next: NextPlacement): RoomDecision => ({
  writes: { [PART.sfu]: { ...next, state: 'opening' } satisfies OpeningSession },
  events: [],
  deadlineAt: next.openingUntil
})

/** Participants may know the session that this one replaces, even if it was not open yet. */
const reopen = (next: NextPlacement, reason: ResetReason): RoomDecision => ({
  ...open(next),
  events: [roomEvent('sfu.reset', { sessionId: next.sessionId, reason })]
})

interface Loss {
  readonly sessionId: string
  readonly reason: ResetReason
}

/** Everything of this session is gone: the room gets another one. Changes nothing if the room is on another one already. */
export function replaceSession(
  parts: RoomParts,
  { sessionId, reason }: Loss,
  next: NextPlacement | null
): RoomDecision {
  const { settings } = parts
  if (settings?.closed !== null || sessionIdIn(parts) !== sessionId) return NO_CHANGE
  if (next === null) return becomeUnavailable(parts, settings)
  return reopen(next, reason)
}

function becomeUnavailable(parts: RoomParts, settings: Settings): RoomDecision {
  const session: UnavailableSession = { state: 'unavailable', sessionId: null }
  const lost = roomEvent('sfu.unavailable', { detail: 'Media server unavailable' })
  return mergeDecisions({ writes: { [PART.sfu]: session }, events: [lost] }, fallBack(parts, settings))
}

/** No service is up: the room becomes p2p if it allows that and is small enough. */
function fallBack(parts: RoomParts, settings: Settings): RoomDecision {
  if (!mayFallBack(parts)) return NO_CHANGE
  const changed: Settings = { ...settings, mode: 'p2p', fellBack: true, modeSince: null }
  const changes = { changes: { mode: 'p2p' }, by: null, offerOrder: offerOrder(parts) }
  return { writes: { [PART.settings]: changed }, events: [roomEvent('room.updated', changes)] }
}

/** Also true later, when participants of a larger room have left. */
export const mayFallBack = ({
  settings,
  participantCount
}: Pick<RoomParts, 'settings' | 'participantCount'>): boolean =>
  settings?.mode === 'sfu' && settings.p2pFallback && participantCount < FALLBACK_BELOW

function recover(settings: Settings, next: NextPlacement): RoomDecision {
  const opening = open(next)
  const available = roomEvent('sfu.available', { sessionId: next.sessionId })
  const { fellBack, ...kept } = settings
  if (!fellBack) return { ...opening, events: [available] }
  return {
    ...opening,
    writes: { ...opening.writes, [PART.settings]: { ...kept, mode: 'sfu', modeSince: null } satisfies Settings },
    events: [roomEvent('room.updated', { changes: { mode: 'sfu' }, by: null }), available]
  }
}

/** The participants in the order they joined. In mode p2p each sends an offer to all before it. Reads PART.participantHeads. */
export const offerOrder = (parts: RoomParts): string[] =>
  parts
    .list<ParticipantHead>(PART.participantHeads)
    .map(([, head]) => head)
    .sort((a, b) => (a.since ?? 0) - (b.since ?? 0))
    .map(({ participantId }) => participantId)

/** What the service has answered to the node that opens the session. */
type Opened = Pick<NextPlacement, 'sessionId' | 'openingBy'>

const isOpenedBy = (session: SfuSession | null, { sessionId, openingBy }: Opened): session is OpeningSession =>
  session?.state === 'opening' && session.sessionId === sessionId && session.openingBy === openingBy

/** Changes nothing if the session was lost meanwhile, or another node opens it. Reads PART.sfu. */
export function finishOpening(parts: RoomParts, opened: Opened): RoomDecision {
  const session = sessionIn(parts)
  if (parts.settings?.closed !== null || !isOpenedBy(session, opened)) return NO_CHANGE
  const { sessionId, service, instance, placedAt } = session
  const open: OpenSession = { state: 'open', sessionId, service, instance, placedAt }
  return { writes: { [PART.sfu]: open }, events: [] }
}

/** When a room whose session could not be opened is looked at again, if no request comes before. */
export const RETRY_OPENING_MS = 2000

/** The service has failed: a session on the next service, or this one is released for the next request. Reads PART.sfu. */
export function failOpening(
  parts: RoomParts,
  { failed, next }: { readonly failed: Opened; readonly next: NextPlacement | null },
  now: number
): RoomDecision {
  const session = sessionIn(parts)
  if (parts.settings?.closed !== null || !isOpenedBy(session, failed)) return NO_CHANGE
  if (next !== null) return reopen(next, 'service_lost')
  const released: OpeningSession = { ...session, openingBy: null, openingUntil: now }
  return { writes: { [PART.sfu]: released }, events: [], deadlineAt: now + RETRY_OPENING_MS }
}
