// The events that webhooks carry: what the operator's systems learn of calls, rooms and presence. The envelope is that of a stream.
import { CallRecord } from './call-record.js'
import { CALL_EVENTS } from './event.js'
import { PRESENCE_EVENTS } from './presence-event.js'
import { RecordingRequested } from './recording-event.js'
import { ROOM_EVENTS } from './room-event.js'
import { SFU_EVENTS } from './sfu-event.js'
import { Event, StreamEvent } from './stream.js'

const CLIENT_EVENTS = [...StreamEvent.anyOf, ...CALL_EVENTS, ...ROOM_EVENTS, ...SFU_EVENTS, ...PRESENCE_EVENTS] as const
export type ClientEventType = (typeof CLIENT_EVENTS)[number]['properties']['type']['const']

const OF_STREAM = 'about the stream that sends it'
const OF_DEVICE = 'for one device'
const OF_MOMENT = 'of the moment'
const HAS_ADDRESSES = 'has network addresses'

/** Whether webhooks carry an event that clients receive: null, or why they do not. The compiler requires a row for each type. */
export const KEPT_FROM_WEBHOOKS: Readonly<Record<ClientEventType, string | null>> = {
  hello: OF_STREAM,
  'caught-up': OF_STREAM,
  reset: OF_STREAM,
  heartbeat: OF_STREAM,
  reconnect: OF_STREAM,
  'auth.expiring': OF_STREAM,
  end: OF_STREAM,
  'call.incoming': null,
  'call.ringing': null,
  'call.callee_changed': null,
  'call.accepted': null,
  'call.connected': null,
  'call.transferring': null,
  'call.transfer_failed': null,
  'call.transferred': null,
  'call.held': null,
  'call.resumed': null,
  'call.media_changed': null,
  'call.message': null,
  'call.peer_away': null,
  'call.peer_back': null,
  'call.ended': null,
  'signal.offer': HAS_ADDRESSES,
  'signal.answer': HAS_ADDRESSES,
  'signal.candidates': HAS_ADDRESSES,
  'room.joined': 'the same as `room.participant_joined`',
  'room.participant_joined': null,
  'room.participant_updated': null,
  'room.participant_left': null,
  'room.mute_requested': null,
  'room.updated': null,
  'room.invitation': null,
  'room.invitation_ended': null,
  'room.closed': null,
  'chat.message': null,
  'chat.typing': OF_MOMENT,
  'sfu.producer_added': null,
  'sfu.producer_paused': null,
  'sfu.producer_resumed': null,
  'sfu.producer_closed': null,
  'sfu.data_producer_added': null,
  'sfu.data_producer_closed': null,
  'sfu.consumer_closed': OF_DEVICE,
  'sfu.consumer_paused': OF_DEVICE,
  'sfu.consumer_resumed': OF_DEVICE,
  'sfu.consumer_layers_changed': OF_DEVICE,
  'sfu.data_consumer_closed': OF_DEVICE,
  'sfu.transport_closed': OF_DEVICE,
  'sfu.reset': null,
  'sfu.unavailable': null,
  'sfu.available': null,
  'sfu.active_speaker': OF_MOMENT,
  'sfu.score': OF_MOMENT,
  'presence.changed': null
}

/** Those events of clients that are sent to webhooks, too. */
export const WEBHOOK_EVENTS = CLIENT_EVENTS.filter(
  ({ properties }) => KEPT_FROM_WEBHOOKS[properties.type.const] === null
)

/** Events that exist for webhooks only. */
export const OPERATOR_EVENTS = [
  Event('call.record', 'A call has ended. Follows `call.ended`, once for each call.', CallRecord),
  RecordingRequested
] as const

/** Every type that a webhook may have. */
export const WEBHOOK_TYPES: readonly string[] = [
  ...[...WEBHOOK_EVENTS, ...OPERATOR_EVENTS].map(({ properties }) => properties.type.const),
  'push'
]
