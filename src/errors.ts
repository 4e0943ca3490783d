// Every failure a caller can see is a row here: the HTTP status, a title, and whether the same request may succeed later.
// Services and domain throw AppError by code; plugins/errors.ts alone turns one into application/problem+json (RFC 9457).
// docs/reference/problems.md and GET /problems/{code} are made from this table.

export const ERRORS = {
  // The request itself
  malformed_json: { status: 400, title: 'The body is not valid JSON', retryable: false },
  invalid_request: { status: 400, title: 'The request does not have the documented shape', retryable: false },
  invalid_sdp: { status: 400, title: 'The session description cannot be parsed', retryable: false },
  invalid_candidate: { status: 400, title: 'An ICE candidate cannot be parsed', retryable: false },
  invalid_cursor: { status: 400, title: 'The cursor is not one this server issued', retryable: false },
  cannot_call_self: { status: 400, title: 'A user cannot call themselves', retryable: false },
  unsupported_media_type: { status: 415, title: 'The body must be application/json', retryable: false },
  too_large: { status: 413, title: 'The request, or a part of it, is larger than allowed', retryable: false },
  request_timeout: { status: 408, title: 'The request did not arrive in time', retryable: true },
  not_found: { status: 404, title: 'Nothing exists at this path', retryable: false },
  method_not_allowed: { status: 405, title: 'This path does not support this method', retryable: false },
  // Who is asking
  unauthorized: { status: 401, title: 'A valid token is required', retryable: false },
  token_expired: { status: 401, title: 'The token has expired', retryable: false },
  invalid_subject: { status: 403, title: 'The token names no valid user or device', retryable: false },
  invalid_ticket: { status: 401, title: 'The ticket is unknown or has expired', retryable: false },
  wrong_party: { status: 403, title: 'This action belongs to the other side of the call', retryable: false },
  policy_denied: { status: 403, title: 'The policy service refused this call', retryable: false },
  // Calls
  call_not_found: { status: 404, title: 'There is no such call', retryable: false },
  call_id_taken: { status: 409, title: 'This call id belongs to another call', retryable: false },
  caller_busy: { status: 409, title: 'You are in another call', retryable: false },
  callee_busy: { status: 409, title: 'The callee is in another call', retryable: false },
  callee_unreachable: { status: 409, title: 'No device of the callee can be reached', retryable: true },
  call_glare: { status: 409, title: 'The callee is calling you at this moment', retryable: false },
  answered_elsewhere: { status: 409, title: 'Another device answered this call', retryable: false },
  other_device: { status: 409, title: 'The call is on another device of yours', retryable: false },
  call_ended: { status: 409, title: 'The call has ended', retryable: false },
  wrong_state: { status: 409, title: 'The call is not in a state that allows this', retryable: false },
  too_many_blocks: { status: 409, title: 'You have reached the limit of blocked users', retryable: false },
  // Signals
  offer_collision: { status: 409, title: 'The other side has an offer pending', retryable: true },
  stale_revision: { status: 409, title: 'The revision is not the current one', retryable: false },
  no_offer_pending: { status: 409, title: 'There is no offer to answer', retryable: false },
  stale_candidate: { status: 409, title: 'A candidate belongs to an older ICE generation', retryable: false },
  too_many_held: { status: 409, title: 'Too many candidates wait for their description', retryable: true },
  // Rooms
  room_not_found: { status: 404, title: 'There is no such room', retryable: false },
  participant_not_found: { status: 404, title: 'There is no such participant in this room', retryable: false },
  not_in_room: { status: 403, title: 'This device is not in the room', retryable: false },
  not_permitted: { status: 403, title: 'Your role or your token does not allow this', retryable: false },
  banned: { status: 403, title: 'You are banned from this room', retryable: false },
  room_closed: { status: 409, title: 'The room has been closed', retryable: false },
  room_locked: { status: 409, title: 'The room is locked', retryable: true },
  room_full: { status: 409, title: 'The room is full', retryable: true },
  too_many_rooms: { status: 409, title: 'The device has reached the limit of rooms', retryable: true },
  too_many_bans: { status: 409, title: 'The room has reached the limit of bans', retryable: true },
  invitation_not_found: { status: 404, title: 'There is no such invitation', retryable: false },
  invitation_id_taken: {
    status: 409,
    title: 'This invitation id belongs to another user’s invitation',
    retryable: false
  },
  invitation_ended: { status: 409, title: 'The invitation has ended', retryable: false },
  too_many_invitations: { status: 409, title: 'The room has reached the limit of invitations', retryable: true },
  cannot_signal_self: { status: 400, title: 'A participant cannot signal itself', retryable: false },
  message_id_taken: { status: 409, title: 'This message id belongs to another message', retryable: false },
  // Devices and their streams
  too_many_devices: { status: 409, title: 'You have reached the limit of devices', retryable: true },
  too_many_watchers: { status: 409, title: 'The user has reached the limit of watchers', retryable: true },
  superseded: { status: 409, title: 'A newer stream or poll of this device took over', retryable: false },
  // Limits and faults
  rate_limited: { status: 429, title: 'Too many requests', retryable: true },
  store_unavailable: { status: 503, title: 'The store cannot be reached', retryable: true },
  store_full: { status: 503, title: 'The store takes no writes at the moment', retryable: true },
  keys_unavailable: { status: 503, title: 'The key set that verifies tokens cannot be fetched', retryable: true },
  policy_unavailable: { status: 503, title: 'The policy service did not answer', retryable: true },
  room_service_unavailable: { status: 503, title: 'The room service did not answer', retryable: true },
  shutting_down: { status: 503, title: 'This node is shutting down', retryable: true },
  internal: { status: 500, title: 'Something went wrong on our side', retryable: true }
} as const satisfies Record<string, { status: number; title: string; retryable: boolean }>

export type ErrorCode = keyof typeof ERRORS

export interface AppErrorOptions {
  /** One sentence for the person who debugs this request. Never contains SDP, candidates or tokens. */
  detail?: string
  /** Further members of the problem document, such as currentState and version. */
  extra?: Readonly<Record<string, unknown>>
  cause?: unknown
  /** When the same request may succeed, in milliseconds from now: becomes Retry-After. */
  retryAfterMs?: number
}

/** The only error class that domain, services and stores throw on purpose. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly detail: string | undefined
  readonly extra: Readonly<Record<string, unknown>>
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, options: AppErrorOptions = {}) {
    // An answer to a client is no fault of ours: nobody reads where it was thrown, and finding that out costs more than the rest
    // of the request.
    const { stackTraceLimit } = Error
    if (ERRORS[code].status < 500) Error.stackTraceLimit = 0
    super(options.detail ?? ERRORS[code].title, { cause: options.cause })
    Error.stackTraceLimit = stackTraceLimit
    this.name = 'AppError'
    this.code = code
    this.detail = options.detail
    this.extra = options.extra ?? {}
    this.retryAfterMs = options.retryAfterMs
  }
}
