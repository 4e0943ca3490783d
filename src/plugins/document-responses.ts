// The responses and headers of the OpenAPI documents that many operations share.
import { STATUS_CODES } from 'node:http'
import { PROBLEM_EXAMPLES } from '../schemas/problem.js'

interface Operation {
  readonly responses: Readonly<Record<string, object>>
}

const header = (name: string) => ({ $ref: `#/components/headers/${name}` })
export const RATE_LIMIT_HEADERS = { RateLimit: header('RateLimit'), 'RateLimit-Policy': header('RateLimit-Policy') }
const PROBLEM_HEADERS: Readonly<Record<string, object>> = {
  401: { 'WWW-Authenticate': header('WWW-Authenticate') },
  415: { 'Accept-Encoding': header('Accept-Encoding') },
  429: { ...RATE_LIMIT_HEADERS, 'Retry-After': header('Retry-After') },
  503: { 'Retry-After': header('Retry-After') }
}

const text = (description: string, example: string) => ({ description, schema: { type: 'string' }, example })
const HEADERS = {
  RateLimit: text('What is left of the limit (`r`), and seconds until it is full again (`t`).', '"signals";r=99;t=1'),
  'RateLimit-Policy': text('The limit: requests (`q`) in a window of seconds (`w`).', '"signals";q=100;w=1'),
  'Accept-Encoding': text('Sent if the `Content-Encoding` is refused: the one that is accepted.', 'identity'),
  'Retry-After': {
    description: 'Seconds to wait before you try again.',
    schema: { type: 'integer', minimum: 0 },
    example: 1
  },
  'WWW-Authenticate': text(
    'Which check of the token failed (RFC 6750).',
    'Bearer error="invalid_token", error_description="The claim exp is in the past"'
  )
}

/** The headers that the document refers to. */
export function usedHeaders(document: unknown): object {
  const text = JSON.stringify(document)
  return Object.fromEntries(Object.entries(HEADERS).filter(([name]) => text.includes(`"${header(name).$ref}"`)))
}

export const responseName = (status: string) => (STATUS_CODES[status] ?? status).replace(/\W/g, '')

/**
 * One response for each status. If more than 40 % of the operations with this status share a description, it becomes that of the response
 * and they need none.
 */
export function shareProblems(operations: readonly Operation[]): object {
  const problems = operations
    .flatMap(({ responses }) => Object.entries(responses))
    .filter(([status]) => status >= '400')
  const statuses = [...new Set(problems.map(([status]) => status))].sort()
  return Object.fromEntries(
    statuses.map(status => {
      const replies = problems.filter(([each]) => each === status).map(([, reply]) => reply as { description?: string })
      const texts = replies.map(({ description }) => description)
      const common = texts.find(text => 2.5 * texts.filter(each => each === text).length > texts.length)
      for (const reply of replies) if (reply.description === common) delete reply.description
      return [responseName(status), problemResponse(status, common ?? 'The operation lists the codes it may return.')]
    })
  )
}

function problemResponse(status: string, description: string) {
  const headers = PROBLEM_HEADERS[status]
  const example = PROBLEM_EXAMPLES[status]
  return {
    description,
    ...(headers ? { headers } : {}),
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' }, example } }
  }
}
