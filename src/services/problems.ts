// The error table as pages: the `type` of a problem is the URL of one.
import { AppError, ERRORS, type ErrorCode } from '../errors.js'
import type { ProblemExplanation } from '../schemas/problem.js'

/** @throws AppError not_found */
export function explainProblem(code: string): ProblemExplanation {
  if (!Object.hasOwn(ERRORS, code)) throw new AppError('not_found', { detail: 'There is no such problem code' })
  const known = code as ErrorCode
  return { code: known, ...ERRORS[known] }
}

/** Nothing is escaped: all text comes from the table. */
export function problemPage({ code, status, title, retryable }: ProblemExplanation): string {
  const advice = retryable ? 'The same request may succeed later.' : 'The same request will not succeed later.'
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${code}</title>
<h1>${code}</h1>
<p>${title}.</p>
<p>HTTP status ${status}. ${advice}</p>
</html>
`
}
