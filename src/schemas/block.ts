// Whom a user does not want to hear from.
import { type Static, Type } from 'typebox'
import { Id, Strict } from './common.js'

export const BlocksReply = Type.Object(
  { blocks: Type.Array(Id('A user you block', 'mallory')) },
  { $id: 'BlocksReply', examples: [{ blocks: ['mallory'] }], ...Strict }
)
export type BlocksReply = Static<typeof BlocksReply>
