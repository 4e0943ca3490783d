// What a user may spend in a window of time, over all nodes. plugins/limits.ts charges one unit for a request before its handler runs;
// services charge what only they know: the recipients of a request, or a second budget.
import type { Clock } from '../clock.js'
import type { Config } from '../config.js'
import { AppError } from '../errors.js'
import type { BudgetCounters, Charge } from '../store/budget-counters.js'
import { type BudgetSlices, createBudgetSlices } from './budget-slices.js'

export type Limits = Pick<
  Config,
  | 'rateLimitCalls'
  | 'rateLimitSignals'
  | 'rateLimitReads'
  | 'rateLimitDeliveries'
  | 'rateLimitPresence'
  | 'rateLimitCallsPerPair'
  | 'rateLimitCallsPerCallee'
  | 'rateLimitRooms'
  | 'rateLimitLookups'
  | 'rateLimitPushes'
>

/** The window and the size of each budget. */
const BUDGETS = {
  calls: { windowMs: 60_000, max: (config: Limits) => config.rateLimitCalls },
  signals: { windowMs: 1000, max: (config: Limits) => config.rateLimitSignals },
  reads: { windowMs: 1000, max: (config: Limits) => config.rateLimitReads },
  /** Events that a room publishes for a user's requests, in units of deliveryCost. */
  deliveries: { windowMs: 10_000, max: (config: Limits) => config.rateLimitDeliveries },
  /** KiB of candidates that wait for a description in the user's pairs. They wait no longer than this window. */
  waiting: { windowMs: 600_000, max: () => 4096 },
  /** Users whose presence is read or watched. */
  presence: { windowMs: 10_000, max: (config: Limits) => config.rateLimitPresence },
  /** Rooms created. */
  rooms: { windowMs: 3_600_000, max: (config: Limits) => config.rateLimitRooms },
  /** Requests to the room service. */
  lookups: { windowMs: 60_000, max: (config: Limits) => config.rateLimitLookups },
  /** Ring attempts of one user at another; the key is `caller/callee`. */
  attempts: { windowMs: 60_000, max: (config: Limits) => config.rateLimitCallsPerPair },
  /** Ring attempts of unknown callers, charged to the callee. */
  incoming: { windowMs: 60_000, max: (config: Limits) => config.rateLimitCallsPerCallee },
  /** Calls of known callers, and of unknown ones, that wake the devices of a callee. */
  pushes: { windowMs: 60_000, max: (config: Limits) => config.rateLimitPushes },
  pushesOfUnknown: { windowMs: 60_000, max: (config: Limits) => config.rateLimitPushes },
  /** Tokens of a device that has proved itself; the key is `user/device`. */
  deviceTokens: { windowMs: 60_000, max: () => 20 },
  /** Cancels of calls the user is not a party of: each may leave a tombstone for two minutes. */
  cancels: { windowMs: 120_000, max: () => 20 }
} as const satisfies Record<string, { windowMs: number; max: (config: Limits) => number }>

export type BudgetName = keyof typeof BUDGETS

export interface BudgetCharge extends Charge {
  readonly name: BudgetName
}

export interface Budgets {
  readonly slices: BudgetSlices
  /** A charge for a commit: takes one unit, or with `isTaken` false only requires that one is left. */
  chargeOf(user: string, budget: BudgetName, how: { isTaken: boolean }): BudgetCharge
  /** The error for a charge of which nothing is left. */
  refusal(charge: Charge): AppError
  /**
   * Charges `cost` units to a budget of `user`, all or none. A cost above the size of the budget takes all of it. While the store
   * accepts no writes, nothing is counted and nothing is refused.
   * @throws AppError rate_limited, with the time until the window ends
   */
  spend(user: string, budget: BudgetName, cost?: number): Promise<void>
  /** Spends nothing. @throws AppError rate_limited if `spend` of one unit would */
  check(user: string, budget: BudgetName): Promise<void>
}

interface BudgetParts {
  readonly counters: BudgetCounters
  readonly clock: Clock
  readonly config: Limits
}

export function createBudgets({ counters, clock, config }: BudgetParts): Budgets {
  const slices = createBudgetSlices(counters, clock)

  function refusal({ name, windowMs, max }: Pick<Charge, 'name' | 'windowMs' | 'max'>): AppError {
    const detail = `More than ${max} ${name} in ${windowMs / 1000} s`
    return new AppError('rate_limited', { detail, retryAfterMs: windowMs - (clock.now() % windowMs) })
  }

  async function refuseUnlessGranted(budget: BudgetName, reply: ReturnType<BudgetSlices['check']>): Promise<void> {
    const status = await reply.catch(ignoreStoreFault)
    if (status !== null && !status.isGranted) throw refusal({ name: budget, ...limitOf(budget, config) })
  }

  return {
    slices,
    refusal,
    chargeOf: (user, budget, { isTaken }) => ({
      user,
      name: budget,
      ...limitOf(budget, config),
      now: clock.now(),
      isTaken
    }),
    spend(user, budget, cost = 1) {
      const { windowMs, max } = limitOf(budget, config)
      const reply = slices.spend(`${budget}:${user}`, { windowMs, max, cost: Math.min(cost, max) })
      return refuseUnlessGranted(budget, reply)
    },
    check: (user, budget) => refuseUnlessGranted(budget, slices.check(`${budget}:${user}`, limitOf(budget, config)))
  }
}

/** A unit of the budget `deliveries` is 1 KiB for one recipient. */
export const deliveryCost = (recipients: number, bytes: number): number =>
  recipients * Math.max(1, Math.ceil(bytes / 1024))

export function limitOf(budget: BudgetName, config: Limits): { windowMs: number; max: number } {
  const { windowMs, max } = BUDGETS[budget]
  return { windowMs, max: max(config) }
}

function ignoreStoreFault(error: unknown): null {
  if (error instanceof AppError && (error.code === 'store_unavailable' || error.code === 'store_full')) return null
  throw error
}
