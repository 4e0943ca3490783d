// Signals in a room: as in a call, with the participant they are for.
import { type Static, Type } from 'typebox'
import { ParticipantId, Strict } from './common.js'
import { AnswerRequest, CandidatesRequest, DescriptionQuery, OfferRequest } from './signal.js'

const To = ParticipantId('The participant it is for.')

export const RoomOfferRequest = Type.Object(
  { to: To, ...OfferRequest.properties },
  { $id: 'RoomOfferRequest', ...Strict }
)
export const RoomAnswerRequest = Type.Object(
  { to: To, ...AnswerRequest.properties },
  { $id: 'RoomAnswerRequest', ...Strict }
)
export type RoomDescriptionRequest = Omit<Static<typeof RoomOfferRequest>, 'type'>

export const RoomDescriptionQuery = Type.Object({
  to: Type.Optional(ParticipantId('The same as `to` of the body, for a body that is `application/sdp`.')),
  ...DescriptionQuery.properties
})

export const RoomCandidatesRequest = Type.Object(
  {
    to: Type.Optional(ParticipantId('The participant they are for. Leave it out to send to all others.')),
    ...CandidatesRequest.properties
  },
  { $id: 'RoomCandidatesRequest', ...Strict }
)
export type RoomCandidatesRequest = Static<typeof RoomCandidatesRequest>
