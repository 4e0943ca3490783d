// Signals in a room: as in a call, and to whom.
import { type Static, Type } from 'typebox'
import { Strict } from './common.js'
import { ParticipantId } from './room.js'
import { AnswerBody, CandidatesBody, OfferBody } from './signal.js'

const To = Type.Unsafe<string>({ ...ParticipantId, description: 'The participant it is for' })

export const RoomOfferBody = Type.Object({ to: To, ...OfferBody.properties }, { $id: 'RoomOfferBody', ...Strict })
export const RoomAnswerBody = Type.Object({ to: To, ...AnswerBody.properties }, { $id: 'RoomAnswerBody', ...Strict })
export type RoomDescriptionBody = Static<typeof RoomOfferBody>

export const RoomCandidatesBody = Type.Object(
  {
    to: Type.Optional(
      Type.Unsafe<string>({ ...ParticipantId, description: 'The participant they are for; without it, all others' })
    ),
    ...CandidatesBody.properties
  },
  { $id: 'RoomCandidatesBody', ...Strict }
)
export type RoomCandidatesBody = Static<typeof RoomCandidatesBody>
