// Users whose calls and invitations a user does not receive.
import { type Static, Type } from 'typebox'
import { Strict, UserId } from './common.js'

export const BlocksReply = Type.Object(
  { blocks: Type.Array(UserId('A user you block.')) },
  { $id: 'BlocksReply', ...Strict }
)
export type BlocksReply = Static<typeof BlocksReply>
