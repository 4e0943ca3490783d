// Generated from openapi/admin.yaml by `npm run docs`. Do not edit.

/** What went wrong, for programs. `GET /problems/{code}` explains each one. */
export type ProblemCode = 'malformed_json' | 'invalid_request' | 'invalid_sdp' | 'unsupported_offer' | 'invalid_candidate' | 'invalid_cursor' | 'invalid_page_token' | 'cannot_call_self' | 'unsupported_media_type' | 'not_acceptable' | 'precondition_required' | 'precondition_failed' | 'too_large' | 'request_timeout' | 'not_found' | 'method_not_allowed' | 'unauthorized' | 'token_expired' | 'token_revoked' | 'invalid_subject' | 'invalid_credential' | 'invalid_nonce' | 'invalid_enrollment_code' | 'invalid_ticket' | 'wrong_party' | 'policy_denied' | 'call_not_found' | 'call_id_taken' | 'caller_busy' | 'callee_busy' | 'callee_unreachable' | 'call_glare' | 'redirect_loop' | 'answered_elsewhere' | 'other_device' | 'call_ended' | 'transfer_pending' | 'transfer_limit' | 'wrong_state' | 'too_many_blocks' | 'too_many_revocations' | 'offer_collision' | 'stale_revision' | 'revision_required' | 'no_offer_pending' | 'stale_candidate' | 'too_many_waiting_candidates' | 'webhook_not_found' | 'dead_letter_not_found' | 'webhook_disabled' | 'webhook_backlog_full' | 'node_not_found' | 'no_chat_service' | 'chat_service_refused' | 'room_not_found' | 'participant_not_found' | 'not_in_room' | 'not_permitted' | 'banned' | 'room_closed' | 'room_locked' | 'room_full' | 'too_many_rooms' | 'too_many_bans' | 'invitation_not_found' | 'invitation_id_taken' | 'invitation_ended' | 'too_many_invitations' | 'cannot_signal_self' | 'message_id_taken' | 'no_media_service' | 'not_sfu' | 'session_not_found' | 'media_not_found' | 'media_conflict' | 'cannot_consume' | 'nothing_published' | 'invalid_media_parameters' | 'too_many_media' | 'too_many_devices' | 'too_many_watchers' | 'no_device_credentials' | 'credential_not_found' | 'too_many_credentials' | 'no_push' | 'superseded' | 'rate_limited' | 'store_unavailable' | 'store_full' | 'keys_unavailable' | 'policy_unavailable' | 'room_service_unavailable' | 'chat_service_unavailable' | 'media_unavailable' | 'node_drained' | 'shutting_down' | 'internal'

/** One mistake in the request. */
export interface Issue {
  /** Where in the request. */
  readonly path: string
  /** What is wrong. */
  readonly message: string
}

/** The call. Given with conflicts of a call. */
export type CallId = string

/** The room. Given with conflicts of signals in a room. */
export type RoomId = string

/**
 * Why the call ended, as seen by the user who reads it. `hangup`: a side hung up. `cancelled`: the caller withdrew it.
 * `declined`: the callee declined. `declined_elsewhere`, `answered_elsewhere`: another device of this user declined or
 * answered. `busy`: the callee is in another call. `no_answer`: the ring time ran out, or no device rings any more.
 * `expired`: it was accepted, and no offer and answer were exchanged in time; or it reached the maximum duration.
 * `transferred`: you have transferred it, or an attended transfer has joined the two of you in another call.
 * `media_failed`: a client reported that ICE or DTLS failed. `lost`: a device disconnected and did not come back.
 * `server`: the server ended it.
 */
export type EndReason = 'hangup' | 'cancelled' | 'declined' | 'declined_elsewhere' | 'answered_elsewhere' | 'busy' | 'no_answer' | 'expired' | 'transferred' | 'media_failed' | 'lost' | 'server'

/** A user: the claim `sub` of their token, or another one that the server is set to. */
export type UserId = string

/** A problem code: `GET /problems/{code}` explains it. */
export type CandidateRefusal = 'invalid_candidate' | 'too_large' | 'stale_candidate' | 'too_many_waiting_candidates'

/** A candidate that was refused, and why. */
export interface RejectedCandidate {
  /** Its place in `candidates` of the request. */
  readonly index: number
  readonly code: CandidateRefusal
  /** What is wrong with it, for the developer. */
  readonly detail: string
}

