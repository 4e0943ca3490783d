// Every operation of the OpenAPI document, requested by users who may not do it. The table below has the code of each reply. No reply
// reveals anything about the call, the room or their users (G12). An operation without a row fails the test.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { SignJWT, UnsecuredJWT } from 'jose'
import t, { type Test } from 'tap'
import { PUBLISHING_OFFERS, VIEWING_OFFERS } from '../corpus/whip/all.js'
import { TestDeviceKey } from '../helpers/device-key.js'
import { type Operation, operationsOf } from '../helpers/fuzz-target.js'
import { valid } from '../helpers/invalid-values.js'
import { TestMediaService } from '../helpers/media-service.js'
import { sdp } from '../helpers/sdp.js'
import { SETTINGS, TestCluster } from '../helpers/test-cluster.js'

const DEVICE_KEY = new TestDeviceKey()
const DEVICE_PROOF = {
  ...DEVICE_KEY.replacement({ user: 'alice', device: 'phone' }, DEVICE_KEY),
  ...{ currentSignature: undefined, key: undefined }
}
const OPUS = { mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2 }

const SECRET = 'the-secret-of-the-matrix-is-32-bytes-long'
const AUDIENCE = 'calls'
/** Part of each value that only the parties may see: device ids, metadata, chat, descriptions. */
const PRIVATE = 'Private7'

/** Each has a valid token, and no access to what the request names. */
const OUTSIDERS = ['stranger', 'banned', 'left', 'otherRoom', 'noGrant'] as const
type Outsider = (typeof OUTSIDERS)[number]

const everyone = (code: string): Record<Outsider, string> => ({
  stranger: code,
  banned: code,
  left: code,
  otherRoom: code,
  noGrant: code
})

/** A room does not exist for users who are not in it, and a ban comes before all else. */
const room = (noGrant: string): Record<Outsider, string> => ({
  stranger: 'room_not_found',
  banned: 'banned',
  left: 'room_not_found',
  otherRoom: 'not_permitted',
  noGrant
})
/** `noGrant` is in the room, so these operations show it: its token only lacks the grants to act. */
const SHOWN_TO_NO_GRANT = ['getRoom', 'getSnapshot', 'listProducers']

/**
 * The reply to each outsider: the code of a problem, or `ok` if the request is about the requester only. Then the reply must not contain
 * private values of other users.
 */
