// The rules of the policy service's answers: what they count as, for which questions they hold, and where a redirected call goes.
import { AppError } from '../../errors.js'
import type { PolicyAllowance, PolicyAnswer, PolicyQuestion, QuestionOf } from '../../schemas/policy.js'
import { type CallTargetOf, targetsIn } from '../call/targets.js'

/** `rewritten`: the answer changes what the request has. `redirected`: it changes who rings. */
export type AnswerOutcome = 'allowed' | 'rewritten' | 'redirected' | 'denied'

export function outcomeOf(question: PolicyQuestion, answer: PolicyAnswer): AnswerOutcome {
  if (!answer.allow) return 'denied'
  const { allow: _, holdsMs: __, ...rewrites } = answer
  const redirects = 'to' in rewrites && 'to' in question && rewrites.to !== question.to
  if (redirects) return 'redirected'
  return Object.keys(rewrites).some(name => name !== 'to') ? 'rewritten' : 'allowed'
}

/**
 * Two questions with the same text are the same question: an answer that holds for one holds for the other. They differ at most in the ids of
 * their call or invitation, so nothing that the service rewrites for one request is applied to another kind of request.
 */
export function textOfQuestion(question: PolicyQuestion): string {
  const { callId: _, invitationId: __, ...rest } = { callId: '', invitationId: '', ...question }
  return JSON.stringify(rest)
}

/** Each asks the service once more. */
const REDIRECTS_MAX = 3

/** Whom the call rings instead, the one whom the question names perhaps among them; null: only that one. @throws AppError redirect_loop */
export function redirectOf(
  { caller, to, redirectedFrom }: Pick<QuestionOf<'call'>, 'caller' | 'to' | 'redirectedFrom'>,
  answer: Pick<PolicyAllowance<'call'>, 'to'>
): CallTargetOf[] | null {
  if (answer.to === undefined || answer.to === to) return null
  const next = targetsIn(answer.to)
  const isLoop = next.some(({ user }) => user === caller.user || redirectedFrom.includes(user))
  if (isLoop || redirectedFrom.length >= REDIRECTS_MAX) throw new AppError('redirect_loop')
  return next
}