/** An error, as problem details of RFC 9457. More members may be given; ignore those you do not know. */
export interface Problem {
  /** Where this error is explained. */
  readonly type: string
  /** A short description of `code`. */
  readonly title: string
  /** The HTTP status. */
  readonly status: number
  /** What happened in this request, for the developer. */
  readonly detail: string
  /** The path of the request, at most 2,048 characters. */
  readonly instance: string
  readonly code: ProblemCode
  /** Whether the very same request may succeed later. */
  readonly retryable: boolean
  /** Given with `invalid_request`, and with `too_large` if a part of the body is too large. */
  readonly issues?: readonly Issue[]
  readonly callId?: CallId
  readonly roomId?: RoomId
  /** The current state of the call, or how the invitation ended. */
  readonly currentState?: string
  /** The current version of the call, or of the two participants. */
  readonly version?: number
  readonly reason?: EndReason
  /** The number of the last offer. Given with conflicts of descriptions. */
  readonly revision?: number
  /** The side, or in a room the participant, whose offer is pending. Given with `offer_collision`. */
  readonly pendingFrom?: string
  /** Whether your side is the one that rolls back. Given with `offer_collision`. */
  readonly polite?: boolean
  /** The users who have too many watchers. Given with `too_many_watchers`. */
  readonly users?: readonly UserId[]
  /** The call that keeps you busy. Given with `caller_busy`. */
  readonly activeCallId?: CallId
  /** Every candidate of the request. Given if none of them was accepted. */
  readonly rejected?: readonly RejectedCandidate[]
  readonly [member: string]: unknown
}

/** A process. A node that starts again has another id. */
export type NodeId = string

/**
 * `ready`: it takes clients. `draining`: it is not ready, and its streams are sent away. `drained`: that is done.
 * `closing`: its process ends.
 */
export type NodeState = 'ready' | 'draining' | 'drained' | 'closing'

/** A node, as it last reported itself. */
export interface Node {
  readonly nodeId: NodeId
  /** The name of its machine; in Kubernetes that of the pod. */
  readonly host: string
  /** Of Signalpost. */
  readonly version: string
  /** When the process started. */
  readonly startedAt: string
  /** When the node last reported. It does so every second. */
  readonly seenAt: string
  readonly state: NodeState
  /** Open event streams. */
  readonly streams: number
  /** Waiting polls. */
  readonly polls: number
  /** Whether this node answers your request. */
  readonly self: boolean
}

/** The nodes that reported in the last five seconds. */
export interface NodesReply {
  /** By host, then by when they started. */
  readonly nodes: readonly Node[]
}

/** The node, which may not have begun yet. */
export interface DrainReply {
  readonly node: Node
}

/**
 * `online`: a device is there: it has an open stream or poll, or its last keepalive is less than `PRESENCE_TTL_MS` old.
 * `away`: every device that is there has the status `away`. `busy`: in a call. `offline`: no device is there.
 */
export type PresenceState = 'online' | 'away' | 'busy' | 'offline'

/** The presence of a user, over all devices. */
export interface Presence {
  readonly user: UserId
  readonly state: PresenceState
  /** Number of devices that are there. Given for yourself only. */
  readonly devices?: number
  /** When any device was last active; for other users, rounded down to the minute. Null if no device is registered. */
  readonly lastSeenAt: string | null
}

/** One device of a user. A device id has to be unique only among the devices of one user. */
export type DeviceId = string

/** A registered device. */
export interface AdminDevice {
  readonly device: DeviceId
  /** Whether it has an open stream or poll, or had one a moment ago. */
  readonly online: boolean
  /** The short name of the node that serves, or served last, its stream or poll. Null: it has had none. */
  readonly node: string | null
  /** Its last keepalive. */
  readonly lastSeenAt: string
  /** The status that the device has set. */
  readonly status: string | null
}

/**
 * `ringing` until the callee accepts, `connecting` until a side reports media or, if offer and answer were exchanged,
 * the connect time is over, `connected` until a side hangs up, then `ended`. A call may end from every state.
 */
export type CallState = 'ringing' | 'connecting' | 'connected' | 'ended'

/** One device of one user. */
export interface Endpoint {
  readonly user: UserId
  readonly device: DeviceId
}

/** The user who is called, and the device that answered. */
export interface Callee {
  readonly user: UserId
  /** The device that answered. Null until one has. */
  readonly device: DeviceId | null
}

/** `waiting`: rings after the ones before it. */
export type CalleeState = 'waiting' | 'ringing' | 'answered' | 'ended'

/**
 * Why one of several callees does not ring any more. `unreachable`: no device could be rung. `answered_elsewhere`:
 * another callee answered. `cancelled`: you withdrew the call. The others are reasons of a call.
 */
export type CalleeReason = 'declined' | 'busy' | 'no_answer' | 'unreachable' | 'answered_elsewhere' | 'cancelled'

/** One of several callees. */
export interface CalleeStatus {
  readonly user: UserId
  /** The device that answered. Null until one has. */
  readonly device: DeviceId | null
  readonly state: CalleeState
  /** Given with `ended`. Null also if the server ended the call. */
  readonly reason: CalleeReason | null
}

/** What a call or room is for. Shown to the callee; the server does not enforce it. */
export type Media = 'audio' | 'video' | 'data'

/** Data of your application, passed on unchanged. At most 4 KiB as JSON, nested at most 16 levels deep. */
export type Metadata = Record<string, unknown>

