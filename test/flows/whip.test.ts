// WHIP publishers and WHEP viewers in a room, with a media service that has no media.
import { parse } from 'sdp-transform'
import t, { type Test } from 'tap'
import { PUBLISHING_OFFERS, VIEWING_OFFERS } from '../corpus/whip/all.js'
import { TestMediaService } from '../helpers/media-service.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'
import { FRAGMENT, SDP, WhipClient, type WhipReply } from '../helpers/whip-client.js'

const SECRET = 'the-secret-of-the-media-service-32-bytes'
const service = await TestMediaService.start(SECRET)
t.teardown(() => service.close())
const env = {
  MEDIA_SERVICE_URLS: service.url,
  MEDIA_SERVICE_SECRET: SECRET,
  STUN_URLS: 'stun:stun.example.com:3478',
  TURN_URLS: 'turn:turn.example.com:3478?transport=udp',
  TURN_SECRETS: 'a-secret-shared-with-the-turn-servers'
}

const offerOf = (name: string): string =>
  [...PUBLISHING_OFFERS, ...VIEWING_OFFERS].find(offer => offer.name === name)?.sdp ?? ''
const PUBLISH = PUBLISHING_OFFERS[0]?.sdp ?? ''
const VIEW = VIEWING_OFFERS[0]?.sdp ?? ''

interface Fixture {
  readonly alice: TestClient
  /** Requests of bob, whose own device is not in the room. */
  readonly bob: WhipClient
  readonly whip: string
  readonly whep: string
  request(user: string): Promise<WhipClient>
}

/** alice's room in mode sfu. She receives events only if she is not `silent`. */
async function open(scenario: Scenario, { silent = true } = {}): Promise<Fixture> {
  service.signalpost = [scenario.urlOf(0), scenario.urlOf(scenario.lastNode)]
  const alice = await scenario.addClient('alice', 'phone', { silent })
  await alice.request('PUT', 'rooms/r1', { mode: 'sfu' })
  await alice.post('rooms/r1/participants')
  const request = async (user: string) => {
    const client = await scenario.addClient(user, 'encoder', { silent: true })
    return new WhipClient(scenario.urlOf(scenario.lastNode), client)
  }
  const room = `/v1/rooms/${scenario.toPath('r1')}`
  return { alice, bob: await request('bob'), whip: `${room}/whip`, whep: `${room}/whep`, request }
}

const sessionOf = ({ headers }: WhipReply): string => headers.get('location') ?? ''

function checkCreated(t: Test, reply: WhipReply, path: string): void {
  t.equal(reply.status, 201, reply.text)
  t.equal(reply.headers.get('content-type'), SDP)
  t.match(sessionOf(reply), new RegExp(`^${path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}/[\\w-]+$`))
  t.match(reply.headers.get('etag'), /^"[\w-]+\.[\w-]+"$/)
  t.match(
    reply.headers.get('link'),
    /^<stun:stun\.example\.com:3478>; rel="ice-server", <turn:turn\.example\.com:3478\?transport=udp>; rel="ice-server"; username="\d+:.+"; credential=".+"; credential-type="password"$/
  )
}

async function participants(alice: TestClient): Promise<Record<string, unknown>[]> {
  const { body } = await alice.request('GET', 'rooms/r1')
  return body.participants as Record<string, unknown>[]
}

flow(
  'a publisher by WHIP is a participant with producers, and leaves by DELETE',
  async (t, scenario) => {
    const { alice, bob, whip } = await open(scenario, { silent: false })
    const reply = await bob.offer(whip, PUBLISH)
    checkCreated(t, reply, whip)
    t.strictSame(
      parse(reply.text).media.map(({ type, direction, payloads }) => [type, direction, String(payloads)]),
      [
        ['audio', 'recvonly', '111'],
        ['video', 'recvonly', '96']
      ]
    )
    const joined = await alice.expectEvent('room.participant_joined')
    t.match(joined, { participant: { user: 'bob', device: /^whip-/, via: 'whip', role: 'speaker', away: false } })
    for (const kind of ['audio', 'video']) {
      t.match(await alice.expectEvent('sfu.producer_added'), { producer: { kind, source: kind, paused: false } })
    }
    t.match(await alice.request('GET', 'rooms/r1/sfu/producers'), {
      body: { producers: [{ kind: 'audio' }, { kind: 'video' }] }
    })
    await scenario.advance(120_000)
    t.equal((await participants(alice)).length, 2, 'it has no connection, and stays')

    t.equal((await bob.end(sessionOf(reply))).status, 200)
    t.match(await alice.expectEvent('room.participant_left'), { reason: 'left' })
    t.match(await bob.end(sessionOf(reply)), { status: 404, code: 'room_not_found' })
    const [session] = service.sessionsOf(scenario.toWire('r1'))
    await until('its media is closed', () => session?.participants.size === 0)
  },
  { env }
)

