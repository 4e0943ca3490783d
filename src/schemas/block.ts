// Users whose calls and invitations a user does not receive.
import { type Static, Type } from 'typebox'
import { Strict, UserId } from './common.js'

export const BlocksResponse = Type.Object(
  { blocks: Type.Array(UserId('A user you block.')) },
  { $id: 'BlocksResponse', ...Strict }
)
export type BlocksResponse = Static<typeof BlocksResponse>
