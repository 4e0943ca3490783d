// The rules of producers and consumers, as tables.
import t from 'tap'
import { PART, type RoomDecision, type RoomParts } from '../../../src/domain/room/state.js'
import { decideClose, decideUndo } from '../../../src/domain/sfu/closing.js'
import { requireConsumable, requireConsumableData } from '../../../src/domain/sfu/consumers.js'
import { decidePause, decideProduce, decideProduceData, sourceOf } from '../../../src/domain/sfu/producers.js'
import { applyMediaEvents } from '../../../src/domain/sfu/service-events.js'
import { askedStateOf, viewRoomMedia } from '../../../src/domain/sfu/state.js'
import { beginPause, finishSettling, pausingOf, type UnsettledMedia } from '../../../src/domain/sfu/unsettled.js'
import { AppError } from '../../../src/errors.js'
import type { Actor, Grant } from '../../../src/schemas/claims.js'
import type { ProducerSource } from '../../../src/schemas/sfu.js'
import { actorOf, RoomFixture } from '../../helpers/room-fixture.js'

/** The types of the events, `quiet` without any, or the code of the error. */
const outcomeOf = (outcome: RoomDecision | AppError): string =>
  outcome instanceof AppError ? outcome.code : outcome.events.map(({ type }) => type).join(' ') || 'quiet'

const SESSION = 's1'
const alice = actorOf('alice')
const bob = actorOf('bob')
const eve = actorOf('eve')

/** Alice is the host, bob a speaker; both are in a room in mode sfu whose session is open. */
function sfuRoom(): RoomFixture {
  const room = new RoomFixture()
  room.configure(alice, { mode: 'sfu' })
  for (const actor of [alice, bob]) room.join(actor)
  const session = { state: 'open', sessionId: SESSION, service: 'h:1', instance: 'i' }
  room.attempt(() => ({ writes: { [PART.sfu]: session }, events: [] }))
  return room
}

const idOf = (room: RoomFixture, actor: Actor) => String(room.participant(actor)?.participantId)

interface Sent {
  readonly actor?: Actor
  readonly sessionId?: string
  readonly source?: ProducerSource
  readonly transportId?: string
}

function produce(room: RoomFixture, producerId: string, { actor = alice, sessionId = SESSION, ...more }: Sent = {}) {
  const { source = 'video', transportId = 'send' } = more
  const kind = source === 'audio' ? 'audio' : 'video'
  const producer = { producerId, transportId, kind, source, type: 'simple', paused: false, appData: {} } as const
  return outcomeOf(room.attempt(parts => decideProduce(parts, { actor, sessionId, producer }, room.now)))
}

function produceData(room: RoomFixture, dataProducerId: string, { actor = alice, transportId = 'send' }: Sent = {}) {
  const dataProducer = { dataProducerId, transportId, label: 'x', protocol: '', appData: {} }
  const command = { actor, sessionId: SESSION, dataProducer }
  return outcomeOf(room.attempt(parts => decideProduceData(parts, command, room.now)))
}

function pause(room: RoomFixture, actor: Actor, owner: Actor, paused = true) {
  const command = { actor, sessionId: SESSION, participantId: idOf(room, owner), producerId: 'p', paused }
  return outcomeOf(room.attempt(parts => decidePause(parts, command, room.now)))
}

const sentIn = (room: RoomFixture) => {
  const { producers, dataProducers } = viewRoomMedia(room.parts, room.participants())
  return [
    ...producers.map(({ producerId }) => producerId),
    ...dataProducers.map(({ dataProducerId }) => dataProducerId)
  ]
}

const claimed = (...grants: Grant[]) => actorOf('bob', 'phone', { grants: ['join', ...grants] })

