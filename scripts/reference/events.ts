// Makes docs/reference/events.md from the schemas of the events.
import { ENDS } from '../../src/ends.js'
import { CALL_EVENTS } from '../../src/schemas/event.js'
import { PRESENCE_EVENTS } from '../../src/schemas/presence-event.js'
import { ROOM_EVENTS } from '../../src/schemas/room-event.js'
import { SFU_EVENTS } from '../../src/schemas/sfu-event.js'
import { StreamEvent } from '../../src/schemas/stream.js'
import { type ClientEventType, KEPT_FROM_WEBHOOKS, OPERATOR_EVENTS } from '../../src/schemas/webhook.js'
import { generatedFrom, table } from './markdown.js'

type Schema = Readonly<Record<string, unknown>>
type EventSchema =
  | (typeof CALL_EVENTS)[number]
  | (typeof ROOM_EVENTS)[number]
  | (typeof SFU_EVENTS)[number]
  | (typeof PRESENCE_EVENTS)[number]
  | (typeof StreamEvent.anyOf)[number]
  | (typeof OPERATOR_EVENTS)[number]
type EventType = EventSchema['properties']['type']['const']

/** The devices that receive an event, which the schemas do not contain. The compiler requires a row for each event. */
const RECIPIENTS: Readonly<Record<EventType, string>> = {
  hello: 'this stream',
  'caught-up': 'this stream',
  reset: 'this device',
  heartbeat: 'this stream',
  reconnect: 'this stream',
  'auth.expiring': 'this stream',
  end: 'this stream',
  'call.incoming': 'every registered device of the callee; a device that registers while it rings, too',
  'call.ringing': 'the caller’s side; of a transfer, both sides',
  'call.callee_changed': 'the caller’s side',
  'call.accepted': 'the caller’s side',
  'call.connected': 'the other side, and the caller’s other devices',
  'call.transferring': 'the party that stays',
  'call.transfer_failed': 'both sides, except the device that took the transfer back',
  'call.transferred': 'the party that stays, which is the caller now',
  'call.held': 'the other side',
  'call.resumed': 'the other side',
  'call.media_changed': 'the other side',
  'call.message': 'the other device in the call; while it rings, every device that rings, or the caller’s device',
  'call.peer_away': 'the other side',
  'call.peer_back': 'the other side',
  'call.ended': 'both sides, except the device that ended the call',
  'signal.offer': 'the other device in the call, or the participant it is for',
  'signal.answer': 'the other device in the call, or the participant it is for',
  'signal.candidates':
    'the other device in the call, or the participant they are for; without `to`, every other participant',
  'room.joined': 'the other devices of the user who joined',
  'room.participant_joined': 'all other participants',
  'room.participant_updated': 'all participants, except the one that made the change',
  'room.participant_left':
    'all participants, except the one that caused it; also the device that was put out, replaced or lost',
  'room.mute_requested': 'the participant who is asked',
  'room.updated': 'all participants, except the one that made the change',
  'room.invitation': 'every registered device of the invitee; a device that registers while it rings, too',
  'room.invitation_ended': 'the invitee’s devices and the inviter’s device, except the one that ended it',
  'room.closed': 'all participants, except the one that closed it',
  'chat.message': 'all participants, except the sender',
  'chat.typing': 'all other participants that are connected now',
  'sfu.producer_added': 'all participants, except the one that sends it',
  'sfu.producer_paused': 'all participants, except the one that paused it',
  'sfu.producer_resumed': 'all participants, except the one that resumed it',
  'sfu.producer_closed': 'all participants, except the one that closed it',
  'sfu.data_producer_added': 'all participants, except the one that sends it',
  'sfu.data_producer_closed': 'all participants, except the one that closed it',
  'sfu.consumer_closed': 'the participant that has the consumer',
  'sfu.consumer_paused': 'the participant that has the consumer',
  'sfu.consumer_resumed': 'the participant that has the consumer',
  'sfu.consumer_layers_changed': 'the participant that has the consumer',
  'sfu.data_consumer_closed': 'the participant that has the data consumer',
  'sfu.transport_closed': 'the participant that has the transport',
  'sfu.reset': 'all participants',
  'sfu.unavailable': 'all participants',
  'sfu.available': 'all participants',
  'sfu.active_speaker': 'all participants that are connected now',
  'sfu.score': 'the participant that has the producer or consumer, if it is connected now',
  'presence.changed': 'every device that watches the user',
  'call.record': 'webhooks only',
  'call.recording_requested': 'webhooks only'
}

