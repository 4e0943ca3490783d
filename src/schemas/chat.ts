// Chat messages of a room, and how its history is read.
import { type Static, Type } from 'typebox'
import { MessageId, Nullable, RoomId, Strict, Timestamp } from './common.js'
import { ParticipantRef } from './room.js'

export const CONTENT_MAX_BYTES = 4096

export const Content = Type.String({
  minLength: 1,
  maxLength: CONTENT_MAX_BYTES,
  pattern: '^[^\\u0000]*$',
  description: `Text of at most ${CONTENT_MAX_BYTES} bytes in UTF-8. Passed on unchanged: escape it before you show it.`,
  examples: ['Can everybody hear me?']
})

export const ChatMessage = Type.Object(
  {
    roomId: RoomId(),
    messageId: MessageId(),
    from: ParticipantRef,
    content: Content,
    sentAt: Timestamp('When the server accepted it.'),
    version: Type.Integer({
      minimum: 1,
      description: 'The version of the room. All participants receive the messages in this order.'
    })
  },
  { $id: 'ChatMessage', description: 'A chat message in a room.', ...Strict }
)
export type ChatMessage = Static<typeof ChatMessage>

export const PostMessageRequest = Type.Object(
  {
    content: Content,
    messageId: Type.Optional(
      MessageId('A random id, such as a UUID. A retry with the same id returns the same message.')
    )
  },
  { $id: 'PostMessageRequest', ...Strict }
)
export type PostMessageRequest = Static<typeof PostMessageRequest>
export const PostMessageReply = Type.Object({ message: ChatMessage }, { $id: 'PostMessageReply', ...Strict })

export const TypingRequest = Type.Object(
  { typing: Type.Boolean({ description: 'True when the user starts to type, false when they stop.' }) },
  { $id: 'TypingRequest', ...Strict }
)
export type TypingRequest = Static<typeof TypingRequest>

const PageToken = (description: string) => Type.String({ maxLength: 64, description, examples: ['bXQ5a2YwMDAuMTI'] })

export const MESSAGES_LIMIT = 50

// Without a pattern, so that a malformed page token is an `invalid_page_token`, not an `invalid_request`.
export const MessagesQuery = Type.Object({
  before: Type.Optional(PageToken('`before` of a page: returns the messages before that page.')),
  after: Type.Optional(PageToken('`after` of a page: returns the messages after that page.')),
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 100,
      default: MESSAGES_LIMIT,
      description: 'Maximum number of messages in a page.'
    })
  )
})
export type MessagesQuery = Static<typeof MessagesQuery>

export const MessagesReply = Type.Object(
  {
    messages: Type.Array(ChatMessage, { description: 'Oldest first.' }),
    before: Nullable(PageToken('Query `before` with it for earlier messages. Null if there are none.')),
    after: Nullable(PageToken('Query `after` with it for later messages. Null if there are none yet.'))
  },
  { $id: 'MessagesReply', description: 'A page of the history.', ...Strict }
)
export type MessagesReply = Static<typeof MessagesReply>