t.test('a grant for one source lets its user send and receive this source only', async t => {
  const sources = ['audio', 'video', 'screen'] as const
  const table: Readonly<Record<string, readonly ProducerSource[]>> = {
    publish: sources,
    'publish:audio': ['audio'],
    'publish:video': ['video'],
    'publish:screen': ['screen'],
    subscribe: [],
    moderate: [],
    manage: []
  }
  for (const [grant, allowed] of Object.entries(table)) {
    const room = sfuRoom()
    const actor = claimed(grant as Grant)
    const outcomes = sources.filter(source => produce(room, source, { actor, source }) !== 'not_permitted')
    t.strictSame(outcomes, allowed, grant)
    t.equal(produceData(room, 'd', { actor }) !== 'not_permitted', grant === 'publish', `data with ${grant}`)
  }
  for (const grant of ['subscribe', 'subscribe:audio', 'subscribe:video', 'subscribe:screen', 'publish'] as const) {
    const room = sfuRoom()
    for (const source of sources) produce(room, source, { source })
    produceData(room, 'd')
    const sender = { actor: claimed(grant), sessionId: SESSION, participantId: idOf(room, alice) }
    const received = sources.filter(producerId => {
      const check = () => requireConsumable(room.parts, { ...sender, producerId }, room.now)
      return codeOf(check) === null
    })
    const own = grant.split(':')[1]
    t.strictSame(received, grant === 'subscribe' ? sources : sources.filter(source => source === own), grant)
    const data = codeOf(() => requireConsumableData(room.parts, { ...sender, dataProducerId: 'd' }, room.now))
    t.equal(data, grant === 'subscribe' ? null : 'not_permitted', `data with ${grant}`)
  }
})

function codeOf(run: () => void): string | null {
  try {
    run()
    return null
  } catch (error) {
    return error instanceof AppError ? error.code : String(error)
  }
}

t.test('roles: a listener receives and does not send', async t => {
  const room = sfuRoom()
  const listener = actorOf('carol', 'phone', { role: 'listener' })
  room.join(listener)
  produce(room, 'p')
  t.equal(produce(room, 'x', { actor: listener }), 'not_permitted')
  const command = { actor: listener, sessionId: SESSION, participantId: idOf(room, alice), producerId: 'p' }
  t.equal(
    codeOf(() => requireConsumable(room.parts, command, room.now)),
    null
  )
})

t.test('the source is the kind by default, and a screen may have sound', async t => {
  t.equal(sourceOf({ kind: 'audio' }), 'audio')
  t.equal(sourceOf({ kind: 'audio', source: 'screen' }), 'screen')
  t.equal(sourceOf({ kind: 'video', source: 'screen' }), 'screen')
  for (const [kind, source] of [
    ['audio', 'video'],
    ['video', 'audio']
  ] as const)
    t.equal(
      codeOf(() => void sourceOf({ kind, source })),
      'invalid_request'
    )
})

t.test('a producer is added once, in the session that the request was made in', async t => {
  const room = sfuRoom()
  t.equal(produce(room, 'p'), 'sfu.producer_added')
  t.equal(produce(room, 'p'), 'quiet')
  t.equal(produce(room, 'p', { source: 'screen' }), 'media_conflict')
  t.equal(produce(room, 'p', { transportId: 'other' }), 'media_conflict')
  t.equal(produce(room, 'p', { actor: bob }), 'sfu.producer_added', 'ids are those of one participant')
  t.equal(produce(room, 'q', { sessionId: 'older' }), 'media_unavailable')
  t.equal(produce(room, 'q', { actor: eve }), 'room_not_found')
  for (let i = 0; i < 15; i++) produce(room, `p${i}`)
  t.equal(produce(room, 'q'), 'too_many_media')
  t.equal(produce(room, 'p'), 'quiet', 'a repeat takes no place')
  for (let i = 0; i < 16; i++) produceData(room, `d${i}`)
  t.equal(produceData(room, 'd16'), 'too_many_media')
  t.equal(produceData(room, 'd0', { transportId: 'other' }), 'media_conflict')
  room.remove(alice, alice)
  t.strictSame(sentIn(room), ['p'], 'what bob sends')
})

