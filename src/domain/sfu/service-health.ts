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
}

export const UNKNOWN_HEALTH: ServiceHealth = {
  status: 'unknown',
  instance: null,
  load: 0,
  failedChecks: 0,
  failedRequests: 0,
  trips: 0,
  trippedAt: Number.NEGATIVE_INFINITY
}

/** Failures in a row that open the breaker. */
export const FAILURES_MAX = 3
/** A service whose health is fine but whose requests fail is down for this long, then twice as long each time. */
const HOLD_MIN_MS = 1000
const HOLD_MAX_MS = 30_000
/** After this time without a trip, the next one counts as the first. */
const TRIPS_FORGOTTEN_MS = 120_000

export type HealthReport =
  | { readonly of: 'check'; readonly instance: string; readonly load: number }
  | { readonly of: 'check'; readonly failed: true }
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
  return { ...before, status: 'down', failedRequests, trips, trippedAt: now }
}

type CheckReport = Extract<HealthReport, { of: 'check' }>

function afterCheck(before: ServiceHealth, report: CheckReport, now: number): ServiceHealth {
  if ('failed' in report) {
    const failedChecks = before.failedChecks + 1
    return { ...before, failedChecks, status: failedChecks < FAILURES_MAX ? before.status : 'down' }
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
