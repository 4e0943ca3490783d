// The negotiation of two sides, for calls and for pairs of a room. One offer at a time is pending; when offers collide, the first one
// stands. RFC 8829 section 4.1. The candidates are in candidates.ts.
import { createHash } from 'node:crypto'
import type { CandidateBatch } from './candidate.js'
import { applyBatch, classifyCandidates, lastTaken, releaseWaiting } from './candidates.js'
import type { Description } from './sdp.js'
import {
  isFormer,
  type Negotiation,
  type NegotiationResult,
  NO_SIGNALS,
  type SideSignals,
  type Signal,
  type Signaler,
  withSignals
} from './state.js'

/** Older generations kept for a side, to refuse their candidates. */
const OLDER_MAX = 16

interface DescriptionSignal {
  readonly description: Description
  readonly revision?: number | undefined
  /** The candidates that came with it. */
  readonly batch?: CandidateBatch | undefined
}

/**
 * A negotiation of new connections after another one. Revisions go on, and ICE generations stay known, so that signals that belong to the
 * old connections are recognized and refused.
 */
export function beginAnew<S extends string>({ negotiation, signaled }: Negotiation<S>): Negotiation<S> {
  const { revision, pendingFrom } = negotiation
  const sides = Object.entries<SideSignals>(signaled).map(([side, mine]) => [
    side,
    asFormer(mine, pendingFrom === side)
  ])
  return { negotiation: { revision, pendingFrom: null }, signaled: Object.fromEntries(sides) }
}

function asFormer({ ufrags, older, broadcast, last, former }: SideSignals, isUnanswered: boolean): SideSignals {
  const generations = [...(former?.ufrags ?? []), ...older, ...ufrags].slice(-OLDER_MAX)
  const described = last ? { digest: last.digest, isUnanswered, ufrags: generations } : former
  return {
    ...NO_SIGNALS,
    ...(broadcast && { broadcast: { taken: 0, bare: lastTaken(broadcast) } }),
    ...(described && { former: described })
  }
}

/** It is the side's last description for connections that are closed, or has their ICE generation. @throws AppError stale_revision */
function refuseFormer<S extends string>(
  { negotiation: { revision }, signaled }: Negotiation<S>,
  { side, refuse }: Signaler<S>,
  { description: { digest, ufrags } }: DescriptionSignal
): void {
  const mine = signaled[side]
  const isOfClosed = mine.former?.digest === digest || ufrags.some(ufrag => isFormer(mine, ufrag))
  if (isOfClosed) throw refuse('stale_revision', 'This description is for connections that are closed', { revision })
}

/** A retry changes nothing. @throws AppError offer_collision, stale_revision */
export function applyOffer<S extends string>(
  before: Negotiation<S>,
  signaler: Signaler<S>,
  signal: DescriptionSignal
): NegotiationResult<S> {
  const { revision, pendingFrom } = before.negotiation
  if (isRetry(before.signaled[signaler.side], { kind: 'offer', revision }, signal)) {
    return applyRetry(before, signaler, signal)
  }
  refuseFormer(before, signaler, signal)
  if (pendingFrom === signaler.other) {
    const extra = { revision, pendingFrom, polite: signaler.isPolite }
    throw signaler.refuse('offer_collision', 'Roll back your offer, answer the pending one, then offer again', extra)
  }
  if (signal.revision !== undefined && signal.revision !== revision + 1) {
    throw signaler.refuse('stale_revision', `The next offer is revision ${revision + 1}`, { revision })
  }
  const negotiation = { revision: revision + 1, pendingFrom: signaler.side }
  const isSuperseding = pendingFrom === signaler.side
  return applyDescription({ ...before, negotiation }, signaler, { kind: 'offer', isSuperseding, ...signal })
}