/** Who makes the first offer. Later ones may come from either side. */
export type Offerer = 'caller' | 'callee'

/** A side of the call that did something. */
export interface CallParty {
  readonly user: UserId
  /** The device that acted. Null if the callee acted before answering. */
  readonly device: DeviceId | null
}

/** A side of the call. */
export type Side = 'caller' | 'callee'

/** The user to whom a call is transferred. */
export interface TransferTarget {
  readonly user: UserId
  /** The only device that rings. Null: all devices of the user. */
  readonly device: DeviceId | null
}

/** Given while the target of a transfer rings and both parties are in the call: who transfers it, and to whom. */
export interface PendingTransfer {
  readonly by: Side
  readonly to: TransferTarget
  /**
   * Of an attended transfer: the other call of its two users, which ends when the target accepts. Missing: there is
   * none.
   */
  readonly toCall?: CallId
  /** Ring time left. */
  readonly expiresInMs: number
}

/** Which sides have put the call on hold. */
export interface CallHolds {
  /** Whether the caller has put the call on hold. */
  readonly caller: boolean
  /** Whether the callee has put the call on hold. */
  readonly callee: boolean
}

/** The offer/answer state of the call. */
export interface Negotiation {
  /** Number of the last offer, 0 before the first. A transfer that succeeds counts as one. */
  readonly revision: number
  /** The side whose offer has no answer yet. */
  readonly pendingFrom: Side | null
}

/** A call, as its parties see it. What does not apply yet is null. */
export interface Call {
  /** A call. Chosen by the caller, or generated by the server. */
  readonly callId: CallId
  /** Increases with every change. A higher version is newer. */
  readonly version: number
  readonly state: CallState
  readonly caller: Endpoint
  /**
   * Null for the caller of several users until one has answered, and for a call that was cancelled before it was
   * created.
   */
  readonly callee: Callee | null
  /** Only for the caller of several users: who they are, in the order of the request. */
  readonly callees?: readonly CalleeStatus[]
  readonly media: Media | null
  readonly metadata: Metadata
  readonly offerer: Offerer
  /** When the call was created. */
  readonly createdAt: string
  /** When it was accepted. */
  readonly answeredAt: string | null
  /** When a side first reported media. Null in a connected call: no side has. */
  readonly connectedAt: string | null
  /** When it ended. */
  readonly endedAt: string | null
  readonly reason: EndReason | null
  /** Who ended it; with `lost` who was lost. Null if a timer or the server did. */
  readonly endedBy: CallParty | null
  /** Time left to answer or to connect, or until the maximum duration. Null without a limit. */
  readonly expiresInMs: number | null
  /** Time from creation to `connected`. */
  readonly setupMs: number | null
  /** Time from `connected` to the end. */
  readonly durationMs: number | null
  readonly transfer?: PendingTransfer
  readonly held: CallHolds
  readonly negotiation: Negotiation
}

/** One participation of a device in a room. A device that leaves and joins again gets a new one. */
export type ParticipantId = string

/** A device of the user in a room. */
export interface AdminMembership {
  /** A room. Chosen by the user who creates it or joins it first. */
  readonly roomId: RoomId
  readonly device: DeviceId
  readonly participantId: ParticipantId
}

/** `sign_out`: the user or device was signed out. `tokens`: earlier tokens are refused. */
export type RevocationKind = 'sign_out' | 'tokens'

/** Which tokens of a user or device are refused although they are valid. */
export interface Revocation {
  /** Null: it is about all devices of the user. */
  readonly device: DeviceId | null
  readonly kind: RevocationKind
  /** Tokens that were issued at this time or before, or that do not say when, are refused. */
  readonly issuedAfter: string
  /** When it was last changed. */
  readonly changedAt: string
  /** Until when it holds, see `REVOCATION_DAYS`. */
  readonly expiresAt: string
}

/** A user. Signalpost has no list of users: one who never connected is empty. */
export interface AdminUserReply {
  readonly presence: Presence
  /** Registered devices, in no order. */
  readonly devices: readonly AdminDevice[]
  /** Live calls, oldest first. */
  readonly calls: readonly Call[]
  /** The rooms that the devices are in. A hidden participant is listed in the room only. */
  readonly rooms: readonly AdminMembership[]
  /** That of all devices first. */
  readonly revocations: readonly Revocation[]
}

/** The revocation in force. */
export interface RevocationReply {
  readonly revocation: Revocation
}

export interface RefuseTokensRequest {
  /**
   * Tokens that were issued at this time or before (claim `iat`), or that do not say when, are refused. At most a year
   * ahead: until then, new tokens are refused too.
   */
  readonly issuedAfter: string
}

/** A destination of webhooks: the first 12 hex digits of the SHA-256 of its URL without the fragment. */
export type WebhookId = string

/**
 * `up`: events are sent. `paused`: the events of several calls or rooms have failed in a row on this node, and it makes
 * one attempt at a time. `disabled`: the destination replied 410; its events become dead letters until it is enabled.
 */
