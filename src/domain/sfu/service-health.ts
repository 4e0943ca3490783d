// Whether a media service is up, as one node sees it: a circuit breaker that only a health check closes again.

export interface ServiceHealth {
  /** `unknown`: not checked yet. Only `down` keeps requests from the service. */
  readonly status: 'unknown' | 'up' | 'down'
  /** The start of the service: a new one has lost everything. Null: not known yet. */
  readonly instance: string | null
  /** From 0 to 1. */
  readonly load: number
  readonly failedChecks: number
  readonly failedRequests: number
  /** How often requests have opened the breaker, and when last. */
  readonly trips: number
  readonly trippedAt: number
  /** When the last check that failed was started, or the breaker was opened if that was later. */
  readonly failedAt: number
}

export const UNKNOWN_HEALTH: ServiceHealth = {
  status: 'unknown',
  instance: null,
  load: 0,
  failedChecks: 0,
  failedRequests: 0,
  trips: 0,
  trippedAt: Number.NEGATIVE_INFINITY,
  failedAt: Number.NEGATIVE_INFINITY
}

/** Failures in a row that open the breaker. */
export const FAILURES_MAX = 3
/** A service whose health is fine but whose requests fail is down for this long, then twice as long each time. */
const HOLD_MIN_MS = 1000
const HOLD_MAX_MS = 30_000
/** After this time without a trip, the next one counts as the first. */
const TRIPS_FORGOTTEN_MS = 120_000

/** `failedSince`: when the check was started. */
export type HealthReport =
  | { readonly of: 'check'; readonly instance: string; readonly load: number }
  | { readonly of: 'check'; readonly failedSince: number }
  | { readonly of: 'request'; readonly failed: boolean }

/** What a service's rooms have to be looked at for. */
export type HealthChange = 'down' | 'up' | 'restarted' | null

export function recordHealth(
  before: ServiceHealth,
  report: HealthReport,
  now: number
): { readonly after: ServiceHealth; readonly change: HealthChange } {
  const after = report.of === 'request' ? afterRequest(before, report.failed, now) : afterCheck(before, report, now)
  return { after, change: changeOf(before, after) }
}

function changeOf(before: ServiceHealth, after: ServiceHealth): HealthChange {
  if (before.instance !== null && after.instance !== before.instance) return 'restarted'
  if (after.status === before.status || after.status === 'unknown') return null
  return after.status
}

function afterRequest(before: ServiceHealth, failed: boolean, now: number): ServiceHealth {
  if (!failed) return before.failedRequests === 0 ? before : { ...before, failedRequests: 0 }
  const failedRequests = before.failedRequests + 1
  if (failedRequests < FAILURES_MAX || before.status === 'down') return { ...before, failedRequests }
  const trips = now - before.trippedAt > TRIPS_FORGOTTEN_MS ? 1 : before.trips + 1
  return { ...before, status: 'down', failedRequests, trips, trippedAt: now, failedAt: now }
}

type CheckReport = Extract<HealthReport, { of: 'check' }>

function afterCheck(before: ServiceHealth, report: CheckReport, now: number): ServiceHealth {
  if ('failedSince' in report) {
    const failedChecks = before.failedChecks + 1
    const failedAt = Math.max(before.failedAt, report.failedSince)
    return { ...before, failedChecks, failedAt, status: failedChecks < FAILURES_MAX ? before.status : 'down' }
  }
  const { instance, load } = report
  const isHeld = before.status === 'down' && now < before.trippedAt + holdMs(before) && instance === before.instance
  return {
    ...before,
    instance,
    load,
    failedChecks: 0,
    // Half open: the requests that follow are probes, and the first failure opens the breaker again.
    failedRequests: before.status === 'up' ? before.failedRequests : Math.min(before.failedRequests, FAILURES_MAX - 1),
    status: isHeld ? 'down' : 'up'
  }
}

const holdMs = ({ trips }: ServiceHealth) => (trips === 0 ? 0 : Math.min(HOLD_MAX_MS, HOLD_MIN_MS * 2 ** (trips - 1)))

/**
 * The service has failed since the session was placed there. A node that has not noticed yet that a service is up again does not take the
 * sessions for lost that other nodes have placed on it.
 */
export const hasLost = ({ status, failedAt }: ServiceHealth, { placedAt }: { readonly placedAt: number }): boolean =>
  status === 'down' && failedAt > placedAt