t.test('after a reset of the session nothing is sent', async t => {
  const room = sfuRoom()
  produce(room, 'p')
  const next = { state: 'opening', sessionId: 's2', service: 'h:1', instance: 'i', openingBy: null, openingUntil: 0 }
  room.attempt(() => ({ writes: { [PART.sfu]: next }, events: [] }))
  t.strictSame(sentIn(room), [])
  t.equal(produce(room, 'p', { sessionId: 's2' }), 'sfu.producer_added', 'the same id is free again')
})

t.test('who may pause and resume', async t => {
  const table: readonly [Actor, Actor, boolean, string][] = [
    [bob, bob, true, 'sfu.producer_paused'],
    [bob, bob, false, 'sfu.producer_resumed'],
    [alice, bob, true, 'sfu.producer_paused'],
    [alice, bob, false, 'not_permitted'],
    [claimed(), bob, true, 'quiet'],
    [claimed(), bob, false, 'not_permitted'],
    [claimed('publish:audio'), bob, false, 'not_permitted'],
    [claimed('publish:video'), bob, false, 'sfu.producer_resumed'],
    [bob, alice, true, 'not_permitted'],
    [eve, bob, true, 'room_not_found']
  ]
  const room = sfuRoom()
  produce(room, 'p', { actor: bob })
  for (const [actor, owner, paused, expected] of table)
    t.equal(
      pause(room, actor, owner, paused),
      expected,
      `${actor.user} ${owner.user} ${paused} ${JSON.stringify(actor.rooms)}`
    )
  room.remove(alice, bob)
  t.equal(pause(room, alice, bob), 'participant_not_found')
})

t.test('a pause is unsettled until the media service has what the room says', async t => {
  const room = sfuRoom()
  produce(room, 'p', { actor: bob })
  const sender = { sessionId: SESSION, participantId: idOf(room, bob) }
  const command = { ...sender, actor: bob, producerId: 'p', paused: true }
  const begin = () => room.attempt(parts => beginPause(parts, command))
  const unsettled = () => room.parts.get<UnsettledMedia>(PART.unsettledMediaOf(bob))
  const settle = (settled: UnsettledMedia) => room.attempt(parts => finishSettling(parts, settled))
  begin()
  begin()
  t.strictSame(unsettled()?.pausing, ['p'])
  const asked = () => askedStateOf(room.parts, sender, 'p')
  const before = asked()
  settle({ ...pausingOf(sender, 'p'), sessionId: 'older' })
  t.strictSame(unsettled()?.pausing, ['p'], 'another session')
  settle(pausingOf(sender, 'q'))
  t.strictSame(unsettled()?.pausing, ['p'], 'another producer')
  settle(pausingOf(sender, 'p'))
  t.equal(unsettled(), null)
  t.not(asked(), before, 'a request that has asked asks again')
  begin()
  room.remove(alice, bob)
  t.equal(unsettled(), null)
})

t.test('closing closes what was named, and what does not exist is closed already', async t => {
  const room = sfuRoom()
  for (const [id, transportId] of [
    ['a', 't1'],
    ['b', 't2'],
    ['c', 't1']
  ] as const)
    produce(room, id, { transportId })
  produceData(room, 'd', { transportId: 't1' })
  const close = (actor: Actor, isClosed: Parameters<typeof decideClose>[1]['isClosed']) => {
    const command = { actor, sessionId: SESSION, participantId: idOf(room, alice), isClosed }
    return outcomeOf(room.attempt(parts => decideClose(parts, command, room.now)))
  }
  t.equal(
    close(bob, () => true),
    'not_permitted'
  )
  const all = 'sfu.producer_closed sfu.producer_closed sfu.data_producer_closed'
  t.equal(
    close(alice, ({ transportId }) => transportId === 't1'),
    all
  )
  t.equal(
    close(alice, ({ transportId }) => transportId === 't1'),
    'quiet'
  )
  t.strictSame(sentIn(room), ['b'])
})

