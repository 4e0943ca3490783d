// Application messages of a call.
import { type Static, Type } from 'typebox'
import { Content } from './chat.js'
import { Delivery, MessageId, Strict, Timestamp } from './common.js'

export const MessageContent = Type.Unsafe<Static<typeof Content>>({
  ...Content,
  examples: ['{"do":"unlock","door":2}']
})

export const SendCallMessageRequest = Type.Object(
  {
    content: MessageContent,
    messageId: Type.Optional(
      MessageId('A random id, such as a UUID. A retry with the same id is not delivered a second time.')
    )
  },
  { $id: 'SendCallMessageRequest', ...Strict }
)
export type SendCallMessageRequest = Static<typeof SendCallMessageRequest>

export const SendCallMessageReply = Type.Object(
  {
    messageId: MessageId('The id from the request, or a new one.'),
    version: Type.Integer({
      minimum: 1,
      description: 'The version of the call. The other side receives all events of the call in this order.'
    }),
    sentAt: Timestamp('When the server accepted it.'),
    delivery: Delivery
  },
  { $id: 'SendCallMessageReply', ...Strict }
)
export type SendCallMessageReply = Static<typeof SendCallMessageReply>
