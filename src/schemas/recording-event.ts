// The event by which an operator's recorder learns of a room to record.
import { Type } from 'typebox'
import { Nullable, RoomId, SfuSessionId, Strict } from './common.js'
import { ActingDevice } from './room.js'
import { Event } from './stream.js'

export const RecordingRequested = Event(
  'call.recording_requested',
  'A room in mode `sfu` is to be recorded. Join it as a hidden participant, and leave when `room.updated` says `record: false` or the room closes.',
  Type.Object(
    {
      roomId: RoomId(),
      by: Nullable(ActingDevice, 'Who asked for it. Null: the room service.'),
      sessionId: Nullable(SfuSessionId(), 'The media session of the room. Null: none is open yet.'),
      mediaService: Nullable(
        Type.String({ description: 'Host and port of the media service.', examples: ['media-1:4443'] }),
        'Where the session is. It may move: then the room receives `sfu.reset`.'
      ),
      version: Type.Integer({ minimum: 1, description: 'The version of the room after this event.' })
    },
    { $id: 'RecordingRequestedData', ...Strict }
  )
)