/** A retry changes nothing. @throws AppError no_offer_pending, stale_revision, revision_required */
export function applyAnswer<S extends string>(
  before: Negotiation<S>,
  signaler: Signaler<S>,
  signal: DescriptionSignal
): NegotiationResult<S> {
  const { revision, pendingFrom } = before.negotiation
  if (isRetry(before.signaled[signaler.side], { kind: 'answer', revision }, signal)) {
    return applyRetry(before, signaler, signal)
  }
  refuseFormer(before, signaler, signal)
  if (signal.revision !== undefined && signal.revision !== revision) {
    throw signaler.refuse('stale_revision', `The pending offer is revision ${revision}`, { revision })
  }
  if (pendingFrom !== signaler.other) throw signaler.refuse('no_offer_pending', undefined, { revision })
  if (signal.revision === undefined && isAmbiguous(before.signaled[signaler.other])) {
    const detail = `Offer ${revision} has superseded another one: name the revision of the offer that you answer`
    throw signaler.refuse('revision_required', detail, { revision })
  }
  const negotiation = { revision, pendingFrom: null }
  return applyDescription({ ...before, negotiation }, signaler, { kind: 'answer', ...signal })
}

/** An answer without a revision may be one to an earlier offer of this side, which has no answer. */
const isAmbiguous = ({ last, former }: SideSignals): boolean => (last?.isSuperseding || former?.isUnanswered) === true

/** The description is the side's last one, of the negotiation with this revision. */
export function isRetry(
  { last }: SideSignals,
  { kind, revision }: { kind: 'offer' | 'answer'; revision: number },
  signal: DescriptionSignal
): boolean {
  if (last === null || last.revision !== revision || last.kind !== kind) return false
  return last.digest === signal.description.digest && (signal.revision ?? revision) === revision
}

/** The description is committed. Its candidates are too, unless others come with it this time. */
function applyRetry<S extends string>(
  before: Negotiation<S>,
  signaler: Signaler<S>,
  { batch }: DescriptionSignal
): NegotiationResult<S> {
  if (batch === undefined) return { next: before, signals: [] }
  if (before.signaled[signaler.side].last?.batchDigest !== digestOf(batch)) return applyBatch(before, signaler, batch)
  return { next: before, signals: [], outcomes: classifyCandidates(before, signaler, batch) }
}

const digestOf = ({ candidates, end }: CandidateBatch): string =>
  createHash('sha1')
    .update(JSON.stringify([candidates, end === true]))
    .digest('base64url')

interface NewDescription extends Omit<DescriptionSignal, 'revision'> {
  readonly kind: 'offer' | 'answer'
  readonly isSuperseding?: boolean
}

/** `before` has the new revision already. The order of the signals: the description, candidates that waited for it, its own candidates. */
function applyDescription<S extends string>(
  before: Negotiation<S>,
  signaler: Signaler<S>,
  { kind, description, batch, isSuperseding }: NewDescription
): NegotiationResult<S> {
  const mine = before.signaled[signaler.side]
  const { revision } = before.negotiation
  const { sdp, ufrags, digest } = description
  // Without a ufrag all media sections are rejected, which restarts no ICE.
  const isSameGeneration = ufrags.every(ufrag => mine.ufrags.includes(ufrag))
  const described: SideSignals = {
    ...mine,
    ufrags: ufrags.length > 0 ? ufrags : mine.ufrags,
    older: isSameGeneration ? mine.older : [...mine.older, ...mine.ufrags].slice(-OLDER_MAX),
    ...(isSameGeneration || !mine.broadcast ? {} : { broadcast: { taken: 0, bare: lastTaken(mine.broadcast) } }),
    last: {
      kind,
      revision,
      digest,
      ...(isSuperseding && { isSuperseding }),
      ...(batch && { batchDigest: digestOf(batch) })
    }
  }
  const released = releaseWaiting(withSignals(before, signaler.side, described), signaler)
  const signals: Signal[] = [{ type: `signal.${kind}`, data: { revision, sdp } }, ...released.signals]
  if (batch === undefined) return { next: released.next, signals }
  const sent = applyBatch(released.next, signaler, batch)
  return { ...sent, signals: [...signals, ...sent.signals] }
}
