// Makes docs/reference/problems.md from the table of errors.
import { ERRORS, type ErrorCode } from '../../src/errors.js'
import { ADVICE } from '../../src/services/problem-advice.js'
import { generatedFrom, table } from './markdown.js'

export function problemsPage(): string {
  const rows = Object.entries(ERRORS)
    .sort(([, one], [, other]) => one.status - other.status)
    .map(([code, { status, title, retryable }]) => [
      `${status}`,
      `\`${code}\``,
      title,
      retryable ? 'yes' : 'no',
      ADVICE[code as ErrorCode]
    ])
  return `${generatedFrom('src/errors.ts')}
# Problems

Every failure is answered with \`application/problem+json\` (RFC 9457):

\`\`\`json
{
  "type": "/problems/caller_busy", "title": "${ERRORS.caller_busy.title}", "status": 409,
  "detail": "${ERRORS.caller_busy.title}", "instance": "/v1/calls",
  "code": "caller_busy", "retryable": false
}
\`\`\`

Let your program read \`code\`. \`retryable\` says whether the very same request may succeed later: by waiting, or when a call, a room or a device
of yours makes room. What the table has is usual, and the problem itself decides: \`wrong_state\` is retryable where the call has not come that far,
a busy callee where you chose neither \`callId\` nor \`Idempotency-Key\`. Replies 429 and 503 carry \`Retry-After\`. A 409 needs
a change first: an event that you wait for, or something that you end, leave or remove. Repeat a request that got no reply. A conflict may carry \`currentState\` and \`version\`; \`invalid_request\` names each mistake in \`issues\`. Ignore members that you do not know.
\`GET /problems/{code}\` returns the row below as JSON.

${table(['Status', 'Code', 'Meaning', 'Retryable', 'What to do'], rows)}
`
}
