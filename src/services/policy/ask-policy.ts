// Asks the policy service. An answer that holds for a while is cached on this node. Requests in flight are bounded, so that a service that
// hangs does not make them pile up. A question without an answer is decided by POLICY_ON_ERROR.
import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { askPolicyService } from '../../adapters/policy.js'
import { type AnswerOutcome, outcomeOf, textOfQuestion } from '../../domain/policy/answer.js'
import { AppError } from '../../errors.js'
import type { PolicyAction, PolicyAnswer, PolicyQuestion, QuestionOf } from '../../schemas/policy.js'
import { type Context, perContext } from '../context.js'
import { checkMetadata } from '../metadata-bounds.js'

/** Of one action on one node: many questions about presence do not keep calls from being decided. */
const IN_FLIGHT_MAX = 256
/** How long answers about presence hold that do not say it: a list of watched users is asked about again and again. */
const PRESENCE_HOLDS_MS = 30_000
/** For this long after a failure this node does not ask again about the presence of that user. */
const PRESENCE_BACKOFF_MS = 5000
/** Of all cached answers, in characters. */
const CACHE_LENGTH_MAX = 16_777_216
/** What an entry takes besides its answer. */
const ENTRY_LENGTH = 256

/** `failed`: the service gave no valid answer in time. `not_sent`: too many questions were in flight. */
export type PolicyOutcome = AnswerOutcome | 'failed' | 'not_sent'

export interface PolicyDecision<Action extends PolicyAction> {
  readonly answer: PolicyAnswer<Action>
  readonly outcome: PolicyOutcome
}

interface HeldAnswer {
  /** Null: the service failed. */
  readonly answer: PolicyAnswer | null
  readonly until: number
}

interface Questions {
  readonly held: LRUCache<string, HeldAnswer>
  /** By the whole question, with its ids: its repeats wait for the same answer. */
  readonly inFlight: Map<string, Promise<PolicyAnswer | null>>
  readonly counts: Map<PolicyAction, number>
}

const questionsOf = perContext<Questions>(() => ({
  held: new LRUCache({ maxSize: CACHE_LENGTH_MAX }),
  inFlight: new Map(),
  counts: new Map()
}))

/**
 * With POLICY_ON_ERROR=allow a question without an answer is allowed, and nothing is rewritten. Only call it with a policy service.
 * @throws AppError policy_unavailable without an answer, if POLICY_ON_ERROR is `deny`
 */
export async function askPolicy<Action extends PolicyAction>(
  context: Context,
  question: QuestionOf<Action>
): Promise<PolicyDecision<Action>> {
  const answer = (await findAnswer(context, question)) as PolicyAnswer<Action> | 'failed' | 'not_sent'
  const outcome = typeof answer === 'string' ? answer : outcomeOf(question, answer)
  context.metrics.policyDecisions.inc({ action: question.action, outcome })
  logDecision(context, question, { answer, outcome })
  if (typeof answer !== 'string') return { answer, outcome }
  if (context.config.policyOnError === 'deny') throw new AppError('policy_unavailable')
  return { answer: { allow: true } as PolicyAnswer<Action>, outcome }
}

/** Without metadata. Questions about presence are too many for ordinary logs. */
function logDecision(
  { log, config }: Context,
  { action, caller, ...question }: PolicyQuestion,
  { answer, outcome }: { readonly answer: PolicyAnswer | string; readonly outcome: PolicyOutcome }
): void {
  const { callId, roomId, invitationId, to } = {
    callId: undefined,
    roomId: undefined,
    invitationId: undefined,
    to: undefined,
    ...question
  }
  const more =
    typeof answer === 'string'
      ? { onError: config.policyOnError }
      : { reason: 'reason' in answer ? answer.reason : undefined, redirectedTo: 'to' in answer ? answer.to : undefined }
  const entry = { action, outcome, callId, roomId, invitationId, user: caller.user, to, ...more }
  log[action === 'presence' ? 'debug' : 'info'](entry, 'policy decided')
}

async function findAnswer(context: Context, question: PolicyQuestion): Promise<PolicyAnswer | 'failed' | 'not_sent'> {
  const { held, inFlight, counts } = questionsOf(context)
  const { action } = question
  const key = hash('sha256', textOfQuestion(question), 'base64url')
  const known = held.get(key)
  if (known && known.until > context.clock.now()) return known.answer ?? 'failed'
  const whole = JSON.stringify(question)
  const waiting = inFlight.get(whole)
  if (waiting) return (await waiting) ?? 'failed'
  const count = counts.get(action) ?? 0
  if (count >= IN_FLIGHT_MAX) return 'not_sent'
  counts.set(action, count + 1)
  const asked = ask(context, question).finally(() => {
    inFlight.delete(whole)
    counts.set(action, (counts.get(action) ?? 1) - 1)
  })
  inFlight.set(whole, asked)
  const answer = await asked
  hold(context, { key, action }, answer)
  return answer ?? 'failed'
}

/** Null: the service failed. */
async function ask(context: Context, question: PolicyQuestion): Promise<PolicyAnswer | null> {
  const { config, metrics, log } = context
  const stop = metrics.policySeconds.startTimer({ action: question.action })
  try {
    const answer = await askPolicyService(config, question)
    if ('metadata' in answer) checkMetadata(answer.metadata)
    return answer
  } catch (error) {
    log.warn({ err: error, action: question.action }, 'the policy service did not answer')
    return null
  } finally {
    stop()
  }
}

function hold(
  context: Context,
  { key, action }: { readonly key: string; readonly action: PolicyAction },
  answer: PolicyAnswer | null
): void {
  const byDefault = answer ? PRESENCE_HOLDS_MS : PRESENCE_BACKOFF_MS
  const holdsMs = answer?.holdsMs ?? (action === 'presence' ? byDefault : 0)
  if (holdsMs === 0) return
  const size = ENTRY_LENGTH + (answer === null ? 0 : JSON.stringify(answer).length)
  questionsOf(context).held.set(key, { answer, until: context.clock.now() + holdsMs }, { size })
}