const SECTIONS: readonly [title: string, text: string, events: readonly EventSchema[]][] = [
  [
    'Stream',
    'A stream sends these about itself. Long-poll has no use for most of them: it returns `reset` only.',
    StreamEvent.anyOf
  ],
  [
    'Calls and signals',
    'The caller’s side is every device of the caller. The callee’s side is every device that rings, and once one has answered, that one alone. A signal goes to the one ' +
      'device in the call, or to the participant in a room that `to` names. See [call](../concepts/call.md) and [room](../concepts/room.md).',
    CALL_EVENTS
  ],
  ['Rooms and chat', 'See [room](../concepts/room.md).', ROOM_EVENTS],
  [
    'Media of a room',
    'Of rooms in mode `sfu`. See [SFU](../guides/sfu.md). When a participant leaves, `room.participant_left` says that its producers are closed too.',
    SFU_EVENTS
  ],
  ['Presence', 'Of users this device watches (`PUT /v1/presence/watch`).', PRESENCE_EVENTS],
  [
    'Webhooks only',
    'What the systems of the operator receive besides. See [webhooks](../guides/webhooks.md).',
    OPERATOR_EVENTS
  ]
]

export function eventsPage(): string {
  const sections = SECTIONS.map(
    ([title, text, events]) => `## ${title}\n\n${text}\n\n${events.map(eventSection).join('\n')}`
  )
  const shared = [...objects].map(([name, schema]) =>
    [`### ${name}`, sentence(schema.description), fieldsTable(schema), '']
      .filter((part, i) => i !== 1 || part)
      .join('\n\n')
  )
  return `${generatedFrom('src/schemas')}
# Events

Every event is \`{"type", "timestamp", "data"}\`, over every transport. A stream repeats the type on the \`event:\` line and puts the event's cursor on the \`id:\`
line; a long-poll puts it in the member \`id\`. The device whose request caused an event does not receive it: its reply says the same.

Ignore types and members that you do not know. The fields below are those of \`data\`.

${sections.join('\n')}
## Objects

${shared.join('\n')}`
}

interface EventJson {
  readonly description: string
  readonly properties: {
    readonly type: { readonly const: EventType }
    readonly timestamp: Schema
    readonly data: Schema & { readonly anyOf?: readonly Schema[] }
  }
}

function eventSection(schema: EventSchema): string {
  const event: EventJson = JSON.parse(JSON.stringify(schema))
  const { type, timestamp, data } = event.properties
  const variants = data.anyOf ?? [data]
  const parts = variants.map(variant => {
    const fields = fieldsTable(variant)
    const example = {
      type: type.const,
      timestamp: sample(timestamp),
      data: { ...Object(sample(variant)), ...EXAMPLES[type.const] }
    }
    return `${fields}\n\n\`\`\`json\n${layOut(example)}\n\`\`\`\n`
  })
  const text = `${sentence(event.description)} Sent to: ${RECIPIENTS[type.const]}.${webhookNote(type.const)}`
  if (type.const === 'end') parts.push(`${endsTable()}\n`)
  return `### ${type.const}\n\n${text}\n\n${parts.join('\n')}`
}

function webhookNote(type: EventType): string {
  if (!(type in KEPT_FROM_WEBHOOKS)) return ''
  const reason = KEPT_FROM_WEBHOOKS[type as ClientEventType]
  return reason === null ? ' Webhooks: yes.' : ` Webhooks: no, ${reason}.`
}

function endsTable(): string {
  const rows = Object.entries(ENDS).map(([reason, { reconnect, meaning }]) => [
    `\`${reason}\``,
    reconnect ? 'yes' : 'no',
    sentence(meaning)
  ])
  return table(['Reason', 'Reconnect', 'Meaning'], rows)
}

/** Named objects that a field refers to. Each gets a section of its own. */
const objects = new Map<string, Schema>()

function fieldsTable(schema: Schema): string {
  const { properties = {}, required = [] } = schema as { properties?: Record<string, Schema>; required?: string[] }
  const rows = Object.entries(properties).map(([name, field]) => [
    `\`${name}\`${required.includes(name) ? '' : ' (optional)'}`,
    typeOf(field),
    sentence(describe(field))
  ])
  return table(['Field', 'Type', 'Meaning'], rows)
}

function describe(field: Schema): unknown {
  const [only] = alternatives(field)
  return field.description ?? only?.description
}

/** The alternatives of a nullable field, without null. */
function alternatives({ anyOf }: Schema): readonly Schema[] {
  return ((anyOf ?? []) as readonly Schema[]).filter(({ type }) => type !== 'null')
}