export type WebhookState = 'up' | 'paused' | 'disabled'

/** A destination of webhooks, as this node finds it. */
export interface Webhook {
  readonly webhookId: WebhookId
  /** Scheme, host and port of its URL. */
  readonly origin: string
  /** The types of events that it receives. */
  readonly types: readonly string[]
  readonly state: WebhookState
  /** When it replied 410. */
  readonly disabledAt: string | null
  /** Queues that this node delivers now. */
  readonly delivering: number
  /** Queues that wait on this node for their turn. */
  readonly waiting: number
}

/** What waits, on all nodes and for all destinations. */
export interface WebhookBacklog {
  /** How many calls, rooms and users have events that wait, counted for each destination. */
  readonly queues: number
  /** When the first of them is due, or was. */
  readonly dueAt: string | null
}

/** All destinations. */
export interface WebhooksReply {
  /** In the order of `WEBHOOK_URLS`. */
  readonly webhooks: readonly Webhook[]
  readonly backlog: WebhookBacklog
}

/** A message: its header `webhook-id`, which is the same in every attempt. */
export type WebhookMessageId = string

/** What the event is about. The events of one source are sent in order. */
export interface WebhookSource {
  /** `call`, `room`, or `presence`. */
  readonly kind: string
  /** The id of the call, the room or the user. */
  readonly id: string
}

/**
 * `delivered`: the reply was 2xx. `failed`: it is sent again. `given_up`: it became a dead letter. `disabled`: the
 * reply was 410.
 */
export type WebhookOutcome = 'delivered' | 'failed' | 'given_up' | 'disabled'

/** One attempt to deliver an event. */
export interface WebhookDelivery {
  /** When the attempt ended. */
  readonly at: string
  readonly messageId: WebhookMessageId
  /** The type of the event. */
  readonly type: string
  readonly source: WebhookSource
  /** Counts from 1. */
  readonly attempt: number
  readonly outcome: WebhookOutcome
  /** Null: there was none. */
  readonly status: number | null
  /** Why there was no reply. */
  readonly error: string | null
  /** From the request to the end of the reply. */
  readonly durationMs: number
}

/** The newest 1,000 attempts of the last seven days are kept. */
export interface DeliveriesReply {
  /** Newest first. */
  readonly deliveries: readonly WebhookDelivery[]
  /** Pass it as `before` to read older items. Null: there are none. */
  readonly next: string | null
}

/** A dead letter. An event that is given up again after a replay has another one than before. */
export type DeadLetterId = string

/** `given_up`: it was not delivered within `WEBHOOK_GIVE_UP_MS`. `disabled`: the destination was disabled. */
export type DeadLetterReason = 'given_up' | 'disabled'

/** An event that was not delivered. */
export interface DeadLetter {
  readonly deadLetterId: DeadLetterId
  readonly messageId: WebhookMessageId
  /** The type of the event. */
  readonly type: string
  readonly source: WebhookSource
  readonly reason: DeadLetterReason
  /** When it was given up. */
  readonly at: string
}

/** The newest `WEBHOOK_DEAD_LETTERS_MAX` of all destinations are kept. */
export interface DeadLettersReply {
  /** Newest first. */
  readonly deadLetters: readonly DeadLetter[]
  /** Pass it as `before` to read older items. Null: there are none. */
  readonly next: string | null
}

/** At most 1,000 are replayed by one request, the oldest first. */
export interface ReplayReply {
  /** How many were queued again. */
  readonly replayed: number
  /** How many are left. Send the request again. */
  readonly left: number
}

/** The body of the message. */
export interface WebhookEnvelope {
  /** The type of the event. */
  readonly type: string
  /** When it happened. */
  readonly timestamp: string
  /** As the type says. */
  readonly data: Record<string, unknown>
}

/** A dead letter with its event. */
export interface DeadLetterReply {
  readonly deadLetterId: DeadLetterId
  readonly messageId: WebhookMessageId
  /** The type of the event. */
  readonly type: string
  readonly source: WebhookSource
  readonly reason: DeadLetterReason
  /** When it was given up. */
  readonly at: string
  readonly event: WebhookEnvelope
}

/** Which sides are disconnected. A side that does not come back is lost. */
export interface CallAway {
  /** Whether the device of the caller is disconnected. */
  readonly caller: boolean
  /** Whether the device of the callee is disconnected. */
  readonly callee: boolean
}

