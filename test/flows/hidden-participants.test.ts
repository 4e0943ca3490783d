// A recorder of the operator: it is told of a room to record, joins as a hidden participant, receives, and is shown to no one.
import t from 'tap'
import { type JoinedClient, join } from '../helpers/rooms.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { MediaClient, meetInSfu, startMediaService } from '../helpers/sfu.js'
import { until } from '../helpers/until.js'
import { openReceiver } from '../helpers/webhooks.js'

const { service, env: media } = await startMediaService()
t.teardown(() => service.close())
const { receiver, env: webhooks } = await openReceiver()
const env = { ...media, ...webhooks }

const HIDDEN = { r1: { grants: ['join', 'subscribe', 'hidden'] as const } }
const claims = () => JSON.parse(JSON.stringify(HIDDEN)) as { r1: { grants: ('join' | 'subscribe' | 'hidden')[] } }

async function addRecorder(scenario: Scenario, user = 'recorder', room = 'r1'): Promise<JoinedClient> {
  const who = await scenario.addClient(user, 'recorder', { node: scenario.lastNode, rooms: claims() })
  return join(who, room)
}

const inRoom = async ({ who }: Pick<JoinedClient, 'who'>) => {
  const { body } = await who.request('GET', 'rooms/r1')
  const { room, participants } = body as { room: { participantCount: number }; participants: { user: string }[] }
  return { count: room.participantCount, users: participants.map(({ user }) => user) }
}

flow(
  'a recorder is asked for, receives the media, and no one learns of it',
  async (t, scenario) => {
    receiver.now = () => scenario.now()
    const [alice, bob] = await meetInSfu(scenario)
    await alice.produce('camera')
    await bob.who.expectEvent('sfu.producer_added')
    const { body } = await alice.who.request('PUT', 'rooms/r1', { record: true })
    t.match(body, { room: { record: true } })
    t.match(await bob.who.expectEvent('room.updated'), { changes: { record: true }, by: alice.who.endpoint })
    const asked = () =>
      receiver.events.filter(
        ({ event: { type, data } }) => type === 'call.recording_requested' && data.roomId === scenario.toWire('r1')
      )
    await until('the recorder is asked', () => asked().length > 0)
    const request = scenario.fromWire(asked()[0]?.event.data)
    t.match(request, { roomId: 'r1', by: alice.who.endpoint, sessionId: /./, mediaService: /./ })

    const recorder = new MediaClient(await addRecorder(scenario), 'r1')
    await recorder.post('transports', { transportId: 'receive' })
    t.match(await recorder.consume('c1', alice, 'camera'), { status: 201 })
    t.strictSame(await inRoom(alice), { count: 2, users: ['alice', 'bob'] })
    t.strictSame(await inRoom(recorder), { count: 2, users: ['alice', 'bob'] })
    await alice.who.post('rooms/r1/messages', { content: 'hello' })
    t.match(await recorder.who.expectEvent('chat.message'), { content: 'hello' })
    await bob.who.expectEvent('chat.message')
    await bob.who.request('DELETE', `rooms/r1/participants/${bob.id}`)
    for (const { who } of [alice, recorder]) await who.expectEvent('room.participant_left')
    await scenario.cluster.settle()
    t.equal((await recorder.request('POST', 'consumers/c1/resume')).status, 200, 'its media outlives those who leave')
    t.equal((await recorder.request('DELETE', 'transports/receive')).status, 204)
    t.equal((await recorder.who.request('DELETE', `rooms/r1/participants/${recorder.id}`)).status, 204)
    t.equal((await recorder.request('GET', 'producers')).status, 403)
    await scenario.cluster.settle()
    t.equal(asked().length, 1)
  },
  { env }
)