const EXPECTED: Readonly<Record<string, Record<Outsider, string>>> = {
  openEventStream: everyone('ok'),
  openEventStreamByPost: everyone('ok'),
  pollEvents: everyone('ok'),
  createEventTicket: everyone('ok'),
  listCalls: everyone('ok'),
  updatePresence: everyone('ok'),
  signOffDevice: everyone('ok'),
  lookUpPresence: everyone('ok'),
  getSnapshot: everyone('ok'),
  watchUsers: everyone('ok'),
  listWatchedUsers: everyone('ok'),
  stopWatching: everyone('ok'),
  listIceServers: everyone('ok'),
  blockUser: everyone('ok'),
  unblockUser: everyone('ok'),
  listBlocks: everyone('ok'),
  setPushSubscription: everyone('invalid_subject'),
  enrollDevice: everyone('invalid_credential'),
  createDeviceNonce: everyone('ok'),
  createDeviceToken: everyone('invalid_request'),
  setDeviceKey: everyone('invalid_credential'),
  removePushSubscription: everyone('invalid_subject'),
  createCall: everyone('call_id_taken'),
  getCall: everyone('call_not_found'),
  sendCallMessage: everyone('call_not_found'),
  updateCallMedia: everyone('call_not_found'),
  getCallTimeline: everyone('call_not_found'),
  reportRinging: everyone('call_not_found'),
  cancelCall: everyone('ok'),
  reportConnected: everyone('call_not_found'),
  transferCall: everyone('call_not_found'),
  cancelTransfer: everyone('call_not_found'),
  holdCall: everyone('call_not_found'),
  resumeCall: everyone('call_not_found'),
  acceptCall: everyone('call_not_found'),
  rejectCall: everyone('call_not_found'),
  hangUpCall: everyone('call_not_found'),
  sendOffer: everyone('call_not_found'),
  sendAnswer: everyone('call_not_found'),
  sendCandidates: everyone('call_not_found'),
  createOrUpdateRoom: room('not_permitted'),
  getRoom: room('ok'),
  closeRoom: room('not_permitted'),
  joinRoom: { ...room('ok'), stranger: 'ok', left: 'ok' },
  updateParticipant: room('not_permitted'),
  removeParticipant: room('not_permitted'),
  listBans: room('not_permitted'),
  removeBan: room('not_permitted'),
  sendRoomOffer: room('not_permitted'),
  sendRoomAnswer: room('not_permitted'),
  sendRoomCandidates: room('not_permitted'),
  inviteUsers: room('ok'),
  acceptInvitation: everyone('invitation_not_found'),
  declineInvitation: everyone('invitation_not_found'),
  cancelInvitation: room('not_permitted'),
  postMessage: room('not_permitted'),
  listMessages: room('not_permitted'),
  sendTyping: room('not_permitted'),
  getRouterCapabilities: room('not_permitted'),
  createTransport: room('not_permitted'),
  connectTransport: room('not_permitted'),
  restartIce: room('not_permitted'),
  closeTransport: room('ok'),
  getTransportStats: room('media_not_found'),
  createProducer: room('not_permitted'),
  listProducers: room('ok'),
  updateProducer: room('media_not_found'),
  closeProducer: room('ok'),
  getProducerStats: room('media_not_found'),
  pauseParticipantProducer: room('not_permitted'),
  closeParticipantProducer: room('not_permitted'),
  createConsumer: room('not_permitted'),
  updateConsumer: room('not_permitted'),
  resumeConsumer: room('not_permitted'),
  requestKeyFrame: room('not_permitted'),
  closeConsumer: room('ok'),
  getConsumerStats: room('media_not_found'),
  createDataProducer: room('not_permitted'),
  closeDataProducer: room('ok'),
  getDataProducerStats: room('media_not_found'),
  createDataConsumer: room('not_permitted'),
  closeDataConsumer: room('ok'),
  getDataConsumerStats: room('media_not_found'),
  publishByWhip: { ...room('not_permitted'), stranger: 'ok', left: 'ok' },
  viewByWhep: { ...room('not_permitted'), stranger: 'ok', left: 'ok' },
  patchWhipSession: room('participant_not_found'),
  patchWhepSession: room('participant_not_found'),
  endWhipSession: room('participant_not_found'),
  endWhepSession: room('participant_not_found')
}

/** The requests of devices that have no token yet. */
const WITHOUT_TOKEN = ['enrollDevice', 'createDeviceNonce', 'createDeviceToken']

/** They come last: afterwards a stranger who may do them is a participant. */
const JOINING = ['publishByWhip', 'viewByWhep', 'joinRoom']

const [{ sdp: WHIP_OFFER } = { sdp: '' }] = PUBLISHING_OFFERS
const [{ sdp: WHEP_OFFER } = { sdp: '' }] = VIEWING_OFFERS

/** A body that is a text. */
const textFor = ({ id, textType }: Operation): string =>
  textType === 'application/sdp' ? (id === 'viewByWhep' ? WHEP_OFFER : WHIP_OFFER) : 'a=end-of-candidates\r\n'

const sign = (claims: object, secret = SECRET, audience = AUDIENCE, expires: string | Date = '3h') =>
  new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt()
    .setAudience(audience)
    .setExpirationTime(expires)
    .sign(new TextEncoder().encode(secret))