/** A call. What does not apply yet is null. */
export interface AdminCall {
  /** A call. Chosen by the caller, or generated by the server. */
  readonly callId: CallId
  /** Increases with every change. A higher version is newer. */
  readonly version: number
  readonly state: CallState
  readonly caller: Endpoint
  /**
   * Null for the caller of several users until one has answered, and for a call that was cancelled before it was
   * created.
   */
  readonly callee: Callee | null
  /** Only for the caller of several users: who they are, in the order of the request. */
  readonly callees?: readonly CalleeStatus[]
  readonly media: Media | null
  readonly metadata: Metadata
  readonly offerer: Offerer
  /** When the call was created. */
  readonly createdAt: string
  /** When it was accepted. */
  readonly answeredAt: string | null
  /** When a side first reported media. Null in a connected call: no side has. */
  readonly connectedAt: string | null
  /** When it ended. */
  readonly endedAt: string | null
  readonly reason: EndReason | null
  /** Who ended it; with `lost` who was lost. Null if a timer or the server did. */
  readonly endedBy: CallParty | null
  /** Time left to answer or to connect, or until the maximum duration. Null without a limit. */
  readonly expiresInMs: number | null
  /** Time from creation to `connected`. */
  readonly setupMs: number | null
  /** Time from `connected` to the end. */
  readonly durationMs: number | null
  readonly transfer?: PendingTransfer
  readonly held: CallHolds
  readonly negotiation: Negotiation
  readonly away: CallAway
  /** Whether the callee blocks the caller: then no device rings. */
  readonly blocked: boolean
}

/**
 * A page of the live calls. A call that lives from the first page to the last is on at least one of them; it may be on
 * two, if many calls begin or end meanwhile.
 */
export interface AdminCallsReply {
  /** Live calls, in no order. */
  readonly calls: readonly AdminCall[]
  /**
   * Pass it as `after` to read the next page. Null: this is the last one. A page may be short, or empty, without being
   * the last.
   */
  readonly next: string | null
}

/**
 * If no device of the callee is registered or can be woken by a push: `reject` refuses the call, `ring` waits for a
 * device. `OFFLINE_CALLS` by default.
 */
export type WhenOffline = 'reject' | 'ring'

/** Who makes the first offer: `caller` (default), which is `from`, with its accept or later; or `callee`. */
export type StartedOfferer = 'caller' | 'callee'

export interface StartCallRequest {
  /** The user who rings first, and is the caller. */
  readonly from: UserId
  /** The user who is called when `from` has accepted. */
  readonly to: UserId
  /** A random id, such as a UUID. A retry with the same id returns the same call. */
  readonly callId?: CallId
  readonly media?: Media
  readonly metadata?: Metadata
  /** How long each of the two rings. `RING_TIMEOUT_MS` by default. */
  readonly ringTimeoutMs?: number
  readonly whenOffline?: WhenOffline
  readonly offerer?: StartedOfferer
}

export interface AdminCallReply {
  readonly call: AdminCall
}

/**
 * `ringing`: a device of the callee reported that it rings. `declined`: one of several devices declined.
 * `callee_changed`: one of several users began or stopped ringing. `offer`, `answer`: a description was sent.
 * `candidates_held`: candidates had to wait for their description or for the answer to the call; candidates that were
 * passed on at once leave no entry. `candidates_stale`: the description just sent does not have the ufrag of candidates
 * that are held, so they belong to another ICE generation; they go on waiting for it. `held`, `resumed`: a side put the
 * call on hold, or took it off hold. `media_changed`: a side muted its audio or video, or unmuted it. `message`: a side
 * sent an application message; its content is not kept. `away`, `back`: the device of a side disconnected, or came
 * back. `transferring`: a side began a transfer to the user `to`. `transfer_failed`: that user did not take the call.
 * `transferor_left`: the side that transfers the call left before the target answered. `transferred`: the target
 * accepted. `webhook`: an event was sent to the systems of the operator. `push`: a device was to be woken; the caller
 * does not see it. `policy`: the policy service was asked; only the user who called, or who transfers the call, sees
 * it.
 */
export type TimelineEntryType = 'created' | 'ringing' | 'declined' | 'callee_changed' | 'accepted' | 'offer' | 'answer' | 'candidates_held' | 'candidates_stale' | 'connected' | 'held' | 'resumed' | 'media_changed' | 'message' | 'away' | 'back' | 'transferring' | 'transfer_failed' | 'transferor_left' | 'transferred' | 'ended' | 'webhook' | 'push' | 'policy'

/** Given with `callee_changed`. */
export type ChangedCalleeState = 'ringing' | 'ended'

/**
 * Of a `webhook` or `push`: `delivered`; `failed`, to be tried again; `given_up`, after the last attempt; `gone`: the
 * device has no subscription any more. Of `policy`: `allowed`, `rewritten`, `redirected` to another user, or `failed`:
 * the service gave no valid answer, and the server allows what it does not decide.
 */
export type TimelineOutcome = 'delivered' | 'failed' | 'given_up' | 'gone' | 'allowed' | 'rewritten' | 'redirected'