flow(
  'a viewer by WHEP receives what is published',
  async (t, scenario) => {
    const { alice, bob, whip, whep, request } = await open(scenario)
    const before = service.requests.length
    const carol = await request('carol')
    const early = await carol.offer(whep, VIEW)
    t.match(early, { status: 409, code: 'nothing_published' })
    t.equal(early.headers.get('retry-after'), '2')
    t.equal((await participants(alice)).length, 1, 'nothing is left of the attempt')

    const publisher = await bob.offer(whip, PUBLISH)
    const reply = await carol.offer(whep, VIEW)
    checkCreated(t, reply, whep)
    const { media } = parse(reply.text)
    t.strictSame(
      media.map(({ type, direction, payloads, ssrcs }) => [type, direction, String(payloads), ssrcs?.[0]?.value]),
      [
        ['audio', 'sendonly', '111', 'publisher'],
        ['video', 'sendonly', '96', 'publisher']
      ]
    )
    const created = service.requests.slice(before).filter(({ path }) => path.includes('/consumers/'))
    t.strictSame(
      created.map(({ operation, body }) => [operation, body.exactPayloadTypes ?? body.paused]),
      [
        ['create', true],
        ['update', false],
        ['create', true],
        ['update', false]
      ]
    )
    t.match((await participants(alice)).at(-1), { user: 'carol', via: 'whep' })

    const bobId = sessionOf(publisher).split('/').at(-1) ?? ''
    t.equal((await carol.offer(`${whep}?participantId=${bobId}`, VIEW)).status, 201)
    t.match(await carol.offer(`${whep}?participantId=none`, VIEW), { status: 404, code: 'participant_not_found' })
    t.match(
      await carol.offer(whep, offerOf('libdatachannel')),
      { status: 201 },
      'its video codec is not there, its audio is'
    )
    t.equal((await carol.end(sessionOf(reply))).status, 200)
  },
  { env }
)

const FRAGMENT_TEXT = `a=group:BUNDLE 0 1
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=mid:0
a=ice-ufrag:aUI2
a=ice-pwd:xGxn9KzsJFjqsBaCoW9DU3cj
a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host
`

flow(
  'a session takes candidates, and restarts ICE',
  async (t, scenario) => {
    const { bob, whip } = await open(scenario)
    const reply = await bob.offer(whip, PUBLISH)
    const [session, etag] = [sessionOf(reply), reply.headers.get('etag') ?? '']
    const trickle = await bob.patch(session, FRAGMENT_TEXT, etag)
    t.match(trickle, { status: 204, text: '' })
    t.equal(trickle.headers.get('etag'), null)
    t.match(await bob.patch(session, FRAGMENT_TEXT), { status: 428, code: 'precondition_required' })
    t.match(await bob.patch(session, FRAGMENT_TEXT, '"other"'), { status: 412, code: 'precondition_failed' })
    t.match(await bob.patch(session, 'a=candidate:nonsense', etag), { status: 400, code: 'invalid_sdp' })

    const restarted = await bob.patch(session, FRAGMENT_TEXT.replace('aUI2', 'next'), '*')
    t.equal(restarted.status, 200)
    t.equal(restarted.headers.get('content-type'), FRAGMENT)
    t.match(restarted.text, /a=mid:0\r\na=ice-ufrag:restarted\d+\r\na=ice-pwd:\w+\r\na=candidate:udpcandidate /)
    const next = restarted.headers.get('etag') ?? ''
    t.not(next, etag)
    t.equal((await bob.patch(session, FRAGMENT_TEXT, etag)).status, 412, 'the old ICE session is over')
    t.equal((await bob.patch(session, FRAGMENT_TEXT.replace('aUI2', 'next'), next)).status, 204)
  },
  { env }
)