async function badCredentials(now: number): Promise<Readonly<Record<string, Record<string, string>>>> {
  const claims = { sub: 'alice' }
  const unsigned = new UnsecuredJWT(claims).setAudience(AUDIENCE).setExpirationTime('3h').encode()
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  return {
    'no token': {},
    'an expired token': bearer(await sign(claims, SECRET, AUDIENCE, new Date(now - 300_000))),
    'a token signed with another key': bearer(await sign(claims, `${SECRET}-other`)),
    'a token with alg none': bearer(unsigned),
    'a token for another audience': bearer(await sign(claims, SECRET, 'mail')),
    'an unknown ticket': { authorization: 'Bearer not.a.token' }
  }
}

interface TextReply {
  readonly status: number
  readonly code: string
  readonly text: string
  readonly headers: Headers
}

class Fixture {
  readonly url: string
  readonly operations: readonly Operation[]
  /** The parameters of paths: the call, the room and the user that the outsiders may not access. */
  readonly path = {
    callId: 'call-1',
    roomId: 'room-1',
    participantId: '',
    invitationId: '',
    user: 'bob',
    code: 'internal',
    // What alice has at the media service. The same ids of another participant name nothing.
    ...{ transportId: 'transport-1', producerId: 'producer-1', consumerId: 'consumer-1' },
    ...{ dataProducerId: 'data-producer-1', dataConsumerId: 'data-consumer-1' }
  }
  readonly #tokens = new Map<string, string>()

  private constructor(url: string, operations: readonly Operation[]) {
    this.url = url
    this.operations = operations
  }

  static async make(cluster: TestCluster): Promise<Fixture> {
    const url = cluster.urlOf(0)
    const document = await (await fetch(`${url}/openapi.json`)).json()
    const fixture = new Fixture(url, operationsOf(document as Parameters<typeof operationsOf>[0]))
    await fixture.#populate()
    return fixture
  }

