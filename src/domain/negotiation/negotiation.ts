// The negotiation of two sides, for calls and for pairs of a room. One offer at a time is pending; when offers collide, the first one
// stands. RFC 8829 section 4.1. The candidates are in candidates.ts.
import { lastTaken, releaseWaiting } from './candidates.js'
import type { Description } from './sdp.js'
import { type Negotiation, type NegotiationResult, type SideSignals, type Signaler, withSignals } from './state.js'

/** Older generations kept for a side, to refuse their candidates. */
const OLDER_MAX = 16

interface DescriptionSignal {
  readonly description: Description
  readonly revision?: number | undefined
}

/** A retry changes nothing. @throws AppError offer_collision, stale_revision */
export function applyOffer<S extends string>(
  before: Negotiation<S>,
  signaler: Signaler<S>,
  signal: DescriptionSignal
): NegotiationResult<S> {
  const { revision, pendingFrom } = before.negotiation
  if (isRetry(before.signaled[signaler.side], { kind: 'offer', revision }, signal)) return { next: before, signals: [] }
  if (pendingFrom === signaler.other) {
    const extra = { revision, pendingFrom, polite: signaler.isPolite }
    throw signaler.refuse('offer_collision', 'Roll back your offer, answer the pending one, then offer again', extra)
  }
  if (signal.revision !== undefined && signal.revision !== revision + 1) {
    throw signaler.refuse('stale_revision', `The next offer is revision ${revision + 1}`, { revision })
  }
  const negotiation = { revision: revision + 1, pendingFrom: signaler.side }
  const isSuperseding = pendingFrom === signaler.side
  return applyDescription({ ...before, negotiation }, signaler, { kind: 'offer', isSuperseding, ...signal.description })
}

/** A retry changes nothing. @throws AppError no_offer_pending, stale_revision, revision_required */
export function applyAnswer<S extends string>(
  before: Negotiation<S>,
  signaler: Signaler<S>,
  signal: DescriptionSignal
): NegotiationResult<S> {
  const { revision, pendingFrom } = before.negotiation
  if (isRetry(before.signaled[signaler.side], { kind: 'answer', revision }, signal))
    return { next: before, signals: [] }
  if (signal.revision !== undefined && signal.revision !== revision) {
    throw signaler.refuse('stale_revision', `The pending offer is revision ${revision}`, { revision })
  }
  if (pendingFrom !== signaler.other) throw signaler.refuse('no_offer_pending', undefined, { revision })
  if (signal.revision === undefined && before.signaled[signaler.other].last?.isSuperseding) {
    const detail = `Offer ${revision} has superseded another one: name the revision of the offer that you answer`
    throw signaler.refuse('revision_required', detail, { revision })
  }
  const negotiation = { revision, pendingFrom: null }
  return applyDescription({ ...before, negotiation }, signaler, { kind: 'answer', ...signal.description })
}

function isRetry(
  { last }: SideSignals,
  { kind, revision }: { kind: 'offer' | 'answer'; revision: number },
  signal: DescriptionSignal
): boolean {
  if (last === null || last.revision !== revision || last.kind !== kind) return false
  return last.digest === signal.description.digest && (signal.revision ?? revision) === revision
}

interface NewDescription extends Description {
  readonly kind: 'offer' | 'answer'
  readonly isSuperseding?: boolean
}

/** `before` has the new revision already. */
function applyDescription<S extends string>(
  before: Negotiation<S>,
  signaler: Signaler<S>,
  { kind, sdp, ufrags, digest, isSuperseding }: NewDescription
): NegotiationResult<S> {
  const mine = before.signaled[signaler.side]
  const { revision } = before.negotiation
  // Without a ufrag all media sections are rejected, which restarts no ICE.
  const isSameGeneration = ufrags.every(ufrag => mine.ufrags.includes(ufrag))
  const described: SideSignals = {
    ...mine,
    ufrags: ufrags.length > 0 ? ufrags : mine.ufrags,
    older: isSameGeneration ? mine.older : [...mine.older, ...mine.ufrags].slice(-OLDER_MAX),
    ...(isSameGeneration || !mine.broadcast ? {} : { broadcast: { taken: 0, bare: lastTaken(mine.broadcast) } }),
    last: { kind, revision, digest, ...(isSuperseding ? { isSuperseding } : {}) }
  }
  const { next, signals } = releaseWaiting(withSignals(before, signaler.side, described), signaler)
  return { next, signals: [{ type: `signal.${kind}`, data: { revision, sdp } }, ...signals] }
}