flow(
  'a session belongs to its user and its protocol',
  async (t, scenario) => {
    const { alice, bob, whip, whep, request } = await open(scenario)
    const reply = await bob.offer(whip, PUBLISH)
    const [session, etag] = [sessionOf(reply), reply.headers.get('etag') ?? '']
    const carol = await request('carol')
    t.match(await carol.end(session), { status: 404, code: /_not_found$/ })
    t.match(await carol.patch(session, FRAGMENT_TEXT, etag), { status: 404 })
    t.match(await bob.end(session.replace(whip, whep)), { status: 404, code: 'participant_not_found' })
    t.match(await bob.end(session.replace(/[^/]+$/, 'none')), { status: 404, code: 'participant_not_found' })
    const id = session.split('/').at(-1)
    t.equal(
      (await alice.request('DELETE', `rooms/r1/participants/${id}`)).status,
      204,
      'a host removes it as any other'
    )
    t.match(await bob.patch(session, FRAGMENT_TEXT, etag), { status: 404 })
  },
  { env }
)

flow(
  'what cannot be served is refused and leaves nothing in the room',
  async (t, scenario) => {
    const { alice, bob, whip, whep, request } = await open(scenario)
    const refused = async (reply: Promise<WhipReply>, status: number, code: string) =>
      t.match(await reply, { status, code })
    await refused(bob.offer(whip, 'nonsense'), 400, 'invalid_sdp')
    await refused(bob.offer(whip, VIEW), 422, 'unsupported_offer')
    await refused(bob.offer(whip, offerOf('OBS 30')), 422, 'unsupported_offer')
    await refused(bob.offer(whip, PUBLISH, { accept: 'application/json' }), 406, 'not_acceptable')
    await refused(bob.send(whip, { type: 'application/json', body: '{}' }), 415, 'unsupported_media_type')
    await refused(bob.send(whip, { type: FRAGMENT, body: FRAGMENT_TEXT }), 415, 'unsupported_media_type')
    await refused(bob.send(whip, {}), 400, 'invalid_request')
    await refused(bob.send(whip, { method: 'PUT', type: SDP, body: PUBLISH }), 405, 'method_not_allowed')
    t.equal((await bob.send(whip, { method: 'GET' })).status, 204)
    t.equal((await bob.send(whep, { method: 'HEAD' })).headers.get('content-type'), SDP)

    for (const method of ['GET', 'HEAD']) t.equal((await bob.send(`${whip}/none`, { method })).status, 204)
    const accepted = await bob.offer(whip, PUBLISH, { accept: '' })
    t.equal(accepted.status, 201, 'an empty Accept names no type')
    t.equal((await bob.end(sessionOf(accepted))).status, 200)

    const options = await fetch(new URL(whip, scenario.urlOf(0)), { method: 'OPTIONS' })
    t.equal(options.status, 200, 'without a token')
    t.equal(options.headers.get('accept-post'), SDP)
    const ofSession = await fetch(new URL(`${whip}/none`, scenario.urlOf(0)), { method: 'OPTIONS' })
    t.equal(ofSession.status, 200)
    t.equal(ofSession.headers.get('accept-patch'), FRAGMENT)

    await alice.request('PUT', 'rooms/p2p', { mode: 'p2p' })
    await refused(bob.offer(whip.replace(scenario.toPath('r1'), scenario.toPath('p2p')), PUBLISH), 409, 'not_sfu')
    await refused(bob.offer(whip.replace(scenario.toPath('r1'), scenario.toPath('new')), PUBLISH), 409, 'not_sfu')
    const remove = service.inject('getSession', 'error')
    await refused(bob.offer(whip, PUBLISH), 503, 'media_unavailable')
    remove()
    await alice.request('PUT', 'rooms/r1', { defaultRole: 'listener' })
    await refused((await request('carol')).offer(whip, PUBLISH), 403, 'not_permitted')
    t.equal((await participants(alice)).length, 1)
  },
  { env }
)