  async #populate(): Promise<void> {
    const { callId, roomId } = this.path
    for (const user of ['alice', 'bob', 'carol', 'stranger', 'banned', 'left']) await this.#addToken(user, {})
    await this.#addToken('otherRoom', { rooms: { elsewhere: {} } })
    await this.#addToken('noGrant', { rooms: { [roomId]: { grants: ['join'] } } })
    for (const user of ['alice', 'bob', 'carol']) await this.post(user, 'PUT', 'presence', {})
    await this.post('alice', 'POST', 'calls', {
      callId,
      to: 'bob',
      metadata: { about: PRIVATE },
      offer: { sdp: sdp(PRIVATE) }
    })
    await this.post('bob', 'POST', `calls/${callId}/accept`)
    await this.post('alice', 'PUT', `rooms/${roomId}`, { mode: 'sfu', metadata: { about: PRIVATE } })
    const join = { metadata: { about: PRIVATE } }
    const joined = await this.post('alice', 'POST', `rooms/${roomId}/participants`, join)
    this.path.participantId = JSON.parse(joined).participantId
    for (const user of ['bob', 'banned', 'left', 'noGrant'])
      await this.post(user, 'POST', `rooms/${roomId}/participants`, {})
    await this.post('alice', 'POST', `rooms/${roomId}/messages`, { content: PRIVATE })
    const invited = await this.post('alice', 'POST', `rooms/${roomId}/invitations`, { users: ['carol'], ...join })
    this.path.invitationId = JSON.parse(invited).invitations[0].invitationId
    const { participants } = JSON.parse(await this.post('alice', 'GET', `rooms/${roomId}`))
    const idOf = (name: string) => participants.find(({ user }: { user: string }) => user === name).participantId
    await this.post('left', 'DELETE', `rooms/${roomId}/participants/${idOf('left')}`)
    await this.post('alice', 'DELETE', `rooms/${roomId}/participants/${idOf('banned')}?ban=true`)
    await this.#sendMedia()
  }

  async #sendMedia(): Promise<void> {
    const { roomId, participantId, transportId, producerId, consumerId, dataProducerId, dataConsumerId } = this.path
    const sfu = `rooms/${roomId}/sfu`
    const post = (kind: string, body: object) => this.post('alice', 'POST', `${sfu}/${kind}`, body)
    await post('transports', { transportId, enableSctp: true })
    const appData = { about: PRIVATE }
    await post('producers', { producerId, transportId, kind: 'audio', rtpParameters: { codecs: [OPUS] }, appData })
    const from = { participantId, transportId }
    await post('consumers', {
      ...from,
      consumerId,
      producerId,
      rtpCapabilities: { codecs: [{ ...OPUS, kind: 'audio' }] }
    })
    await post('data-producers', { dataProducerId, transportId, sctpStreamParameters: { streamId: 1 }, appData })
    await post('data-consumers', { ...from, dataConsumerId, dataProducerId })
  }

  async #addToken(user: string, claims: object): Promise<void> {
    this.#tokens.set(user, await sign({ sub: user, device: `${PRIVATE}-${user}`, ...claims }))
  }

  credentialsOf(user: string): Record<string, string> {
    return { authorization: `Bearer ${this.#tokens.get(user)}` }
  }

  /** A request of a user who may do it. Resolves to the body. */
  async post(user: string, method: string, path: string, body?: object): Promise<string> {
    const { status, text } = await this.#fetch(method, `/v1/${path}`, this.credentialsOf(user), body)
    assert.ok(status < 300, `${user} ${method} ${path}: ${status} ${text}`)
    return text
  }

  /** Requests the operation with a valid body and query, on the call or room of this fixture. */
  request(operation: Operation, headers: Record<string, string>): Promise<TextReply> {
    const { method, path, body, parameters, textType } = operation
    const filled = path.replace(/\{(\w+)\}/g, (_, name: keyof Fixture['path']) => encodeURIComponent(this.path[name]))
    const query = parameters.some(({ in: where, name }) => where === 'query' && name === 'users')
      ? '?users=alice,bob'
      : ''
    const poll = path.endsWith('/poll') ? '?wait=0' : ''
    if (textType !== null)
      return this.#fetch(method.toUpperCase(), filled, { ...headers, 'content-type': textType }, textFor(operation))
    return this.#fetch(
      method.toUpperCase(),
      `${filled}${query}${poll}`,
      headers,
      body === null ? undefined : this.#validBody(body)
    )
  }

  #validBody(schema: Operation['body']): object {
    const [sample] = fc.sample(valid(schema ?? {}), { numRuns: 1, seed: 7 }) as [Record<string, unknown>]
    const { callId, participantId } = this.path
    const properties = schema?.properties ?? {}
    const fixed = {
      // Members that exclude each other are left out.
      ...('offerer' in properties || 'answer' in properties
        ? { offerer: undefined, answer: undefined, offer: undefined }
        : {}),
      ...('callId' in properties ? { callId, to: 'carol' } : {}),
      ...('callId' in properties ? {} : 'to' in properties ? { to: participantId } : {}),
      ...('sdp' in properties ? { sdp: sdp('outsider') } : {}),
      ...('candidates' in properties && !('callId' in properties) ? { candidates: [], end: true } : {}),
      ...('publicKey' in properties ? DEVICE_PROOF : {}),
      ...('users' in properties ? { users: ['dora'] } : {}),
      ...('source' in properties ? { source: 'screen' } : {})
    }
    return { ...sample, ...fixed }
  }

  /** A stream is read until its first event and then closed. */
  async #fetch(
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: object | string
  ): Promise<TextReply> {
    const closing = new AbortController()
    const reply = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: closing.signal
    })
    const isStream = reply.headers.get('content-type')?.startsWith('text/event-stream') === true
    const text = isStream ? await firstEvent(reply) : await reply.text()
    closing.abort()
    const isProblem = reply.headers.get('content-type')?.startsWith('application/problem+json') === true
    return { status: reply.status, code: isProblem ? JSON.parse(text).code : 'ok', text, headers: reply.headers }
  }

  /** The call and the room as their parties see them. */
  async visibleState(): Promise<unknown> {
    const { callId, roomId } = this.path
    const call = JSON.parse(await this.post('alice', 'GET', `calls/${callId}`))
    const room = JSON.parse(await this.post('bob', 'GET', `rooms/${roomId}`))
    const bans = JSON.parse(await this.post('alice', 'GET', `rooms/${roomId}/bans`))
    return { call: [call.call.state, call.call.version], room, bans }
  }
}

