// What people write in a room, and how its history is read.
import { type Static, Type } from 'typebox'
import { Id, Nullable, Strict, Timestamp } from './common.js'
import { RoomId, RoomPeer } from './room.js'

export const CONTENT_MAX_BYTES = 4096

const MessageId = Id('Names the message within its room', 'm-7Qk2')

const Content = Type.String({
  minLength: 1,
  maxLength: CONTENT_MAX_BYTES,
  pattern: '^[^\\u0000]*$',
  description: `At most ${CONTENT_MAX_BYTES} bytes as UTF-8. Handed on as it is; the client that shows it escapes it`,
  examples: ['Can everybody hear me?']
})

export const ChatMessage = Type.Object(
  {
    roomId: RoomId,
    messageId: MessageId,
    from: RoomPeer,
    content: Content,
    sentAt: Timestamp('When it was taken'),
    version: Type.Integer({ minimum: 1, description: 'Of the room: the order in which everybody reads the messages' })
  },
  { $id: 'ChatMessage', description: 'Something that was written in a room', ...Strict }
)
export type ChatMessage = Static<typeof ChatMessage>

export const MessageBody = Type.Object(
  {
    content: Content,
    messageId: Type.Optional(
      Type.Unsafe<string>({
        ...MessageId,
        description: 'Chosen by you: a repeat with the same id is the same message. A UUID is a good one'
      })
    )
  },
  { $id: 'MessageBody', ...Strict }
)
export type MessageBody = Static<typeof MessageBody>
export const MessageReply = Type.Object({ message: ChatMessage }, { $id: 'MessageReply', ...Strict })

export const TypingBody = Type.Object(
  { typing: Type.Boolean({ description: 'Whether you are writing; what was said last holds until you stop or go' }) },
  { $id: 'TypingBody', examples: [{ typing: true }], ...Strict }
)
export type TypingBody = Static<typeof TypingBody>

const PageCursor = (description: string) => Type.String({ maxLength: 64, description, examples: ['bXQ5a2YwMDAuMTI'] })

export const MESSAGES_LIMIT = 50

// Not the pattern: what is wrong with a cursor is an invalid_cursor, and the code that parses it says so.
export const MessagesQuery = Type.Object(
  {
    before: Type.Optional(PageCursor('`before` of a page: what was written earlier')),
    after: Type.Optional(PageCursor('`after` of a page: what was written later')),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100, default: MESSAGES_LIMIT, description: 'Messages in a page, at most' })
    )
  },
  { ...Strict }
)
export type MessagesQuery = Static<typeof MessagesQuery>

export const MessagesReply = Type.Object(
  {
    messages: Type.Array(ChatMessage, { description: 'Oldest first' }),
    before: Nullable(PageCursor('Leads to earlier messages'), 'Null when there are none that are kept'),
    after: Nullable(PageCursor('Leads to later messages'), 'Null when there are none yet')
  },
  { $id: 'MessagesReply', description: 'A page of the history', ...Strict }
)
export type MessagesReply = Static<typeof MessagesReply>
