// What a user may spend in a window of time, counted over all nodes. Routes charge one unit of their class before the handler
// runs (plugins/limits.ts); services charge what only they can know: a request's cost by its recipients, or a second budget.
import type { Clock } from '../clock.js'
import type { Config } from '../config.js'
import { AppError } from '../errors.js'
import type { Charge, Quotas } from '../store/quotas.js'
import { createQuotaBlocks, type QuotaBlocks } from './quota-blocks.js'

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
>

/** The length of each budget's window, in milliseconds, and where its size comes from. */
const BUDGETS = {
  calls: { windowMs: 60_000, max: (config: Limits) => config.rateLimitCalls },
  signals: { windowMs: 1000, max: (config: Limits) => config.rateLimitSignals },
  reads: { windowMs: 1000, max: (config: Limits) => config.rateLimitReads },
  /** What a room publishes for a user, in units of deliveryCost. */
  deliveries: { windowMs: 10_000, max: (config: Limits) => config.rateLimitDeliveries },
  /** KiB of candidates that wait for a description in the user's pairs; there they wait no longer than this either. */
  waiting: { windowMs: 600_000, max: () => 4096 },
  /** Users whose presence is looked up or watched. */
  presence: { windowMs: 10_000, max: (config: Limits) => config.rateLimitPresence },
  /** Rooms that are made. */
  rooms: { windowMs: 3_600_000, max: (config: Limits) => config.rateLimitRooms },
  /** Rooms that the room service is asked for. */
  lookups: { windowMs: 60_000, max: (config: Limits) => config.rateLimitLookups },
  /** Attempts of one user to ring another; the key is `caller/callee`. */
  attempts: { windowMs: 60_000, max: (config: Limits) => config.rateLimitCallsPerPair },
  /** Attempts of callers the callee does not know, charged to the callee. */
  incoming: { windowMs: 60_000, max: (config: Limits) => config.rateLimitCallsPerCallee },
  /** Cancels of calls the user is no side of: each may leave a tombstone for two minutes. */
  cancels: { windowMs: 120_000, max: () => 20 }
} as const satisfies Record<string, { windowMs: number; max: (config: Limits) => number }>

export type BudgetName = keyof typeof BUDGETS

export interface BudgetCharge extends Charge {
  readonly name: BudgetName
}

export interface Budgets {
  readonly blocks: QuotaBlocks
  /** For a commit: one unit is taken, or (`isTaken` false) has to be left. */
  chargeOf(user: string, budget: BudgetName, how: { isTaken: boolean }): BudgetCharge
  /** What a charge is answered with that cannot be met. */
  refusal(charge: Charge): AppError
  /**
   * Charges `cost` units to a budget of `user`, all or none; what costs more than the whole budget takes all of it. While the store takes no writes nothing can be counted and nothing is refused.
   * @throws AppError rate_limited, with the time until the window ends
   */
  spend(user: string, budget: BudgetName, cost?: number): Promise<void>
  /** Refuses when `spend` would refuse one unit, and spends nothing. @throws AppError rate_limited, as spend does */
  check(user: string, budget: BudgetName): Promise<void>
}

interface BudgetParts {
  readonly quotas: Quotas
  readonly clock: Clock
  readonly config: Limits
}

export function createBudgets({ quotas, clock, config }: BudgetParts): Budgets {
  const blocks = createQuotaBlocks(quotas, clock)

  function refusal({ name, windowMs, max }: Pick<Charge, 'name' | 'windowMs' | 'max'>): AppError {
    const detail = `More than ${max} ${name} in ${windowMs / 1000} s`
    return new AppError('rate_limited', { detail, retryAfterMs: windowMs - (clock.now() % windowMs) })
  }

  async function refuseUnlessGranted(budget: BudgetName, asked: ReturnType<QuotaBlocks['look']>): Promise<void> {
    const answer = await asked.catch(ignoreStoreFault)
    if (answer !== null && !answer.granted) throw refusal({ name: budget, ...limitOf(budget, config) })
  }

  return {
    blocks,
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
      const asked = blocks.spend(`${budget}:${user}`, { windowMs, max, cost: Math.min(cost, max) })
      return refuseUnlessGranted(budget, asked)
    },
    check: (user, budget) => refuseUnlessGranted(budget, blocks.look(`${budget}:${user}`, limitOf(budget, config)))
  }
}

/** A unit of the budget `deliveries` is one recipient of up to 1 KiB. */
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