flow(
  'a hidden participant sends nothing, and cannot be signaled to or found',
  async (t, scenario) => {
    const [alice] = await meetInSfu(scenario)
    const recorder = new MediaClient(await addRecorder(scenario), 'r1')
    await recorder.post('transports', { transportId: 'send' })
    const refused = [
      recorder.produce('camera'),
      recorder.produceData('data'),
      recorder.who.request('POST', 'rooms/r1/messages', { content: 'x' }),
      recorder.who.request('POST', 'rooms/r1/typing', { typing: true }),
      recorder.who.request('POST', 'rooms/r1/invitations', { users: [scenario.toWire('eve')] }),
      recorder.who.request('POST', 'rooms/r1/candidates', { candidates: [], end: true, to: alice.id }),
      recorder.who.request('PUT', 'rooms/r1', { locked: true })
    ]
    for (const { status, body } of await Promise.all(refused))
      t.match({ status, body }, { status: 403, body: { code: 'not_permitted' } })
    const unknown = [
      alice.who.request('POST', 'rooms/r1/candidates', { candidates: [], end: true, to: recorder.id }),
      alice.who.request('PATCH', `rooms/r1/participants/${recorder.id}`, { role: 'listener' }),
      alice.who.request('DELETE', `rooms/r1/participants/${recorder.id}`)
    ]
    for (const { status, body } of await Promise.all(unknown))
      t.match({ status, body }, { status: 404, body: { code: 'participant_not_found' } })
    const presence = await alice.who.request('GET', `presence?user=${scenario.toPath('recorder')}`)
    t.match(presence.body, { presences: [{ state: 'offline', lastSeenAt: null }] }, 'no one shares a room with it')
  },
  { env: { ...env, PRESENCE_VISIBILITY: 'shared' } }
)

flow(
  'hidden participants are few, take no place of others, and a device is one kind of participant',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone')
    await alice.request('PUT', 'rooms/r1', { mode: 'sfu', maxParticipants: 2 })
    await join(alice, 'r1')
    const recorders: JoinedClient[] = []
    for (let i = 0; i < 4; i++) recorders.push(await addRecorder(scenario, `recorder${i}`))
    const fifth = await scenario.addClient('recorder5', 'recorder', { rooms: claims() })
    t.match(await fifth.request('POST', 'rooms/r1/participants'), { status: 409, body: { code: 'room_full' } })
    const bob = await scenario.addClient('bob', 'laptop')
    await join(bob, 'r1')
    for (const who of [alice, ...recorders.map(each => each.who)]) await who.expectEvent('room.participant_joined')
    t.strictSame(await inRoom({ who: alice }), { count: 2, users: ['alice', 'bob'] })
    const hiddenBob = await scenario.addClient('bob', 'laptop', { silent: true, rooms: claims() })
    t.match(await hiddenBob.request('POST', 'rooms/r1/participants'), { status: 403, body: { code: 'not_permitted' } })
    const none = await scenario.addClient('recorder6', 'recorder', { silent: true, rooms: { '*': claims().r1 } })
    t.match(await none.request('POST', 'rooms/r9/participants'), { status: 404, body: { code: 'room_not_found' } })
  },
  { env }
)

flow(
  'a ban, a close and an empty room put hidden participants out',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    const seen = await scenario.addClient('recorder', 'phone')
    const { id } = await join(seen, 'r1')
    const recorder = await addRecorder(scenario)
    await alice.who.expectEvent('room.participant_joined')
    t.equal((await alice.who.request('DELETE', `rooms/r1/participants/${id}?ban=true`)).status, 204)
    t.match(await seen.expectEvent('room.participant_left'), { participantId: id })
    t.match(await recorder.who.expectEvent('room.participant_left'), { participantId: recorder.id, reason: 'removed' })
    t.match(await recorder.who.request('POST', 'rooms/r1/participants'), { status: 403, body: { code: 'banned' } })

    await bob.who.expectEvents('room.participant_joined', 'room.participant_left')
    const other = await addRecorder(scenario, 'other')
    t.equal((await alice.who.request('DELETE', 'rooms/r1')).status, 204)
    for (const { who } of [other, bob]) t.match(await who.expectEvent('room.closed'), { reason: 'closed' })
    t.match(await other.who.request('POST', 'rooms/r1/participants'), { status: 409, body: { code: 'room_closed' } })
  },
  { env }
)

flow(
  'a room with a hidden participant only closes, and one whose device is lost leaves',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    const recorder = await addRecorder(scenario)
    const lost = await addRecorder(scenario, 'lost')
    await lost.who.closeStream()
    await scenario.advance(scenario.config.awayAfterMs + scenario.config.roomReconnectMs + 2000)
    await lost.who.openStream()
    t.match(await lost.who.expectEvent('room.participant_left'), { participantId: lost.id, reason: 'lost' })
    for (const each of [alice, bob]) await each.who.request('DELETE', `rooms/r1/participants/${each.id}`)
    await bob.who.expectEvent('room.participant_left')
    await recorder.who.expectEvents('room.participant_left', 'room.participant_left')
    await scenario.advance(scenario.config.roomLingerMs + 2000)
    t.match(await recorder.who.expectEvent('room.closed'), { reason: 'empty' })
  },
  { env }
)