async function firstEvent(reply: Response): Promise<string> {
  let text = ''
  for await (const chunk of reply.body ?? []) {
    text += Buffer.from(chunk as Uint8Array).toString()
    if (text.includes('\n\n') && text.includes('data:')) break
  }
  return text
}

async function checkUnauthenticated(t: Test, fixture: Fixture, now: number): Promise<void> {
  const before = await fixture.visibleState()
  for (const [name, headers] of Object.entries(await badCredentials(now))) {
    const codes = new Set(['unauthorized', ...(name === 'an expired token' ? ['token_expired'] : [])])
    const api = fixture.operations.filter(({ path, id }) => path.startsWith('/v1/') && !WITHOUT_TOKEN.includes(id))
    for (const operation of api) {
      const { status, code, text, headers: sent } = await fixture.request(operation, headers)
      const where = `${operation.id} with ${name}: ${status} ${code}`
      assert.ok(status === 401 && codes.has(code) && sent.has('www-authenticate'), where)
      assert.ok(!text.includes(PRIVATE), `${where} reveals nothing`)
    }
    t.pass(name)
  }
  t.same(await fixture.visibleState(), before, 'nothing has changed')
}

async function checkOutsiders(t: Test, fixture: Fixture): Promise<void> {
  const before = await fixture.visibleState()
  const api = fixture.operations.filter(({ path }) => path.startsWith('/v1/'))
  t.strictSame(
    api.map(({ id }) => id).filter(id => !(id in EXPECTED)),
    [],
    'every operation has a row'
  )
  for (const outsider of OUTSIDERS) {
    const seen = new Map<string, string>()
    const order = [...api].sort((a, b) => JOINING.indexOf(a.id) - JOINING.indexOf(b.id))
    for (const operation of order) {
      const { status, code, text } = await fixture.request(operation, fixture.credentialsOf(outsider))
      assert.ok(status < 500, `${operation.id} as ${outsider}: ${status} ${text}`)
      seen.set(operation.id, code)
      if (operation.id === 'joinRoom' || (outsider === 'noGrant' && SHOWN_TO_NO_GRANT.includes(operation.id))) continue
      t.notOk(
        text.replaceAll(`${PRIVATE}-${outsider}`, '').includes(PRIVATE),
        `${operation.id} reveals nothing to ${outsider}`
      )
    }
    const expected = Object.fromEntries(api.map(({ id }) => [id, EXPECTED[id]?.[outsider]]))
    t.strictSame(Object.fromEntries(api.map(({ id }) => [id, seen.get(id)])), expected, outsider)
  }
  const after = (await fixture.visibleState()) as { call: unknown; bans: unknown }
  t.same(
    [after.call, after.bans],
    [(before as typeof after).call, (before as typeof after).bans],
    'call and bans have not changed'
  )
}

for (const setting of SETTINGS.filter(({ nodes }) => nodes === 1)) {
  t.test(setting.name, async t => {
    const service = await TestMediaService.start(SECRET)
    t.teardown(() => service.close())
    const cluster = await TestCluster.open(setting, {
      MEDIA_SERVICE_URLS: service.url,
      MEDIA_SERVICE_SECRET: SECRET,
      JWT_SECRET: SECRET,
      JWT_AUDIENCE: AUDIENCE,
      SIGNING_KEYS: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
      OFFLINE_CALLS: 'ring'
    })
    t.teardown(() => cluster.close())
    const fixture = await Fixture.make(cluster)
    await t.test('every operation replies 401 without a valid token', t =>
      checkUnauthenticated(t, fixture, cluster.clock.now())
    )
    await t.test('no operation reveals a call or room to a user without access', t => checkOutsiders(t, fixture))
  })
}
