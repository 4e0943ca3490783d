// The admin API about webhooks (openapi/admin.yaml).
import { type Static, Type } from 'typebox'
import { DurationMs, Nullable, Strict, Timestamp } from './common.js'

const WebhookId = (
  description = 'A destination of webhooks: the first 12 hex digits of the SHA-256 of its URL without the fragment.'
) => Type.String({ $id: 'WebhookId', pattern: '^[0-9a-f]{12}$', description, examples: ['3f5a0c9b1d2e'] })
const WebhookMessageId = (description = 'A message: its header `webhook-id`, which is the same in every attempt.') =>
  Type.String({
    $id: 'WebhookMessageId',
    pattern: '^msg_[A-Za-z0-9_-]{24}$',
    description,
    examples: ['msg_k3Jd8sPq0ZrX1vB7nT5wYc2M']
  })

const DeadLetterId = (
  description = 'A dead letter. An event that is given up again after a replay has another one than before.'
) =>
  Type.String({
    $id: 'DeadLetterId',
    pattern: '^msg_[A-Za-z0-9_-]{24}(\\.[0-9]{1,15})?$',
    description,
    examples: ['msg_k3Jd8sPq0ZrX1vB7nT5wYc2M']
  })

export const WebhookPath = Type.Object({ webhookId: WebhookId() }, { ...Strict })
export const DeadLetterPath = Type.Object({ webhookId: WebhookId(), deadLetterId: DeadLetterId() }, { ...Strict })

/** `before` is checked where it is read. */
const pageQuery = (pattern: string) =>
  Type.Object(
    {
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 200, default: 100, description: 'Most items of the reply.' })
      ),
      before: Type.Optional(Type.String({ pattern, description: 'Returns older items: `next` of an earlier reply.' }))
    },
    { ...Strict }
  )
export const DeliveriesQuery = pageQuery('^msg_[A-Za-z0-9_-]{24}\\.[0-9]{1,9}\\.[0-9]{1,15}$')
export const DeadLettersQuery = pageQuery('^[0-9]{1,15}$')
export type PageQuery = Static<typeof DeliveriesQuery>

const Next = Nullable(
  Type.String({ examples: ['1763719200000'] }),
  'Pass it as `before` to read older items. Null: there are none.'
)

export const WebhookView = Type.Object(
  {
    webhookId: WebhookId(),
    origin: Type.String({ description: 'Scheme, host and port of its URL.', examples: ['https://example.com'] }),
    types: Type.Array(Type.String(), { description: 'The types of events that it receives.' }),
    state: Type.Enum(['up', 'paused', 'disabled'], {
      $id: 'WebhookState',
      description:
        '`up`: events are sent. `paused`: the events of several calls or rooms have failed in a row on this node, and it makes one attempt at a time. `disabled`: the ' +
        'destination replied 410; its events become dead letters until it is enabled.'
    }),
    disabledAt: Nullable(Timestamp('When it replied 410.')),
    delivering: Type.Integer({ minimum: 0, maximum: 1000, description: 'Queues that this node delivers now.' }),
    waiting: Type.Integer({ minimum: 0, maximum: 1000, description: 'Queues that wait on this node for their turn.' })
  },
  { $id: 'Webhook', description: 'A destination of webhooks, as this node finds it.', ...Strict }
)
export type WebhookView = Static<typeof WebhookView>

export const WebhooksReply = Type.Object(
  {
    webhooks: Type.Array(WebhookView, { description: 'In the order of `WEBHOOK_URLS`.' }),
    backlog: Type.Object(
      {
        queues: Type.Integer({
          minimum: 0,
          description: 'How many calls, rooms and users have events that wait, counted for each destination.'
        }),
        dueAt: Nullable(Timestamp('When the first of them is due, or was.'))
      },
      { $id: 'WebhookBacklog', description: 'What waits, on all nodes and for all destinations.', ...Strict }
    )
  },
  { $id: 'WebhooksReply', description: 'All destinations.', ...Strict }
)
export type WebhooksReply = Static<typeof WebhooksReply>

