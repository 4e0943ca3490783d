// A participant that loses a grant to publish stops sending at once.
import { SignJWT } from 'jose'
import t from 'tap'
import type { RoomClaims } from '../../src/schemas/claims.js'
import {
  closeMedia,
  connect,
  meetOnMedia,
  passUntil,
  sessionIn,
  sessionOf,
  startMedia
} from '../helpers/media-fixture.js'
import type { Session } from '../helpers/media-sessions.js'
import { RoomService } from '../helpers/room-service.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { MediaClient } from '../helpers/sfu.js'
import type { TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'

const media = await startMedia(1, { timeoutMs: 400 })
const [service] = media.services
const SECRET = 'the-secret-of-the-room-service-is-long'
const rooms = await RoomService.start(SECRET)
t.teardown(async () => {
  await closeMedia(media)
  await rooms.close()
})

interface Sending {
  readonly host: MediaClient
  readonly sender: MediaClient
  readonly other: MediaClient
  readonly session: Session
}

/** The sender sends audio, video, the sound of a screen and data, and the other participant audio. */
async function send(scenario: Scenario, clients?: readonly TestClient[]): Promise<Sending> {
  await connect(scenario, media)
  const added = clients ?? (await Promise.all(['alice', 'bob', 'carol'].map((user, i) => add(scenario, user, i))))
  const joined = (await meetOnMedia(added)).map(each => new MediaClient(each, 'r1'))
  const [host, sender, other] = joined as [MediaClient, MediaClient, MediaClient]
  for (const each of joined) await scenario.advanceDuring(each.openTransports())
  for (const each of [
    () => sender.produce('microphone', 'audio'),
    () => sender.produce('camera'),
    () => sender.produce('music', 'audio', { source: 'screen' })
  ]) {
    t.equal((await each()).status, 201)
    for (const { who } of [host, other]) await who.expectEvent('sfu.producer_added')
  }
  await sender.produceData('pointer')
  for (const { who } of [host, other]) await who.expectEvent('sfu.data_producer_added')
  await other.produce('microphone', 'audio')
  for (const { who } of [host, sender]) await who.expectEvent('sfu.producer_added')
  if (!service) throw new Error('there is no service')
  return { host, sender, other, session: sessionIn(service, await sessionOf(host.who)) }
}

const add = (scenario: Scenario, user: string, i = 0) =>
  scenario.addClient(user, 'phone', { node: i % (scenario.lastNode + 1) })

/** What the service has of the participant, without transports. */
function sentIn(session: Session, { id }: MediaClient): string[] {
  const { resources } = session.participants.get(id) ?? { resources: null }
  return resources === null ? [] : [...resources.producers.keys(), ...resources['data-producers'].keys()].sort()
}

const setRole = (host: MediaClient, { id }: MediaClient, role: string) =>
  host.who.request('PATCH', `rooms/r1/participants/${id}`, { role })

const CLOSED = ['sfu.producer_closed', 'sfu.producer_closed', 'sfu.producer_closed', 'sfu.data_producer_closed']

/** The host too receives what was closed, although it made the change. */
async function expectClosed({ host, sender, other }: Sending): Promise<void> {
  await host.who.expectEvents(...CLOSED)
  for (const { who } of [sender, other]) await who.expectEvents('room.participant_updated', ...CLOSED)
}

flow(
  'when a sender becomes a listener, all that it sends is closed at once, in the room and on the service',
  async (t, scenario) => {
    const sending = await send(scenario)
    const { host, sender, other, session } = sending
    t.match(await setRole(host, sender, 'listener'), { status: 200, body: { participant: { role: 'listener' } } })
    await expectClosed(sending)
    t.strictSame(await other.sent(), ['microphone'], 'what the others send stays')
    t.match((await host.who.request('GET', 'rooms/r1')).body, {
      producers: { length: 1 },
      dataProducers: { length: 0 }
    })
    await until('the service has closed it', () => sentIn(session, sender).length === 0)
    t.strictSame(sentIn(session, other), ['microphone'])
    t.match(await sender.produce('camera'), { status: 403, body: { code: 'not_permitted' } })
    await setRole(host, sender, 'speaker')
    for (const { who } of [sender, other]) await who.expectEvent('room.participant_updated')
    t.equal((await sender.produce('camera')).status, 201, 'the transports are still there')
    for (const { who } of [host, other]) await who.expectEvent('sfu.producer_added')
  },
  { env: media.env }
)

flow(
  'a role with the grant to publish closes nothing',
  async (t, scenario) => {
    const { host, sender, other, session } = await send(scenario)
    await setRole(host, sender, 'moderator')
    for (const { who } of [sender, other]) await who.expectEvent('room.participant_updated')
    t.equal(sentIn(session, sender).length, 4)
    t.equal((await other.sent()).length, 4)
  },
  { env: media.env }
)

flow(
  'when the service fails to close what a listener sent, it is asked again, and until then the id is not used again',
  async (t, scenario) => {
    const sending = await send(scenario)
    const { host, sender, other, session } = sending
    const repair = service?.inject('close', 'error')
    await setRole(host, sender, 'listener')
    await expectClosed(sending)
    await until('the service was asked', () => service?.countOf('close'))
    await setRole(host, sender, 'speaker')
    for (const { who } of [sender, other]) await who.expectEvent('room.participant_updated')
    t.match(await sender.produce('camera'), { status: 503, body: { code: 'media_unavailable' } })
    repair?.()
    await passUntil(scenario, 'the service has closed it', () => sentIn(session, sender).length === 0)
    await until('the room uses the id again', async () => (await sender.produce('camera')).status === 201)
    for (const { who } of [host, other]) await who.expectEvent('sfu.producer_added')
    t.strictSame(sentIn(session, sender), ['camera'])
  },
  { env: media.env }
)

flow(
  'when the room service takes the grant for a source, what is sent of it is closed',
  async (t, scenario) => {
    const definition = { mode: 'sfu', roles: { [scenario.toWire('alice')]: 'host' }, defaultRole: 'speaker' }
    rooms.rooms.set(scenario.toWire('r1'), definition)
    const sending = await send(scenario)
    const { host, sender, other, session } = sending
    const grants = { [scenario.toWire('bob')]: ['join', 'signal', 'subscribe', 'publish:audio'] }
    const pushed = await fetch(`${scenario.urlOf(0)}/internal/rooms/${encodeURIComponent(scenario.toWire('r1'))}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...definition, grants })
    })
    t.equal(pushed.status, 204)
    const closed = ['sfu.producer_closed', 'sfu.producer_closed', 'sfu.data_producer_closed'] as const
    for (const { who } of [host, sender, other]) await who.expectEvents(...closed)
    t.strictSame(await other.sent(), ['microphone', 'microphone'])
    await until('the service has closed it', () => sentIn(session, sender).length === 1)
    t.match(await sender.produce('camera-2'), { status: 403, body: { code: 'not_permitted' } })
  },
  { env: { ...media.env, ROOM_SERVICE_URL: rooms.url, ROOM_SERVICE_SECRET: SECRET } }
)

const GRANTS = ['join', 'signal', 'subscribe', 'publish'] as const

/** Sends a request to the last node with a token that expires in as many hours. */
async function useToken(scenario: Scenario, hours: number, rooms: RoomClaims, node = scenario.lastNode): Promise<void> {
  const [secret = ''] = scenario.config.jwtSecret
  const claims = { sub: scenario.toWire('bob'), rooms, exp: Math.floor(Date.now() / 1000) + hours * 3600 }
  const token = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(secret))
  const headers = { authorization: `Bearer ${token}`, 'x-device-id': 'phone' }
  const reply = await fetch(`${scenario.urlOf(node)}/v1/snapshot`, { headers })
  t.equal(reply.status, 200)
}

flow(
  'when a token is renewed with fewer grants, what its device may not send any more is closed by the next request',
  async (t, scenario) => {
    const clients = [
      await add(scenario, 'alice'),
      await scenario.addClient('bob', 'phone', { node: scenario.lastNode, rooms: { r1: { grants: [...GRANTS] } } }),
      await add(scenario, 'carol')
    ]
    const { host, sender, other, session } = await send(scenario, clients)
    const room = scenario.toWire('r1')
    await useToken(scenario, 13, { [room]: { grants: [...GRANTS] } })
    await useToken(scenario, 11, { '*': { grants: ['join'] } })
    // The first node has not seen the other tokens.
    if (scenario.lastNode > 0) await useToken(scenario, 10, { '*': { grants: ['join'] } }, 0)
    await scenario.advance(1000)
    t.equal((await other.sent()).length, 4, 'a token that expires sooner changes nothing')
    await useToken(scenario, 14, { [room]: { grants: ['join', 'subscribe', 'publish:audio'] } })
    const closed = ['sfu.producer_closed', 'sfu.producer_closed', 'sfu.data_producer_closed'] as const
    for (const { who } of [host, sender, other]) await who.expectEvents(...closed)
    t.strictSame(await other.sent(), ['microphone', 'microphone'])
    await until('the service has closed it', () => sentIn(session, sender).length === 1)
    await useToken(scenario, 15, { another: { grants: ['join'] } })
    for (const { who } of [host, sender, other]) await who.expectEvent('sfu.producer_closed')
    await until('the service has closed it', () => sentIn(session, sender).length === 0)
    t.strictSame(sentIn(session, other), ['microphone'])
  },
  { env: media.env }
)
