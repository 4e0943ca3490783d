// Whom a call rings: the application's policy is asked about each user, and may redirect the call to others.
import type { CommandOf } from '../../domain/call/command.js'
import type { CallTargetOf } from '../../domain/call/targets.js'
import { redirectOf } from '../../domain/policy/answer.js'
import { AppError } from '../../errors.js'
import { CALLEES_MAX, type RingStrategy } from '../../schemas/callee.js'
import type { PolicyAllowance } from '../../schemas/policy.js'
import type { TimelineOutcome } from '../../schemas/timeline.js'
import type { Context } from '../context.js'
import { askPolicy } from '../policy/ask-policy.js'
import { policyDenied } from '../policy/denial.js'
import { type CalleeRelation, readTargetRelation, refuseDuringBackoff } from './contacts.js'

export interface Target extends CallTargetOf {
  readonly ringMs: number
}

export interface CreateCommand extends Omit<CommandOf<'create'>, 'attempt' | 'callees'> {
  readonly targets: readonly Target[]
  readonly strategy: RingStrategy
  /** Undefined: as OFFLINE_CALLS says. */
  readonly whenOffline?: 'reject' | 'ring' | undefined
  readonly consultationOf?: string | undefined
  /** See LeaseRequest. */
  readonly uncounted?: string
}

export interface Route {
  readonly target: Target
  /** Of the target. A user who blocks the caller and from whom the call is redirected counts as blocking, too. */
  readonly relation: CalleeRelation
  /** Why the target does not ring: an AppError; null: it may. */
  readonly refusal: unknown
}

/** With redirects to several users a create could ask without end. */
const QUESTIONS_MAX = 24

/** One create while the policy is asked. */
interface Search {
  readonly context: Context
  command: CreateCommand
  readonly policy: TimelineOutcome[]
  questions: number
}

/**
 * Asks the policy about each callee, and about each user to whom it redirects the call. It is asked also about a callee who blocks the caller
 * or is unreachable: its answer must not show a block. What it rewrites of the call is that of its last answer.
 */
export async function findRoutes(
  context: Context,
  command: CreateCommand
): Promise<{ readonly command: CreateCommand; readonly routes: readonly Route[] }> {
  const search: Search = { context, command, policy: [], questions: 0 }
  const found = await Promise.all(command.targets.map(target => findRoute(search, target)))
  const routes = found.flat()
  const isFirst = ({ target }: Route, i: number) => routes.findIndex(each => each.target.user === target.user) === i
  const unique = routes.filter(isFirst).slice(0, CALLEES_MAX)
  const policy = context.config.policyUrl === null ? {} : { policy: search.policy }
  return { command: { ...search.command, ...policy, targets: unique.map(({ target }) => target) }, routes: unique }
}

async function findRoute(search: Search, target: Target): Promise<Route[]> {
  const relation = await readTargetRelation(search.context, search.command.actor.user, target)
  const asked = { target, relation, refusal: null }
  if (search.context.config.policyUrl === null) return [asked]
  return askAbout(search, asked, [])
}

async function askAbout(search: Search, route: Route, redirectedFrom: readonly string[]): Promise<Route[]> {
  try {
    return await follow(search, route, redirectedFrom)
  } catch (refusal) {
    // A policy service that gives no answer fails the whole create.
    if (refusal instanceof AppError && refusal.code !== 'policy_unavailable') return [{ ...route, refusal }]
    throw refusal
  }
}

async function follow(search: Search, route: Route, redirectedFrom: readonly string[]): Promise<Route[]> {
  const { context, command } = search
  const { target, relation } = route
  refuseDuringBackoff(context, relation)
  if (++search.questions > QUESTIONS_MAX) throw new AppError('redirect_loop')
  const { callId, actor: caller, media, metadata } = command
  const question = {
    ...({ action: 'call', callId, caller, to: target.user, redirectedFrom, media, metadata } as const),
    ringTimeoutMs: target.ringMs
  }
  const { answer, outcome } = await askPolicy<'call'>(context, question)
  if (!answer.allow) throw policyDenied(answer)
  search.policy.push(outcome === 'not_sent' || outcome === 'denied' ? 'failed' : outcome)
  const next = redirectOf(question, answer)
  search.command = rewrite(search.command, answer)
  const ringMs = answer.ringTimeoutMs ?? target.ringMs
  if (next === null) return [{ ...route, target: { ...target, ringMs } }]
  const from = [...redirectedFrom, target.user]
  const found = await Promise.all(
    next.map(async each => {
      const to = { ...each, ringMs: each.ringMs ?? ringMs }
      if (each.user === target.user) return [{ ...route, target: to }]
      const theirs = await readTargetRelation(context, caller.user, to)
      const isBlocked = relation.isBlocked || theirs.isBlocked
      return askAbout(search, { target: to, relation: { ...theirs, isBlocked }, refusal: null }, from)
    })
  )
  return found.flat()
}

const rewrite = (command: CreateCommand, answer: PolicyAllowance<'call'>): CreateCommand => ({
  ...command,
  media: answer.media ?? command.media,
  metadata: answer.metadata ?? command.metadata,
  strategy: answer.ringStrategy ?? command.strategy,
  maxMs: answer.maxDurationMs ?? command.maxMs
})
