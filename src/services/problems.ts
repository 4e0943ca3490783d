// The error table as pages: the `type` of a problem is the URL of one.
import { AppError, ERRORS, type ErrorCode } from '../errors.js'
import type { ProblemExplanation } from '../schemas/problem.js'
import { ADVICE } from './problem-advice.js'

/** @throws AppError not_found */
export function explainProblem(code: string): ProblemExplanation {
  if (!Object.hasOwn(ERRORS, code)) throw new AppError('not_found', { detail: 'There is no such problem code' })
  const known = code as ErrorCode
  return { code: known, ...ERRORS[known], advice: ADVICE[known] }
}

/** Nothing is escaped: all text comes from the tables. */
export function problemPage({ code, status, title, retryable, advice }: ProblemExplanation): string {
  const retry = retryable ? 'The same request may succeed later.' : 'The same request will not succeed later.'
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${code}</title>
<h1>${code}</h1>
<p>${title}.</p>
<p>${advice}</p>
<p>HTTP status ${status}. ${retry}</p>
<p><a href="/docs/">API documentation</a></p>
</html>
`
}
