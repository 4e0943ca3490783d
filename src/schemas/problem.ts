// The shape of every error: RFC 9457, with `code` and `retryable` from the error table.
import { type Static, Type } from 'typebox'
import { ERRORS, type ErrorCode } from '../errors.js'
import { EndReason } from './call.js'
import { CallId, RoomId, Strict, UserId } from './common.js'
import { RejectedCandidate } from './signal.js'

export const Issue = Type.Object(
  {
    path: Type.String({ description: 'Where in the request.', examples: ['body/offer/sdp'] }),
    message: Type.String({ description: 'What is wrong.', examples: ['must be string'] })
  },
  { $id: 'Issue', description: 'One mistake in the request.', ...Strict }
)
export type Issue = Static<typeof Issue>

/** Of a 409, and of a 403 for the wrong side of a call. */
const CONFLICT = {
  callId: Type.Optional(CallId('The call. Given with conflicts of a call.')),
  roomId: Type.Optional(RoomId('The room. Given with conflicts of signals in a room.')),
  currentState: Type.Optional(
    Type.String({ description: 'The current state of the call, or how the invitation ended.' })
  ),
  version: Type.Optional(
    Type.Integer({ minimum: 0, description: 'The current version of the call, or of the two participants.' })
  ),
  reason: Type.Optional(EndReason),
  revision: Type.Optional(
    Type.Integer({ minimum: 0, description: 'The number of the last offer. Given with conflicts of descriptions.' })
  ),
  pendingFrom: Type.Optional(
    Type.String({
      description: 'The side, or in a room the participant, whose offer is pending. Given with `offer_collision`.'
    })
  ),
  polite: Type.Optional(
    Type.Boolean({ description: 'Whether your side is the one that rolls back. Given with `offer_collision`.' })
  ),
  users: Type.Optional(
    Type.Array(UserId(), { description: 'The users who have too many watchers. Given with `too_many_watchers`.' })
  )
}

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'Where this error is explained.', examples: ['/problems/callee_busy'] }),
    title: Type.String({ description: 'A short description of `code`.' }),
    status: Type.Integer({ minimum: 400, maximum: 599, description: 'The HTTP status.' }),
    detail: Type.String({ description: 'What happened in this request, for the developer.' }),
    instance: Type.String({ description: 'The path of the request, at most 2,048 characters.' }),
    code: Type.Enum(Object.keys(ERRORS) as ErrorCode[], {
      $id: 'ProblemCode',
      description: 'What went wrong, for programs. `GET /problems/{code}` explains each one.'
    }),
    retryable: Type.Boolean({ description: 'Whether the very same request may succeed later.' }),
    issues: Type.Optional(
      Type.Array(Issue, {
        description: 'Given with `invalid_request`, and with `too_large` if a part of the body is too large.'
      })
    ),
    ...CONFLICT,
    activeCallId: Type.Optional(CallId('The call that keeps you busy. Given with `caller_busy`.')),
    rejected: Type.Optional(
      Type.Array(RejectedCandidate, {
        description: 'Every candidate of the request. Given if none of them was accepted.'
      })
    )
  },
  // RFC 9457, section 3.2: members that a client does not know are to be ignored.
  {
    $id: 'Problem',
    description: 'An error, as problem details of RFC 9457. More members may be given; ignore those you do not know.',
    additionalProperties: true
  }
)
export type Problem = Static<typeof Problem>

/** A row of the error table. */
export const ProblemExplanation = Type.Object(
  {
    code: Problem.properties.code,
    status: Problem.properties.status,
    title: Problem.properties.title,
    retryable: Problem.properties.retryable,
    advice: Type.String({ description: 'What to do about it.' })
  },
  { $id: 'ProblemExplanation', description: 'What a problem code means.', ...Strict }
)
export type ProblemExplanation = Static<typeof ProblemExplanation>

/** The errors of each operation with a body. */
export const BODY_PROBLEMS = ['malformed_json', 'invalid_request', 'too_large', 'unsupported_media_type'] as const

/** The errors of each authenticated route. */
const ALWAYS = [
  'unauthorized',
  'token_expired',
  'token_revoked',
  'invalid_subject',
  'store_unavailable',
  'store_full',
  'keys_unavailable',
  'internal'
] as const

/**
 * The errors in the response map of a route. The type has no members on purpose: handlers throw problems and never return them, so the
 * compiler has to check their results against the 2xx responses only.
 */
export function problems(...codes: readonly ErrorCode[]): object {
  return onlyProblems(...ALWAYS, ...codes)
}

/** The errors in the response map of a route of the admin API. */
export const adminProblems = (...codes: readonly ErrorCode[]): object =>
  onlyProblems(
    'unauthorized',
    'token_expired',
    'token_revoked',
    'keys_unavailable',
    'rate_limited',
    'store_unavailable',
    'store_full',
    'internal',
    ...codes
  )

/** The same without the errors of each authenticated route. */
export function onlyProblems(...codes: readonly ErrorCode[]): object {
  const wanted = [...new Set(codes)]
  const statuses = new Set(wanted.map(code => ERRORS[code].status))
  return Object.fromEntries(
    [...statuses].map(status => [status, response(wanted.filter(code => ERRORS[code].status === status))])
  )
}

function response(codes: readonly ErrorCode[]) {
  return {
    description: codes.map(code => `\`${code}\`: ${ERRORS[code].title}.`).join(' '),
    content: { 'application/problem+json': { schema: Problem } }
  }
}

/** `detail` is the title by default. */
function problem(
  code: ErrorCode,
  instance: string,
  members: { readonly detail?: string; readonly [name: string]: unknown } = {}
) {
  const { title, status, retryable } = ERRORS[code]
  const { detail = title, ...others } = members
  return { type: `/problems/${code}`, title, status, detail, instance, code, retryable, ...others }
}

/** An example for each status. */
export const PROBLEM_EXAMPLES: Readonly<Record<string, object>> = {
  400: problem('invalid_request', '/v1/calls', {
    detail: 'body/to must be string',
    issues: [{ path: 'body/to', message: 'must be string' }]
  }),
  401: problem('token_expired', '/v1/calls'),
  403: problem('wrong_party', '/v1/calls/7d1f0c1e/accept', { detail: 'Only the callee may do this' }),
  404: problem('call_not_found', '/v1/calls/7d1f0c1e'),
  406: problem('not_acceptable', '/v1/rooms/stage/whip', { detail: 'The answer is application/sdp' }),
  412: problem('precondition_failed', '/v1/rooms/stage/whip/p1'),
  422: problem('unsupported_offer', '/v1/rooms/stage/whip', {
    detail: 'Media section 2 (video, mid "1"): the media server has none of its codecs (video/H265)'
  }),
  428: problem('precondition_required', '/v1/rooms/stage/whip/p1'),
  409: problem('call_ended', '/v1/calls/7d1f0c1e/accept', { currentState: 'ended', version: 2 }),
  413: problem('too_large', '/v1/calls', { detail: 'metadata is larger than 4096 bytes as JSON' }),
  415: problem('unsupported_media_type', '/v1/calls'),
  429: problem('rate_limited', '/v1/calls', { detail: 'More than 60 calls in 60 s' }),
  500: problem('internal', '/v1/calls'),
  503: problem('store_unavailable', '/v1/calls')
}