/** One thing that happened in a call. */
export interface TimelineEntry {
  /** When it happened. */
  readonly at: string
  readonly type: TimelineEntryType
  /** Who did it, or whose device it happened to. Null if a timer or the server did it. */
  readonly by: CallParty | null
  /** The negotiation of an `offer` or `answer`. */
  readonly revision?: number
  /** How many there were: `candidates_held`, `candidates_stale`, `message`. */
  readonly count?: number
  /** True: no side has reported that media flows, but the connect time is over. Given with `connected`. */
  readonly unconfirmed?: boolean
  /** Whether this side sends audio. False: it is muted. */
  readonly audio?: boolean | null
  /** Whether this side sends video. False: it is muted. */
  readonly video?: boolean | null
  readonly callee?: ChangedCalleeState
  readonly calleeReason?: CalleeReason
  readonly reason?: EndReason
  /** The target of a transfer. */
  readonly to?: UserId
  /** The call that an attended transfer replaces. */
  readonly toCall?: CallId
  /** The type of the event of a `webhook` or `push`, or the action that `policy` was asked about. */
  readonly event?: string
  readonly outcome?: TimelineOutcome
  /** Which attempt of a `webhook` or `push` it was. */
  readonly attempt?: number
}

/** What happened in a call. */
export interface CallTimeline {
  /** A call. Chosen by the caller, or generated by the server. */
  readonly callId: CallId
  /** Oldest first. */
  readonly entries: readonly TimelineEntry[]
  /**
   * Entries that were dropped from the middle: the first 16 and the newest ones are kept, at most 48. Of `webhook`,
   * `push` and `policy` at most 64 are kept, which are not counted here.
   */
  readonly omitted: number
}

/** What a device proves itself by. */
export interface CredentialView {
  readonly user: UserId
  readonly device: DeviceId
  /** The public key; null: the device has none. */
  readonly publicKey: string | null
  /** 256-bit keys that are valid. The older one of two is valid until the newer one is used. */
  readonly keys: number
  /** How long the enrollment code can still be used; null: there is none. */
  readonly codeExpiresInMs: number | null
  /** When the device got its first key or code. */
  readonly createdAt: string
  /** When the device last proved itself or the credential was changed. Up to a day late. */
  readonly usedAt: string
}

export interface CredentialsReply {
  /** In a fixed order. */
  readonly credentials: readonly CredentialView[]
  /** Pass it as `after` to read on. Null: there are no more. */
  readonly next: string | null
}

/** An Ed25519 public key (RFC 8032): its 32 bytes in base64url. */
export type DevicePublicKey = string

export interface PutCredentialRequest {
  readonly publicKey: DevicePublicKey
}

export interface EnrollmentCode {
  /** For the device, once. It is not shown again. */
  readonly code: string
  /** How long it can be used. */
  readonly expiresInMs: number
}

export interface NewDeviceKey {
  /** 256 random bits in base64url. It is not shown again, and stored as a digest only. */
  readonly key: string
}

/** `p2p`: media flows directly between participants. `sfu`: through a media service. */
export type RoomMode = 'p2p' | 'sfu'

/**
 * The role of users who have no role of their own. `none` makes the room members only: a user needs a role from the
 * token or the room service, one given to them in the room, or an invitation, which makes them `speaker`.
 */
export type DefaultRole = 'host' | 'moderator' | 'speaker' | 'listener' | 'none'

/** A room and its settings. */
export interface Room {
  /** A room. Chosen by the user who creates it or joins it first. */
  readonly roomId: RoomId
  /** Increases with every change in the room. A higher version is newer. */
  readonly version: number
  readonly mode: RoomMode
  /** Whether a room in mode `sfu` with fewer than 4 participants becomes `p2p` while no media service is available. */
  readonly p2pFallback: boolean
  /** What the room is for. */
  readonly callType: Media
  /** Whether only moderators and hosts may join. */
  readonly locked: boolean
  /**
   * Whether the media of the room, in mode `sfu`, is to be recorded. Show it: all participants see it here and in
   * `room.updated`. A recorder of the operator then joins, which is in no list.
   */
  readonly record: boolean
  /** Maximum number of devices in the room. */
  readonly maxParticipants: number
  readonly defaultRole: DefaultRole
  /** When it was created. */
  readonly createdAt: string
  /** The user who created it. */
  readonly createdBy: UserId
  readonly metadata: Metadata
  /** Number of participants. */
  readonly participantCount: number
}

/**
 * A page of the open rooms. A room that is open from the first page to the last is on at least one of them; it may be
 * on two, if many rooms begin or end meanwhile.
 */
export interface AdminRoomsReply {
  /** Open rooms, in no order. */
  readonly rooms: readonly Room[]
  /**
   * Pass it as `after` to read the next page. Null: this is the last one. A page may be short, or empty, without being
   * the last.
   */
  readonly next: string | null
}

/**
 * `host` has all grants. `moderator` has all but `manage`. `speaker` has `join`, `signal`, `chat`, `publish` and
 * `subscribe`. `listener` has `join`, `signal`, `chat` and `subscribe`.
 */
export type Role = 'host' | 'moderator' | 'speaker' | 'listener'

/**
 * It publishes by WHIP, or views by WHEP: an encoder or player that receives no events and cannot be signaled to.
 * Missing: an ordinary participant.
 */