t.test('whatever may have closed something is seen by a request that is creating it', async t => {
  const room = sfuRoom()
  produce(room, 'a')
  const sender = { sessionId: SESSION, participantId: idOf(room, alice) }
  const asked = () => askedStateOf(room.parts, sender)
  const command = { actor: alice, ...sender, isClosed: () => false }
  const event = { participantId: sender.participantId }
  const changes: readonly [string, boolean, (parts: RoomParts) => RoomDecision][] = [
    ['another is closed', true, parts => decideClose(parts, command, room.now)],
    [
      'the service has closed one that the room does not have',
      true,
      parts => applyMediaEvents(parts, SESSION, [{ type: 'producer_closed', producerId: 'x', ...event }])
    ],
    [
      'the service has closed a transport',
      true,
      parts =>
        applyMediaEvents(parts, SESSION, [
          { type: 'transport_closed', transportId: 'x', reason: 'ice_failed', ...event }
        ])
    ],
    ['another commit was refused', true, parts => decideUndo(parts, { ...sender, created: { producers: ['x'] } })],
    [
      'what another request has created is kept',
      false,
      parts => decideUndo(parts, { ...sender, created: { producers: ['a'] } })
    ],
    [
      'a producer is paused',
      false,
      parts => decidePause(parts, { ...command, producerId: 'a', paused: true }, room.now)
    ]
  ]
  for (const [what, isSeen, decide] of changes) {
    const before = asked()
    room.attempt(decide)
    t.equal(asked() !== before, isSeen, what)
  }
})

t.test('events of the media service change what is sent, and reach the owner of consumers', async t => {
  const room = sfuRoom()
  for (const id of ['a', 'b', 'c']) produce(room, id, { transportId: id === 'c' ? 't2' : 't1' })
  produceData(room, 'd', { transportId: 't2' })
  const [participantId, bobs] = [idOf(room, alice), idOf(room, bob)]
  const apply = (...events: Parameters<typeof applyMediaEvents>[2]) =>
    outcomeOf(room.attempt(parts => applyMediaEvents(parts, SESSION, events)))
  t.equal(apply({ type: 'producer_paused', participantId, producerId: 'a' }), 'sfu.producer_paused')
  t.equal(apply({ type: 'producer_paused', participantId, producerId: 'a' }), 'quiet', 'it is paused already')
  const closed = { type: 'producer_closed', participantId, producerId: 'a' } as const
  t.equal(apply(closed, closed, { ...closed, producerId: 'b' }), 'sfu.producer_closed sfu.producer_closed')
  t.equal(
    apply({ type: 'transport_closed', participantId, transportId: 't2', reason: 'ice_failed' }),
    'sfu.producer_closed sfu.data_producer_closed sfu.transport_closed'
  )
  t.strictSame(sentIn(room), [])
  const consumer = { participantId: bobs, consumerId: 'x' }
  const events = [
    { type: 'consumer_closed', ...consumer },
    { type: 'consumer_paused', ...consumer },
    { type: 'consumer_resumed', ...consumer },
    { type: 'consumer_layers_changed', ...consumer, layers: { spatialLayer: 1, temporalLayer: 0, future: 1 } },
    { type: 'consumer_layers_changed', ...consumer, layers: null },
    { type: 'data_consumer_closed', participantId: bobs, dataConsumerId: 'y' }
  ] as const
  room.received.clear()
  apply(...events)
  t.strictSame([...room.received.keys()], ['bob/phone'])
  t.strictSame(
    room.received.get('bob/phone')?.map(({ type }) => type),
    events.map(({ type }) => `sfu.${type}`)
  )
  t.equal(apply({ type: 'consumer_closed', participantId: 'gone', consumerId: 'x' }), 'quiet')
})
