// The error table, for whoever follows the `type` of a problem.
import { AppError, ERRORS, type ErrorCode } from '../errors.js'
import type { ProblemExplanation } from '../schemas/problem.js'

/** Throws not_found for what is not in the table. */
export function explainProblem(code: string): ProblemExplanation {
  if (!Object.hasOwn(ERRORS, code)) throw new AppError('not_found', { detail: 'There is no such problem code' })
  const known = code as ErrorCode
  return { code: known, ...ERRORS[known] }
}

/** Every character in it comes from the table: there is nothing to escape. */
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
