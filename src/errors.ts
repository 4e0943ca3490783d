// Every error a client can receive: the HTTP status, a title, and whether the very same request may succeed later, unless AppErrorOptions says
// otherwise: by waiting, or by ending, leaving or removing something else. Not where a user, a moderator or the policy would have to decide anew.
// Services and domain throw an AppError with a code; only plugins/errors.ts turns it into application/problem+json (RFC 9457).
// docs/reference/problems.md and GET /problems/{code} are made from this table.

export const ERRORS = {
  // The request itself
  malformed_json: { status: 400, title: 'The body is not valid JSON', retryable: false },
  invalid_request: { status: 400, title: 'The request does not match its schema', retryable: false },
  invalid_sdp: { status: 400, title: 'The session description cannot be parsed', retryable: false },
  unsupported_offer: { status: 422, title: 'The media server cannot serve this offer', retryable: false },
  invalid_candidate: { status: 400, title: 'An ICE candidate cannot be parsed', retryable: false },
  invalid_cursor: { status: 400, title: 'The text is not a cursor', retryable: false },
  invalid_page_token: {
    status: 400,
    title: 'The page token does not belong to the history of this room',
    retryable: false
  },
  cannot_call_self: { status: 400, title: 'A user cannot call themselves', retryable: false },
  unsupported_media_type: {
    status: 415,
    title: 'The operation does not take a body of this media type',
    retryable: false
  },
  not_acceptable: { status: 406, title: 'The reply has a media type that you do not accept', retryable: false },
  precondition_required: { status: 428, title: 'The request needs an If-Match header', retryable: false },
  precondition_failed: {
    status: 412,
    title: 'The entity tag is not that of the current ICE session',
    retryable: false
  },
  too_large: { status: 413, title: 'The request, or a part of it, is larger than allowed', retryable: false },
  request_timeout: { status: 408, title: 'The request did not arrive in time', retryable: true },
  not_found: { status: 404, title: 'Nothing exists at this path', retryable: false },
  method_not_allowed: { status: 405, title: 'This path does not support this method', retryable: false },
  // Authentication and authorization
  unauthorized: { status: 401, title: 'A valid token is required', retryable: false },
  token_expired: { status: 401, title: 'The token has expired', retryable: false },
  token_revoked: { status: 401, title: 'The token was revoked', retryable: false },
  invalid_subject: { status: 403, title: 'The token names no valid user or device', retryable: false },
  invalid_credential: { status: 401, title: 'The device has not proved who it is', retryable: false },
  invalid_nonce: { status: 401, title: 'The nonce is not valid, has expired or was used', retryable: false },
  invalid_enrollment_code: { status: 401, title: 'The code is not valid, has expired or was used', retryable: false },
  invalid_ticket: { status: 401, title: 'The ticket is unknown or has expired', retryable: false },
  wrong_party: { status: 403, title: 'Only the other side of the call may do this', retryable: false },
  policy_denied: { status: 403, title: 'The policy service refused this', retryable: false },
  // Calls
  call_not_found: { status: 404, title: 'The call does not exist, or you have no part in it', retryable: false },
  call_id_taken: { status: 409, title: 'This call id is used by another call', retryable: false },
  caller_busy: { status: 409, title: 'You are in another call', retryable: false },
  callee_busy: { status: 409, title: 'The callee is in another call', retryable: false },
  callee_unreachable: { status: 409, title: 'No device of the callee can be reached', retryable: true },
  call_glare: { status: 409, title: 'The callee is calling you at the same time', retryable: false },
  redirect_loop: { status: 409, title: 'The policy service redirects this call in a loop', retryable: false },
  answered_elsewhere: { status: 409, title: 'Another device answered this call', retryable: false },
  other_device: { status: 409, title: 'The call is on another of your devices', retryable: false },
  call_ended: { status: 409, title: 'The call has ended', retryable: false },
  transfer_pending: { status: 409, title: 'The call is being transferred', retryable: true },
  transfer_limit: { status: 409, title: 'The call was transferred too often', retryable: false },
  wrong_state: { status: 409, title: 'The state of the call does not allow this', retryable: false },
  too_many_blocks: { status: 409, title: 'You have reached the limit of blocked users', retryable: true },
  too_many_revocations: { status: 409, title: 'The limit of revocations is reached', retryable: true },
  // Signals
  offer_collision: { status: 409, title: 'The other side has a pending offer', retryable: true },
  stale_revision: { status: 409, title: 'The revision is out of date', retryable: false },
  revision_required: {
    status: 409,
    title: 'The answer must name the revision of the offer that it answers',
    retryable: false
  },
  no_offer_pending: { status: 409, title: 'No offer is pending', retryable: false },
  stale_candidate: { status: 409, title: 'A candidate belongs to an older ICE generation', retryable: false },
  too_many_waiting_candidates: {
    status: 409,
    title: 'Too many candidates are waiting for their description',
    retryable: true
  },
  // Webhooks, for operators
  webhook_not_found: { status: 404, title: 'No such webhook is configured', retryable: false },
  dead_letter_not_found: { status: 404, title: 'The dead letter does not exist', retryable: false },
  webhook_disabled: { status: 409, title: 'The webhook is disabled', retryable: false },
  webhook_backlog_full: { status: 503, title: 'Too many webhook events wait already', retryable: true },
  // Nodes and the chat service, for operators
  node_not_found: { status: 404, title: 'No such node runs', retryable: false },
  no_chat_service: { status: 409, title: 'This server has no chat service', retryable: false },
  chat_service_refused: { status: 409, title: 'The chat service refused the message', retryable: false },
  // Rooms
  room_not_found: { status: 404, title: 'The room does not exist, or you may not see it', retryable: false },
  participant_not_found: { status: 404, title: 'The participant is not in this room', retryable: false },
  not_in_room: { status: 403, title: 'This device is not in the room', retryable: false },
  not_permitted: { status: 403, title: 'Your role or token does not allow this', retryable: false },
  banned: { status: 403, title: 'You are banned from this room', retryable: false },
  room_closed: { status: 409, title: 'The room has been closed', retryable: false },
  room_locked: { status: 409, title: 'The room is locked', retryable: true },
  room_full: { status: 409, title: 'The room is full', retryable: true },
  too_many_rooms: { status: 409, title: 'The device has reached the limit of rooms', retryable: true },
  too_many_bans: { status: 409, title: 'The room has reached the limit of bans', retryable: true },
  invitation_not_found: { status: 404, title: 'The invitation does not exist', retryable: false },
  invitation_id_taken: {
    status: 409,
    title: 'This invitation id is used by an invitation of another user',
    retryable: false
  },
  invitation_ended: { status: 409, title: 'The invitation has ended', retryable: false },
  too_many_invitations: { status: 409, title: 'The room has reached the limit of invitations', retryable: true },
  cannot_signal_self: { status: 400, title: 'A participant cannot send a signal to itself', retryable: false },
  message_id_taken: { status: 409, title: 'This message id is used by another message', retryable: false },
  // Media of rooms in mode sfu
  no_media_service: { status: 409, title: 'This server has no media service', retryable: false },
  not_sfu: { status: 409, title: 'The room is not in mode sfu', retryable: false },
  session_not_found: { status: 404, title: 'The room is not on this media session', retryable: false },
  media_not_found: { status: 404, title: 'The transport, producer or consumer does not exist', retryable: false },
  media_conflict: { status: 409, title: 'The id is in use with other parameters', retryable: false },
  cannot_consume: { status: 409, title: 'The RTP capabilities do not suffice for this producer', retryable: false },
  nothing_published: { status: 409, title: 'Nothing that you could view is published', retryable: true },
  invalid_media_parameters: { status: 400, title: 'The media service refused the parameters', retryable: false },
  too_many_media: {
    status: 409,
    title: 'You have reached the limit of transports, producers or consumers',
    retryable: true
  },
  // Devices and their streams
  too_many_devices: { status: 409, title: 'You have reached the limit of devices', retryable: true },
  too_many_watchers: { status: 409, title: 'The user has reached the limit of watchers', retryable: true },
  no_device_credentials: { status: 409, title: 'This server gives devices no credentials', retryable: false },
  credential_not_found: { status: 404, title: 'The device has no credential', retryable: false },
  too_many_credentials: { status: 409, title: 'The limit of device credentials has been reached', retryable: true },
  no_push: { status: 409, title: 'This server sends no push messages', retryable: false },
  superseded: { status: 409, title: 'A newer stream or poll of this device has replaced this one', retryable: false },
  // Limits and faults
  rate_limited: { status: 429, title: 'Too many requests', retryable: true },
  store_unavailable: { status: 503, title: 'The store cannot be reached', retryable: true },
  store_full: { status: 503, title: 'The store does not accept writes at the moment', retryable: true },
  keys_unavailable: { status: 503, title: 'The keys that verify tokens cannot be fetched', retryable: true },
  policy_unavailable: { status: 503, title: 'The policy service did not answer', retryable: true },
  room_service_unavailable: { status: 503, title: 'The room service did not answer', retryable: true },
  chat_service_unavailable: { status: 503, title: 'The chat service did not take the message', retryable: true },
  media_unavailable: { status: 503, title: 'The media service is not available', retryable: true },
  node_drained: { status: 503, title: 'An operator has drained this node', retryable: true },
  shutting_down: { status: 503, title: 'This node is shutting down', retryable: true },
  internal: { status: 500, title: 'The server failed to process the request', retryable: true }
} as const satisfies Record<string, { status: number; title: string; retryable: boolean }>