export type ParticipantVia = 'whip' | 'whep'

/** One device in a room. */
export interface Participant {
  readonly participantId: ParticipantId
  readonly user: UserId
  readonly device: DeviceId
  readonly role: Role
  /** Whether its device is disconnected. It leaves as `lost` if it does not come back in time. */
  readonly away: boolean
  /** When it joined. */
  readonly joinedAt: string
  readonly metadata: Metadata
  readonly via?: ParticipantVia
}

/** A session of the room at a media service. After a reset the room has another one. */
export type SfuSessionId = string

/** The media session of a room in mode `sfu`. */
export interface RoomSfu {
  /** Null: none is open yet. The first request beneath `/sfu` opens it. */
  readonly sessionId: SfuSessionId | null
  /** False: no media service is up. `sfu.available` follows when one is. */
  readonly available: boolean
}

/** What a participant sends: one track. Unique among the producers of the participant. */
export type ProducerId = string

/** A kind of track. */
export type MediaKind = 'audio' | 'video'

/** What it shows: a microphone, a camera or a screen. Sound of a screen has `kind` `audio` and `source` `screen`. */
export type ProducerSource = 'audio' | 'video' | 'screen'

/** How it is encoded. `simulcast` and `svc` have layers to choose from. */
export type RtpStreamType = 'simple' | 'simulcast' | 'svc' | 'pipe'

/** Data of your application, passed on unchanged. At most 1 KiB as JSON, nested at most 16 levels deep. */
export type AppData = Record<string, unknown>

/** A track that a participant sends. Named by `participantId` and `producerId`. */
export interface Producer {
  readonly producerId: ProducerId
  /** The participant that sends it. */
  readonly participantId: ParticipantId
  readonly user: UserId
  readonly device: DeviceId
  readonly kind: MediaKind
  readonly source: ProducerSource
  readonly type: RtpStreamType
  /** Whether nothing is sent at the moment: muted. */
  readonly paused: boolean
  readonly appData: AppData
}

/** A data channel to which a participant sends. */
export type DataProducerId = string

/** A data channel to which a participant sends. */
export interface DataProducer {
  readonly dataProducerId: DataProducerId
  /** The participant that sends it. */
  readonly participantId: ParticipantId
  readonly user: UserId
  readonly device: DeviceId
  /** Label of the data channel. */
  readonly label: string
  /** Protocol of the data channel. */
  readonly protocol: string
  readonly appData: AppData
}

/** A room with all its participants. */
export interface AdminRoomReply {
  readonly room: Room
  readonly participants: readonly Participant[]
  /** Null: media does not flow through a media service (mode `p2p`). */
  readonly sfu: RoomSfu | null
  /** What the participants send through the media service. */
  readonly producers: readonly Producer[]
  /** The data channels to which participants send. */
  readonly dataProducers: readonly DataProducer[]
  /** Hidden participants, such as a recorder. They are in no list that users see. */
  readonly hidden: readonly Participant[]
}

/** The user and device that did it. */
export interface ActingDevice {
  readonly user: UserId
  readonly device: DeviceId
}

/** A user who may not enter the room. */
export interface Ban {
  /** The banned user. */
  readonly user: UserId
  /** Null: an operator of the server did. */
  readonly by: ActingDevice | null
  /** When the user was banned. */
  readonly at: string
  /** Time left. Null if the ban lasts until it is removed. */
  readonly expiresInMs: number | null
}

export interface BansReply {
  readonly bans: readonly Ban[]
}

/** A dead letter of the chat service. */
export type ChatDeadLetterId = string

/** A chat message within its room. */
export type MessageId = string

/**
 * `refused`: by the service. `evicted`: newer messages took its place in the history of the room while the service was
 * down. `expired`: its room closed, and the service was down for too long after that.
 */
export type ChatDeadLetterReason = 'refused' | 'evicted' | 'expired'

/** A message that the chat service did not get. */
export interface ChatDeadLetter {
  readonly deadLetterId: ChatDeadLetterId
  /** A room. Chosen by the user who creates it or joins it first. */
  readonly roomId: RoomId
  readonly messageId: MessageId
  readonly reason: ChatDeadLetterReason
  /** Null: the service did not refuse it. */
  readonly status: number | null
  /** When it became a dead letter. */
  readonly at: string
}

/** The newest `CHAT_DEAD_LETTERS_MAX` are kept. */
export interface ChatDeadLettersReply {
  /** Newest first. */
  readonly deadLetters: readonly ChatDeadLetter[]
  /** Pass it as `before` to read older items. Null: there are none. */
  readonly next: string | null
}

/** At most 100 are replayed by one request, the oldest first. */
export interface ChatReplayReply {
  /** How many the service has taken. */
  readonly replayed: number
  /** How many it has refused. They are kept. */
  readonly refused: number
  /** Pass it as `after` to go on with the next ones. Null: there are no more. */
  readonly next: string | null
}

