// The admin API about messages that the chat service did not get (openapi/admin.yaml).
import { type Static, Type } from 'typebox'
import { ChatMessage } from './chat.js'
import { MessageId, Nullable, RoomId, Strict, Timestamp } from './common.js'

const ChatDeadLetterId = (description = 'A dead letter of the chat service.') =>
  Type.String({ $id: 'ChatDeadLetterId', pattern: '^[0-9]{1,15}$', description, examples: ['1763719200000'] })

export const ChatDeadLetterPath = Type.Object({ chatDeadLetterId: ChatDeadLetterId() }, { ...Strict })

const letter = {
  deadLetterId: ChatDeadLetterId(),
  roomId: RoomId(),
  messageId: MessageId(),
  reason: Type.Enum(['refused', 'evicted', 'expired'], {
    $id: 'ChatDeadLetterReason',
    description:
      '`refused`: by the service. `evicted`: newer messages took its place in the history of the room while the service was down. `expired`: its ' +
      'room closed, and the service was down for too long after that.'
  }),
  status: Nullable(
    Type.Integer({ minimum: 400, maximum: 499, description: 'The HTTP status of the refusal.' }),
    'Null: the service did not refuse it.'
  ),
  at: Timestamp('When it became a dead letter.')
}

export const ChatDeadLetter = Type.Object(letter, {
  $id: 'ChatDeadLetter',
  description: 'A message that the chat service did not get.',
  ...Strict
})
export type ChatDeadLetter = Static<typeof ChatDeadLetter>

export const ChatDeadLettersReply = Type.Object(
  {
    deadLetters: Type.Array(ChatDeadLetter, { description: 'Newest first.' }),
    next: Nullable(
      Type.String({ examples: ['1763719200000'] }),
      'Pass it as `before` to read older items. Null: there are none.'
    )
  },
  { $id: 'ChatDeadLettersReply', description: 'The newest `CHAT_DEAD_LETTERS_MAX` are kept.', ...Strict }
)
export type ChatDeadLettersReply = Static<typeof ChatDeadLettersReply>

export const ChatDeadLetterReply = Type.Object(
  { ...letter, message: ChatMessage },
  { $id: 'ChatDeadLetterReply', description: 'A dead letter with its message.', ...Strict }
)
export type ChatDeadLetterReply = Static<typeof ChatDeadLetterReply>

export const ChatReplayQuery = Type.Object(
  {
    after: Type.Optional(
      Type.String({ pattern: '^[0-9]{1,15}$', description: 'Goes on behind it: `next` of an earlier reply.' })
    )
  },
  { ...Strict }
)

export const ChatReplayReply = Type.Object(
  {
    replayed: Type.Integer({ minimum: 0, maximum: 100, description: 'How many the service has taken.' }),
    refused: Type.Integer({ minimum: 0, maximum: 100, description: 'How many it has refused. They are kept.' }),
    next: Nullable(
      Type.String({ examples: ['1763719200000'] }),
      'Pass it as `after` to go on with the next ones. Null: there are no more.'
    )
  },
  { $id: 'ChatReplayReply', description: 'At most 100 are replayed by one request, the oldest first.', ...Strict }
)
export type ChatReplayReply = Static<typeof ChatReplayReply>
