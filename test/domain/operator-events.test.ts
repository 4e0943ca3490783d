// Which events go to webhooks, and what a change of a call is for the operator.
import t from 'tap'
import { operatorEventsOf } from '../../src/domain/call/operator-events.js'
import { operatorEventsOf as roomEventsOf } from '../../src/domain/room/operator-events.js'
import { roomEvent } from '../../src/domain/room/state.js'
import { CALL_EVENTS } from '../../src/schemas/event.js'
import { PRESENCE_EVENTS } from '../../src/schemas/presence-event.js'
import { ROOM_EVENTS } from '../../src/schemas/room-event.js'
import { SFU_EVENTS } from '../../src/schemas/sfu-event.js'
import { StreamEvent } from '../../src/schemas/stream.js'
import { KEPT_FROM_WEBHOOKS, WEBHOOK_TYPES } from '../../src/schemas/webhook.js'
import { accept, create, decide, hangup, laptop, phone, ringing, watch } from '../helpers/calls.js'

const typesOf = (schemas: readonly { properties: { type: { const: string } } }[]) =>
  schemas.map(({ properties }) => properties.type.const)

t.test('the table says of every event of clients whether webhooks carry it', async t => {
  const all = typesOf([...StreamEvent.anyOf, ...CALL_EVENTS, ...ROOM_EVENTS, ...SFU_EVENTS, ...PRESENCE_EVENTS])
  t.strictSame(Object.keys(KEPT_FROM_WEBHOOKS).sort(), [...all].sort())
  const carried = all.filter(type => KEPT_FROM_WEBHOOKS[type as keyof typeof KEPT_FROM_WEBHOOKS] === null)
  t.strictSame([...WEBHOOK_TYPES].sort(), [...carried, 'call.record', 'call.recording_requested', 'push'].sort())
  const never = [
    ...typesOf(StreamEvent.anyOf),
    ...all.filter(type => /^signal\.|consumer|typing|score|speaker/.test(type))
  ]
  t.strictSame(
    never.filter(type => WEBHOOK_TYPES.includes(type)),
    []
  )
})

t.test('a device that loses the accept is no end for the operator', async t => {
  const before = ringing()
  const { state, events } = decide(before, accept(laptop))
  t.ok(
    events.some(({ type }) => type === 'call.ended'),
    'the watch receives answered_elsewhere'
  )
  t.strictSame(
    operatorEventsOf({ before, state, events }, 0).map(({ type }) => type),
    ['call.accepted']
  )
  const ended = decide(state, hangup(watch))
  const last = operatorEventsOf({ before: state, state: ended.state, events: ended.events }, 0)
  t.strictSame(
    last.map(({ type }) => type),
    ['call.ended', 'call.record']
  )
  t.strictSame(
    operatorEventsOf({ before: ended.state, state: ended.state, events: [] }, 0),
    [],
    'a repeat has no record'
  )
})

t.test('a blocked call rings for no one', async t => {
  const { state, events } = decide(null, create({ isMuted: true }))
  t.strictSame(operatorEventsOf({ before: null, state, events }, 0), [])
})

t.test('events of a room that differ in their data are different events', async t => {
  const left = (participantId: string) => roomEvent('room.participant_left', { participantId, by: phone })
  const own = { ...left('p1'), to: phone }
  t.strictSame(
    roomEventsOf('r1', { events: [left('p1'), own, left('p2')] }).map(({ data }) => data),
    [
      { roomId: 'r1', participantId: 'p1', by: phone },
      { roomId: 'r1', participantId: 'p2', by: phone }
    ]
  )
})