function typeOf(field: Schema): string {
  if (field.anyOf !== undefined) return `${alternatives(field).map(typeOf).join(' or ')} or null`
  if (typeof field.$id === 'string' && field.type === 'object') {
    if (!objects.has(field.$id)) {
      objects.set(field.$id, field)
      fieldsTable(field)
    }
    return `[${field.$id}](#${field.$id.toLowerCase()})`
  }
  if (field.enum !== undefined) return (field.enum as string[]).map(value => `\`${value}\``).join(', ')
  if (field.const !== undefined) return `\`${field.const}\``
  if (field.type === 'array') return `array of ${typeOf(field.items as Schema)}`
  if (field.properties !== undefined)
    return `object: ${Object.keys(field.properties as object)
      .map(key => `\`${key}\``)
      .join(', ')}`
  return String(field.type)
}

function sentence(text: unknown): string {
  const words = String(text ?? '')
  return words === '' || /[.!?]$/.test(words) ? words : `${words}.`
}

const RINGING = {
  callId: '7d1f0c1e-57a8-4f0e-9c55-0d2f6a1b3c4d',
  version: 1,
  state: 'ringing',
  caller: { user: 'alice', device: 'phone' },
  callee: { user: 'bob', device: null },
  media: 'video',
  metadata: {},
  offerer: 'caller',
  createdAt: '2026-11-21T09:59:57.000Z',
  answeredAt: null,
  connectedAt: null,
  endedAt: null,
  reason: null,
  endedBy: null,
  expiresInMs: 25_000,
  setupMs: null,
  durationMs: null,
  held: { caller: false, callee: false },
  negotiation: { revision: 0, pendingFrom: null }
}
const BOB = { user: 'bob', device: 'laptop' }
const CONNECTING = {
  ...RINGING,
  version: 2,
  state: 'connecting',
  callee: BOB,
  answeredAt: '2026-11-21T10:00:00.000Z',
  expiresInMs: 30_000
}
const OFFERED = { ...CONNECTING, offerer: 'callee', negotiation: { revision: 1, pendingFrom: 'callee' } }
const CANCELLED = {
  ...RINGING,
  version: 2,
  state: 'ended',
  endedAt: '2026-11-21T10:00:00.000Z',
  reason: 'cancelled',
  endedBy: RINGING.caller,
  expiresInMs: null
}

/** Members of an example that must be consistent with each other. */
const EXAMPLES: Partial<Record<EventType, object>> = {
  'call.incoming': { media: 'video', call: RINGING },
  'call.ringing': { by: RINGING.callee },
  'call.callee_changed': { callee: { user: 'carol', device: null, state: 'ended', reason: 'declined' } },
  'call.accepted': { version: 2, by: BOB, call: OFFERED },
  'call.connected': { version: 5, by: BOB },
  'call.held': { version: 6, by: BOB, held: { caller: false, callee: true } },
  'call.resumed': { version: 7, by: BOB },
  'call.peer_away': { version: 6, device: BOB },
  'call.peer_back': { version: 7, device: BOB },
  'call.ended': { version: 2, reason: 'cancelled', endedBy: RINGING.caller, call: CANCELLED },
  'room.participant_updated': { by: null },
  'room.participant_left': { by: null },
  end: { reason: 'drain', reconnect: true }
}

/** Values for which the schemas have no example. */
const SAMPLES: Readonly<Record<string, unknown>> = {
  afterMs: 1200,
  content: 'Can everybody hear me?',
  durationMs: 61_000,
  expiresInMs: 25_000,
  heartbeatMs: 15_000,
  maxParticipants: 12,
  metadata: {},
  participantCount: 2,
  setupMs: 1598
}

function sample(schema: Schema, name = ''): unknown {
  if (schema.const !== undefined) return schema.const
  if (name in SAMPLES) return SAMPLES[name]
  if (schema.format === 'date-time') return '2026-11-21T10:00:00.000Z'
  if (Array.isArray(schema.examples)) return schema.examples[0]
  if (schema.anyOf !== undefined) {
    const [first] = alternatives(schema)
    return first === undefined ? null : sample(first, name)
  }
  if (Array.isArray(schema.enum)) return schema.enum[0]
  if (schema.type === 'array') return [sample(schema.items as Schema)]
  if (schema.type === 'boolean') return false
  if (schema.type === 'integer') return Math.max(1, Number(schema.minimum ?? 1))
  if (schema.type !== 'object') return ''
  const members = Object.entries((schema.properties ?? {}) as Record<string, Schema>)
  return Object.fromEntries(members.map(([key, member]) => [key, sample(member, key)]))
}

/** JSON with one line for each member of `data`. */
function layOut({ data, ...head }: { data: unknown }): string {
  const members = Object.entries(data as object).map(([key, value]) => `    "${key}": ${JSON.stringify(value)}`)
  const start = Object.entries(head).map(([key, value]) => `  "${key}": ${JSON.stringify(value)},\n`)
  return `{\n${start.join('')}  "data": {\n${members.join(',\n')}\n  }\n}`
}
