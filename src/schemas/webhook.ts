// The events that webhooks carry: what the operator's systems learn of calls, rooms and presence. The envelope is that of a stream.
import { CALL_EVENTS } from './event.js'
import { PRESENCE_EVENTS } from './presence-event.js'
import { ROOM_EVENTS } from './room-event.js'
import { SFU_EVENTS } from './sfu-event.js'

/** Sent to one device only, or of the moment. Signals have network addresses, which no service of the operator needs. */
const NOT_SENT: readonly string[] = [
  'signal.offer',
  'signal.answer',
  'signal.candidates',
  'room.joined',
  'room.mute_requested',
  'chat.typing',
  'sfu.consumer_closed',
  'sfu.consumer_paused',
  'sfu.consumer_resumed',
  'sfu.consumer_layers_changed',
  'sfu.data_consumer_closed',
  'sfu.transport_closed',
  'sfu.active_speaker',
  'sfu.score'
]

/** Those events of streams that are sent to webhooks, too. */
export const WEBHOOK_EVENTS = [...CALL_EVENTS, ...ROOM_EVENTS, ...SFU_EVENTS, ...PRESENCE_EVENTS].filter(
  ({ properties }) => !NOT_SENT.includes(properties.type.const)
)

/** Every type that a webhook may have. The last three exist for webhooks only. */
export const WEBHOOK_TYPES: readonly string[] = [
  ...WEBHOOK_EVENTS.map(({ properties }) => properties.type.const),
  'call.record',
  'call.recording_requested',
  'push'
]