const Source = Type.Object(
  {
    kind: Type.String({ description: '`call`, `room`, or `presence`.', examples: ['call'] }),
    id: Type.String({
      description: 'The id of the call, the room or the user.',
      examples: ['7d1f0c1e-57a8-4f0e-9c55-0d2f6a1b3c4d']
    })
  },
  {
    $id: 'WebhookSource',
    description: 'What the event is about. The events of one source are sent in order.',
    ...Strict
  }
)
const EventType = Type.String({ description: 'The type of the event.', examples: ['call.ended'] })

export const WebhookDelivery = Type.Object(
  {
    at: Timestamp('When the attempt ended.'),
    messageId: WebhookMessageId(),
    type: EventType,
    source: Source,
    attempt: Type.Integer({ minimum: 1, description: 'Counts from 1.' }),
    outcome: Type.Enum(['delivered', 'failed', 'given_up', 'disabled'], {
      $id: 'WebhookOutcome',
      description:
        '`delivered`: the reply was 2xx. `failed`: it is sent again. `given_up`: it became a dead letter. `disabled`: the reply was 410.'
    }),
    status: Nullable(
      Type.Integer({ minimum: 100, maximum: 999, description: 'The HTTP status of the reply.' }),
      'Null: there was none.'
    ),
    error: Nullable(Type.String({ description: 'Why there was no reply.', examples: ['no reply within 10000 ms'] })),
    durationMs: DurationMs('From the request to the end of the reply.')
  },
  { $id: 'WebhookDelivery', description: 'One attempt to deliver an event.', ...Strict }
)
export type WebhookDelivery = Static<typeof WebhookDelivery>

export const DeliveriesReply = Type.Object(
  { deliveries: Type.Array(WebhookDelivery, { description: 'Newest first.' }), next: Next },
  { $id: 'DeliveriesReply', description: 'The newest 1,000 attempts of the last seven days are kept.', ...Strict }
)
export type DeliveriesReply = Static<typeof DeliveriesReply>

const letter = {
  deadLetterId: DeadLetterId(),
  messageId: WebhookMessageId(),
  type: EventType,
  source: Source,
  reason: Type.Enum(['given_up', 'disabled'], {
    $id: 'DeadLetterReason',
    description:
      '`given_up`: it was not delivered within `WEBHOOK_GIVE_UP_MS`. `disabled`: the destination was disabled.'
  }),
  at: Timestamp('When it was given up.')
}
export const DeadLetter = Type.Object(letter, {
  $id: 'DeadLetter',
  description: 'An event that was not delivered.',
  ...Strict
})
export type DeadLetterView = Static<typeof DeadLetter>

export const DeadLetterReply = Type.Object(
  {
    ...letter,
    event: Type.Object(
      {
        type: EventType,
        timestamp: Timestamp('When it happened.'),
        data: Type.Object({}, { additionalProperties: true, description: 'As the type says.' })
      },
      { $id: 'WebhookEnvelope', description: 'The body of the message.', ...Strict }
    )
  },
  { $id: 'DeadLetterReply', description: 'A dead letter with its event.', ...Strict }
)
export type DeadLetterReply = Static<typeof DeadLetterReply>

export const DeadLettersReply = Type.Object(
  { deadLetters: Type.Array(DeadLetter, { description: 'Newest first.' }), next: Next },
  {
    $id: 'DeadLettersReply',
    description: 'The newest `WEBHOOK_DEAD_LETTERS_MAX` of all destinations are kept.',
    ...Strict
  }
)
export type DeadLettersReply = Static<typeof DeadLettersReply>

export const ReplayReply = Type.Object(
  {
    replayed: Type.Integer({ minimum: 0, maximum: 1000, description: 'How many were queued again.' }),
    left: Type.Integer({ minimum: 0, description: 'How many are left. Send the request again.' })
  },
  { $id: 'ReplayReply', description: 'At most 1,000 are replayed by one request, the oldest first.', ...Strict }
)
export type ReplayReply = Static<typeof ReplayReply>