flow(
  'a retry with the same Idempotency-Key finds the same session',
  async (t, scenario) => {
    const { alice, bob, whip } = await open(scenario)
    const first = await bob.offer(whip, PUBLISH, { 'idempotency-key': 'k1' })
    const again = await bob.offer(whip, PUBLISH, { 'idempotency-key': 'k1' })
    t.equal(again.status, 201, again.text)
    t.equal(sessionOf(again), sessionOf(first))
    t.equal(again.headers.get('etag'), first.headers.get('etag'))
    const other = await bob.offer(whip, PUBLISH.replaceAll('D1:2C:', 'D1:2D:'), { 'idempotency-key': 'k1' })
    t.match(other, { status: 409, code: 'media_conflict' }, 'another offer with the same key')
    t.equal((await participants(alice)).length, 2)
  },
  { env }
)

flow(
  'a user has at most eight of these clients in a room',
  async (t, scenario) => {
    const { bob, whip } = await open(scenario)
    const replies = await Promise.all(Array.from({ length: 8 }, () => bob.offer(whip, PUBLISH)))
    t.strictSame(new Set(replies.map(({ status }) => status)), new Set([201]))
    t.match(await bob.offer(whip, PUBLISH), { status: 409, code: 'too_many_media' })
  },
  { env }
)

flow(
  'a client whose transport the media service has closed is lost',
  async (t, scenario) => {
    const { alice, bob, whip } = await open(scenario, { silent: false })
    const reply = await bob.offer(whip, PUBLISH)
    for (const type of ['room.participant_joined', 'sfu.producer_added', 'sfu.producer_added'])
      await alice.expectEvent(type)
    const participantId = sessionOf(reply).split('/').at(-1)
    const [session] = service.sessionsOf(scenario.toWire('r1'))
    await service.push(session, [
      { type: 'transport_closed', participantId, transportId: 'whip', reason: 'ice_failed' }
    ])
    for (const kind of ['audio', 'video'])
      t.match(await alice.expectEvent('sfu.producer_closed'), { producerId: new RegExp(kind) })
    t.match(await alice.expectEvent('room.participant_left'), { participantId, reason: 'lost' })
  },
  { env }
)

flow(
  'a viewer is lost when all that it views has ended, and may view again',
  async (t, scenario) => {
    const { alice, bob, whip, whep, request } = await open(scenario)
    const carol = await request('carol')
    const [publisher, other] = [await bob.offer(whip, PUBLISH), await bob.offer(whip, PUBLISH)]
    const viewer = await carol.offer(whep, VIEW)
    const others = await carol.offer(`${whep}?participantId=${sessionOf(other).split('/').at(-1)}`, VIEW)
    const via = async () => (await participants(alice)).flatMap(each => each.via ?? [])
    t.strictSame(await via(), ['whip', 'whip', 'whep', 'whep'])
    const restarted = await carol.patch(sessionOf(viewer), FRAGMENT_TEXT.replace('aUI2', 'next'), '*')
    t.equal(restarted.status, 200, 'what it views stays known')

    t.equal((await bob.end(sessionOf(publisher))).status, 200)
    await scenario.advance(6000)
    await until('the viewer of the first publisher is lost', async () => (await via()).length === 2)
    t.match(await carol.end(sessionOf(viewer)), { status: 404, code: 'participant_not_found' })
    const again = await carol.offer(whep, VIEW)
    t.equal(again.status, 201, 'it views the other publisher')
    for (const session of [again, others]) t.equal((await carol.end(sessionOf(session))).status, 200)
  },
  { env }
)

flow(
  'clients are lost with the media session',
  async (t, scenario) => {
    const { alice, bob, whip } = await open(scenario, { silent: false })
    await bob.offer(whip, PUBLISH)
    for (const type of ['room.participant_joined', 'sfu.producer_added', 'sfu.producer_added'])
      await alice.expectEvent(type)
    const [session] = service.sessionsOf(scenario.toWire('r1'))
    await service.loseSession(session?.sessionId ?? '')
    await alice.expectEvent('sfu.reset')
    await scenario.advance(3000)
    t.match(await alice.expectEvent('room.participant_left'), { reason: 'lost' })
  },
  { env }
)
