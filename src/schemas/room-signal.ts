// Signals in a room: as in a call, with the participant they are for.
import { type Static, Type } from 'typebox'
import { ParticipantId, Strict } from './common.js'
import { AnswerBody, CandidatesBody, OfferBody } from './signal.js'

const To = ParticipantId('The participant it is for.')

export const RoomOfferBody = Type.Object({ to: To, ...OfferBody.properties }, { $id: 'RoomOfferBody', ...Strict })
export const RoomAnswerBody = Type.Object({ to: To, ...AnswerBody.properties }, { $id: 'RoomAnswerBody', ...Strict })
export type RoomDescriptionBody = Static<typeof RoomOfferBody>

export const RoomCandidatesBody = Type.Object(
  {
    to: Type.Optional(ParticipantId('The participant they are for. Leave it out to send to all others.')),
    ...CandidatesBody.properties
  },
  { $id: 'RoomCandidatesBody', ...Strict }
)
export type RoomCandidatesBody = Static<typeof RoomCandidatesBody>