export type ErrorCode = keyof typeof ERRORS

export interface AppErrorOptions {
  /** What happened in this request, for the developer. Never contains SDP, candidates or tokens. */
  detail?: string
  /** Further members of the problem document, such as currentState and version. */
  extra?: Readonly<Record<string, unknown>>
  cause?: unknown
  /** Milliseconds until the same request may succeed. Sent as Retry-After. */
  retryAfterMs?: number
  /** Where it differs from the row of ERRORS. */
  retryable?: boolean
}

/** The only error class that domain, services and stores throw on purpose. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly detail: string | undefined
  readonly extra: Readonly<Record<string, unknown>>
  readonly retryAfterMs: number | undefined
  readonly retryable: boolean

  constructor(code: ErrorCode, options: AppErrorOptions = {}) {
    // The stack of a 4xx is never read, and capturing it costs more than the rest of the request.
    const { stackTraceLimit } = Error
    if (ERRORS[code].status < 500) Error.stackTraceLimit = 0
    super(options.detail ?? ERRORS[code].title, { cause: options.cause })
    Error.stackTraceLimit = stackTraceLimit
    this.name = 'AppError'
    this.code = code
    this.detail = options.detail
    this.extra = options.extra ?? {}
    this.retryAfterMs = options.retryAfterMs
    this.retryable = options.retryable ?? ERRORS[code].retryable
  }
}