/** A participant: its id in the room, its user and its device. */
export interface ParticipantRef {
  readonly participantId: ParticipantId
  readonly user: UserId
  readonly device: DeviceId
}

/** A chat message in a room. */
export interface ChatMessage {
  /** A room. Chosen by the user who creates it or joins it first. */
  readonly roomId: RoomId
  readonly messageId: MessageId
  readonly from: ParticipantRef
  /** Text of at most 4096 bytes in UTF-8. Passed on unchanged: escape it before you show it. */
  readonly content: string
  /** When the server accepted it. */
  readonly sentAt: string
  /** The version of the room. All participants receive the messages in this order. */
  readonly version: number
}

/** A dead letter with its message. */
export interface ChatDeadLetterReply {
  readonly deadLetterId: ChatDeadLetterId
  /** A room. Chosen by the user who creates it or joins it first. */
  readonly roomId: RoomId
  readonly messageId: MessageId
  readonly reason: ChatDeadLetterReason
  /** Null: the service did not refuse it. */
  readonly status: number | null
  /** When it became a dead letter. */
  readonly at: string
  readonly message: ChatMessage
}

/** Method, path, body and reply of each operation. */
export type Operations = [
  ['POST', `/admin/users/${string}/devices/${string}/sign-out`, undefined, RevocationReply],
  ['PUT', `/admin/users/${string}/devices/${string}/tokens`, RefuseTokensRequest, RevocationReply],
  ['DELETE', `/admin/users/${string}/devices/${string}/tokens`, undefined, null],
  ['POST', `/admin/webhooks/${string}/dead-letters/${string}/replay`, undefined, null],
  ['GET', `/admin/users/${string}/devices/${string}/credential`, undefined, CredentialView],
  ['PUT', `/admin/users/${string}/devices/${string}/credential`, PutCredentialRequest, CredentialView],
  ['DELETE', `/admin/users/${string}/devices/${string}/credential`, undefined, null],
  ['POST', `/admin/users/${string}/devices/${string}/enrollment-codes`, undefined, EnrollmentCode],
  ['POST', `/admin/users/${string}/devices/${string}/keys`, undefined, NewDeviceKey],
  ['POST', `/admin/users/${string}/all-devices/sign-out`, undefined, RevocationReply],
  ['PUT', `/admin/users/${string}/all-devices/tokens`, RefuseTokensRequest, RevocationReply],
  ['DELETE', `/admin/users/${string}/all-devices/tokens`, undefined, null],
  ['POST', `/admin/webhooks/${string}/dead-letters/replay`, undefined, ReplayReply],
  ['POST', `/admin/chat/dead-letters/${string}/replay`, undefined, null],
  ['GET', `/admin/webhooks/${string}/dead-letters/${string}`, undefined, DeadLetterReply],
  ['DELETE', `/admin/webhooks/${string}/dead-letters/${string}`, undefined, null],
  ['DELETE', `/admin/rooms/${string}/participants/${string}`, undefined, null],
  ['DELETE', `/admin/rooms/${string}/bans/${string}`, undefined, null],
  ['POST', '/admin/chat/dead-letters/replay', undefined, ChatReplayReply],
  ['PUT', `/admin/nodes/${string}/drain`, undefined, DrainReply],
  ['DELETE', `/admin/nodes/${string}/drain`, undefined, DrainReply],
  ['POST', `/admin/webhooks/${string}/enable`, undefined, Webhook],
  ['GET', `/admin/webhooks/${string}/deliveries`, undefined, DeliveriesReply],
  ['GET', `/admin/webhooks/${string}/dead-letters`, undefined, DeadLettersReply],
  ['POST', `/admin/calls/${string}/end`, undefined, AdminCallReply],
  ['GET', `/admin/calls/${string}/timeline`, undefined, CallTimeline],
  ['GET', `/admin/rooms/${string}/bans`, undefined, BansReply],
  ['GET', `/admin/chat/dead-letters/${string}`, undefined, ChatDeadLetterReply],
  ['DELETE', `/admin/chat/dead-letters/${string}`, undefined, null],
  ['GET', '/admin/chat/dead-letters', undefined, ChatDeadLettersReply],
  ['GET', `/admin/users/${string}`, undefined, AdminUserReply],
  ['GET', `/admin/calls/${string}`, undefined, AdminCallReply],
  ['GET', `/admin/rooms/${string}`, undefined, AdminRoomReply],
  ['DELETE', `/admin/rooms/${string}`, undefined, null],
  ['GET', '/admin/nodes', undefined, NodesReply],
  ['GET', '/admin/webhooks', undefined, WebhooksReply],
  ['GET', '/admin/calls', undefined, AdminCallsReply],
  ['POST', '/admin/calls', StartCallRequest, AdminCallReply],
  ['GET', '/admin/device-credentials', undefined, CredentialsReply],
  ['GET', '/admin/rooms', undefined, AdminRoomsReply]
]
