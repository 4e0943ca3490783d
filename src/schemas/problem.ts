// The one shape of every failure: RFC 9457, with `code` and `retryable` from the error table.
import { type Static, Type } from 'typebox'
import { ERRORS, type ErrorCode } from '../errors.js'
import { Strict } from './common.js'

export const Issue = Type.Object(
  {
    path: Type.String({ description: 'Where in the request, from the part it is in', examples: ['body/offer/sdp'] }),
    message: Type.String({ description: 'What is wrong there', examples: ['must be string'] })
  },
  { $id: 'Issue', description: 'One thing in the request that does not fit', ...Strict }
)
export type Issue = Static<typeof Issue>

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'Where this kind of problem is explained', examples: ['/problems/callee_busy'] }),
    title: Type.String({ description: 'What kind of problem this is; the same for every occurrence' }),
    status: Type.Integer({ minimum: 400, maximum: 599, description: 'The HTTP status' }),
    detail: Type.String({ description: 'A sentence for the person who debugs this request' }),
    instance: Type.String({ description: 'The path that was asked for, its first 1,024 characters' }),
    code: Type.Enum(Object.keys(ERRORS) as ErrorCode[], { description: 'What a program should look at' }),
    retryable: Type.Boolean({ description: 'Whether the same request may succeed later' }),
    issues: Type.Optional(
      Type.Array(Issue, {
        description: 'Given with `invalid_request`, and with `too_large` when a part of the body is too large'
      })
    ),
    currentState: Type.Optional(Type.String({ description: 'Conflicts: the state that stands' })),
    version: Type.Optional(Type.Integer({ minimum: 0, description: 'Conflicts: the version that stands' })),
    activeCallId: Type.Optional(Type.String({ description: 'Given with `caller_busy`: the call you are in' }))
  },
  // RFC 9457, section 3.2: members that a client does not know are to be ignored.
  { $id: 'Problem', description: 'What went wrong, as RFC 9457 problem details', additionalProperties: true }
)
export type Problem = Static<typeof Problem>

/** A row of the error table. */
export const ProblemKind = Type.Object(
  {
    code: Problem.properties.code,
    status: Problem.properties.status,
    title: Problem.properties.title,
    retryable: Problem.properties.retryable
  },
  { $id: 'ProblemKind', description: 'What a problem code means', ...Strict }
)
export type ProblemKind = Static<typeof ProblemKind>

/** Every route that asks who is calling may answer these. */
const ALWAYS = [
  'unauthorized',
  'token_expired',
  'invalid_subject',
  'store_unavailable',
  'store_full',
  'keys_unavailable',
  'internal'
] as const

/**
 * The part of a route's response map that says how it fails. Typed as an object without members on purpose: handlers throw
 * problems and never return them, so the compiler should hold a handler's result against its 2xx alone.
 */
export function problems(...codes: readonly ErrorCode[]): object {
  return onlyProblems(...ALWAYS, ...codes)
}

/** The same without what every authenticated route may answer. */
export function onlyProblems(...codes: readonly ErrorCode[]): object {
  const wanted = [...new Set(codes)]
  const statuses = new Set(wanted.map(code => ERRORS[code].status))
  return Object.fromEntries(
    [...statuses].map(status => [
      status,
      response(
        status,
        wanted.filter(code => ERRORS[code].status === status)
      )
    ])
  )
}

function response(status: number, codes: readonly ErrorCode[]) {
  return {
    description: codes.map(code => `\`${code}\`: ${ERRORS[code].title}`).join('. '),
    ...(status === 429 || status === 503 ? { headers: { 'Retry-After': RETRY_AFTER } } : {}),
    content: { 'application/problem+json': { schema: Problem, examples: Object.fromEntries(codes.map(example)) } }
  }
}

const RETRY_AFTER = { type: 'integer', minimum: 0, description: 'Seconds to wait before the next try' }

function example(code: ErrorCode) {
  const { title, status, retryable } = ERRORS[code]
  const value = { type: `/problems/${code}`, title, status, detail: title, instance: '/v1/calls', code, retryable }
  return [code, { summary: title, value }] as const
}
