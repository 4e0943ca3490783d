// The examples of the OpenAPI document are a session with a real server: each request is sent, and each reply is compared.
import { readFileSync } from 'node:fs'
import { SignJWT } from 'jose'
import t from 'tap'
import { Compile } from 'typebox/compile'
import { parse } from 'yaml'
import { buildApp } from '../src/app.js'
import { loadConfig } from '../src/config.js'
import { ManualClock } from './helpers/clock.js'
import { TestDeviceKey } from './helpers/device-key.js'
import { resolved } from './helpers/invalid-values.js'
import { TestMediaService } from './helpers/media-service.js'

const SECRET = 'the-secret-of-the-examples-is-32-bytes'
const MEDIA_SECRET = 'the-media-secret-of-the-examples-32-bytes'
const ADMIN_SECRET = 'the-secret-of-operators-is-32-bytes-long'
const ENVIRONMENT = {
  ADMIN_PORT: '0',
  ADMIN_SECRET,
  LOG_LEVEL: 'silent',
  JWT_SECRET: SECRET,
  STUN_URLS: 'stun:stun.example.com:3478',
  TURN_URLS: 'turn:turn.example.com:3478?transport=udp',
  TURN_SECRETS: 'a-secret-shared-with-the-turn-servers',
  PRESENCE_VISIBILITY: 'everyone',
  PUSH_KEY: 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=',
  MEDIA_SERVICE_SECRET: MEDIA_SECRET,
  // The private key of RFC 8037, appendix A.1.
  SIGNING_KEYS: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A'
}

type Content = Readonly<Record<string, { readonly schema?: unknown; readonly example?: unknown } | undefined>>
interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
}
const { paths, components } = parse(readFileSync(new URL('../openapi/openapi.yaml', import.meta.url), 'utf8')) as {
  paths: Record<string, Record<string, Operation>>
  components: {
    schemas: Record<string, unknown>
    responses: Record<string, { content: { 'application/problem+json': { schema: unknown; example: unknown } } }>
  }
}
const operations = new Map(
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) => [operation.operationId, { path, method, ...operation }] as const
    )
  )
)

const CALL = { callId: '7d1f0c1e-57a8-4f0e-9c55-0d2f6a1b3c4d' }
const ROOM = { roomId: 'standup' }
/** A room in mode sfu. */
const SFU = { roomId: 'conference' }

interface Step {
  readonly user?: string
  /** Of the path and the query. */
  readonly params?: Readonly<Record<string, string>>
  /** Instead of the example's. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** What the examples need and is none itself. */
  readonly isPreparation?: boolean
}

/** Everything that is random. */
const RANDOM = new Set([
  'cursor',
  'id',
  'ticket',
  'participantId',
  'sessionId',
  'to',
  'before',
  'after',
  'nonce',
  'token'
])
const comparable = (value: unknown) =>
  JSON.parse(JSON.stringify(value), (key, member) =>
    RANDOM.has(key) && typeof member === 'string' && member.length > 4 ? `<${key}>` : member
  )

const participantIn = (reply: Record<string, unknown> | null) => String(reply?.participantId)

const used = new Set<string>()

t.test('each example request gets the example reply', async t => {
  const clock = new ManualClock(Date.parse('2026-11-21T10:00:00.000Z'))
  const service = await TestMediaService.start(MEDIA_SECRET)
  const app = await buildApp(loadConfig({ ...ENVIRONMENT, MEDIA_SERVICE_URLS: service.url }), { clock })
  t.teardown(() => app.close().then(() => service.close()))
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const devices: Record<string, string> = { alice: 'phone', bob: 'laptop', carol: 'tablet' }

  let publisher: Readonly<Record<string, string>> = {}

  /** Of WHIP and WHEP: a text is sent, and the reply is one. */
  async function exchange(operationId: string, step: Step) {
    const operation = operations.get(operationId)
    const [[type, media] = []] = Object.entries(operation?.requestBody?.content ?? {})
    const response = await request(operationId, {
      ...step,
      headers: { ...step.headers, ...(type === undefined ? {} : { 'content-type': type }) },
      ...(type === undefined ? {} : { body: media?.example })
    })
    const text = await response.text()
    t.ok(response.ok, `${operationId} ${response.status} ${text}`)
    const [replyType] = Object.keys(operation?.responses[String(response.status)]?.content ?? {})
    t.equal(response.headers.get('content-type'), replyType ?? null, operationId)
    used.add(operationId)
    clock.advance(1000)
    return response
  }

  async function request(operationId: string, { user = 'alice', params = {}, body, headers = {} }: Step) {
    const operation = operations.get(operationId)
    if (!operation) throw new Error(`There is no operation ${operationId}`)
    const token = await new SignJWT({ device: devices[user] })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(user)
      .setExpirationTime(new Date(clock.now() + 3_600_000))
      .sign(new TextEncoder().encode(SECRET))
    const query = new URLSearchParams(params)
    const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => {
      query.delete(name)
      return encodeURIComponent(params[name] ?? '')
    })
    return fetch(`${url}${path}?${query}`, {
      method: operation.method.toUpperCase(),
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) })
    })
  }

  async function send(operationId: string, { body, isPreparation = false, ...step }: Step = {}) {
    const operation = operations.get(operationId)
    if (!operation) throw new Error(`There is no operation ${operationId}`)
    const sent = body ?? operation.requestBody?.content['application/json']?.example
    const response = await request(operationId, { ...step, body: sent })
    const reply = response.status === 204 ? null : ((await response.json()) as Record<string, unknown>)
    clock.advance(1000)
    t.ok(response.ok, `${operationId} ${response.status} ${response.ok ? '' : JSON.stringify(reply)}`)
    if (isPreparation) return reply
    used.add(operationId)
    const documented = operation.responses[String(response.status)]
    t.ok(documented, `${operationId}: ${response.status} is documented`)
    const example = documented?.content?.['application/json']?.example
    t.strictSame(comparable(example ?? null), comparable(reply), operationId)
    if (operation.requestBody)
      t.ok(operation.requestBody.content['application/json']?.example, `${operationId} has an example request`)
    return reply
  }
  const prepare = (operationId: string, step: Step) => send(operationId, { ...step, isPreparation: true })

  await send('listIceServers')
  await send('createEventTicket')
  await prepare('updatePresence', { user: 'bob', body: {} })
  await prepare('updatePresence', { user: 'carol', body: {} })

  await send('createCall')
  await send('pollEvents', { user: 'bob', params: { cursor: 'start', wait: '0' } })
  await send('getCall', { params: CALL })
  await send('listCalls')
  await send('reportRinging', { user: 'bob', params: CALL })
  await send('acceptCall', { user: 'bob', params: CALL })
  await send('sendCandidates', { params: CALL })
  await send('reportConnected', { user: 'bob', params: CALL })
  await send('holdCall', { params: CALL })
  await send('resumeCall', { params: CALL })
  await send('sendOffer', { params: CALL })
  await send('sendAnswer', { user: 'bob', params: CALL })
  await send('getSnapshot', { user: 'bob' })
  await send('hangUpCall', { params: CALL })
  await prepare('createCall', { body: { to: 'bob', callId: 'declined' } })
  await send('rejectCall', { user: 'bob', params: { callId: 'declined' } })
  await prepare('createCall', { body: { to: 'carol', callId: 'cancelled' } })
  await send('cancelCall', { params: { callId: 'cancelled' } })

  await send('updatePresence', { user: 'bob' })
  await send('lookUpPresence', { params: { users: 'bob,carol' } })
  await send('watchUsers')
  await send('listWatchedUsers')
  await send('stopWatching')
  await send('signOffDevice', { user: 'carol' })
  await send('blockUser', { params: { user: 'mallory' } })
  await send('listBlocks')
  await send('unblockUser', { params: { user: 'mallory' } })

  await send('createOrUpdateRoom', { params: ROOM })
  const alice = participantIn(await send('joinRoom', { params: ROOM }))
  await send('inviteUsers', { params: ROOM })
  const invitation = { ...ROOM, invitationId: 'inv-8Kq2' }
  await send('acceptInvitation', { user: 'bob', params: invitation })
  const bob = participantIn(await prepare('joinRoom', { user: 'bob', params: ROOM, body: {} }))
  await send('getRoom', { params: ROOM })
  const to = (operationId: string, participantId: string) => ({
    ...(operations.get(operationId)?.requestBody?.content['application/json']?.example as object),
    to: participantId
  })
  await send('sendRoomOffer', { params: ROOM, body: to('sendRoomOffer', bob) })
  await send('sendRoomAnswer', { user: 'bob', params: ROOM, body: to('sendRoomAnswer', alice) })
  await send('sendRoomCandidates', { params: ROOM, body: to('sendRoomCandidates', bob) })
  await send('updateParticipant', { params: { ...ROOM, participantId: bob } })
  await send('postMessage', { params: ROOM })
  await send('listMessages', { params: ROOM })
  await send('sendTyping', { params: ROOM })
  const invite = (invitationId: string) =>
    prepare('inviteUsers', { params: ROOM, body: { users: ['carol'], invitationId } })
  await prepare('updatePresence', { user: 'carol', body: {} })
  await invite('declined')
  await send('declineInvitation', { user: 'carol', params: { ...ROOM, invitationId: 'declined' } })
  clock.advance(60_000)
  await prepare('updatePresence', { user: 'carol', body: {} })
  await invite('cancelled')
  await send('cancelInvitation', { params: { ...ROOM, invitationId: 'cancelled' } })
  await send('removeParticipant', { params: { ...ROOM, participantId: bob, ban: 'true', banForMs: '3600000' } })
  await send('listBans', { params: ROOM })
  await send('removeBan', { params: { ...ROOM, user: 'bob' } })
  await send('closeRoom', { params: ROOM })

  await send('getCallTimeline', { params: CALL })
  await prepare('createCall', { body: { to: 'bob', callId: 'door' } })
  await prepare('acceptCall', { user: 'bob', params: { callId: 'door' }, body: {} })
  await send('sendCallMessage', { user: 'bob', params: { callId: 'door' } })
  await send('updateCallMedia', { user: 'bob', params: { callId: 'door' } })

  await prepare('createOrUpdateRoom', { params: SFU, body: { mode: 'sfu' } })
  const sender = participantIn(await prepare('joinRoom', { params: SFU, body: {} }))
  const transport = { ...SFU, transportId: 'send' }
  await send('getRouterCapabilities', { params: SFU })
  await send('createTransport', { params: SFU })
  await send('connectTransport', { params: transport })
  await send('restartIce', { params: transport })
  await send('getTransportStats', { params: transport })
  await send('createProducer', { params: SFU })
  await send('getProducerStats', { params: { ...SFU, producerId: 'camera' } })
  await send('createDataProducer', { params: SFU })
  await send('getDataProducerStats', { params: { ...SFU, dataProducerId: 'pointer' } })
  await send('listProducers', { params: SFU })

  await prepare('joinRoom', { user: 'bob', params: SFU, body: {} })
  const receive = { transportId: 'receive', enableSctp: true }
  await prepare('createTransport', { user: 'bob', params: SFU, body: receive })
  const fromAlice = (operationId: string) => ({
    ...(operations.get(operationId)?.requestBody?.content['application/json']?.example as object),
    participantId: sender
  })
  await send('createConsumer', { user: 'bob', params: SFU, body: fromAlice('createConsumer') })
  const consumer = { user: 'bob', params: { ...SFU, consumerId: 'alice-camera' } }
  await send('resumeConsumer', consumer)
  await send('updateConsumer', consumer)
  await prepare('updatePresence', { body: {} })
  await send('requestKeyFrame', consumer)
  await send('getConsumerStats', consumer)
  await send('closeConsumer', consumer)
  await send('createDataConsumer', { user: 'bob', params: SFU, body: fromAlice('createDataConsumer') })
  await prepare('updatePresence', { body: {} })
  const dataConsumer = { user: 'bob', params: { ...SFU, dataConsumerId: 'alice-pointer' } }
  await send('getDataConsumerStats', dataConsumer)
  await send('closeDataConsumer', dataConsumer)

  const camera = { ...SFU, producerId: 'camera' }
  await send('updateProducer', { params: camera })
  await send('pauseParticipantProducer', { params: { ...camera, participantId: sender } })
  await send('closeParticipantProducer', { params: { ...camera, participantId: sender } })
  await send('closeProducer', { params: camera })
  await send('closeDataProducer', { params: { ...SFU, dataProducerId: 'pointer' } })
  await send('closeTransport', { params: transport })

  for (const [create, protocol] of [
    ['publishByWhip', 'Whip'],
    ['viewByWhep', 'Whep']
  ] as const) {
    const { headers } = await exchange(create, { params: SFU })
    const session = { ...SFU, participantId: headers.get('location')?.split('/').at(-1) ?? '' }
    await exchange(`patch${protocol}Session`, { params: session, headers: { 'if-match': headers.get('etag') ?? '' } })
    if (protocol === 'Whep') await exchange('endWhepSession', { params: session })
    else publisher = session
  }
  await exchange('endWhipSession', { params: publisher })

  await send('getSigningKeys')
  // Of RFC 8032, section 7.1: tests 1 and 2.
  const [key, next] = [
    'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
    'TM0Im5s0D9ai83u0_2zVumEAYWvUVQy5Tpbkj7hMrvs'
  ].map(seed => new TestDeviceKey(seed)) as [TestDeviceKey, TestDeviceKey]
  const PHONE = { user: 'alice', device: 'phone' }
  const made = await app.admin?.inject({
    ...{ method: 'POST', url: '/v1/admin/users/alice/devices/phone/enrollment-codes' },
    headers: { authorization: `Bearer ${ADMIN_SECRET}` }
  })
  await send('enrollDevice', { body: key.enrollment(made?.json().code) })
  const nonce = String((await send('createDeviceNonce'))?.nonce)
  await send('createDeviceToken', { body: key.tokenRequest(PHONE, nonce) })
  await send('setDeviceKey')
  for (const [id, body] of [
    ['enrollDevice', key.enrollment('7KQ2-M4XA-0TRB-9WSE-HC6N-1VJD-8YPG')],
    ['createDeviceToken', key.tokenRequest(PHONE, 'AAABmtS2JAB9Zx3VvKk1mYw0c2n4QfHsTgRjXyBpLuEoIaWdNhSlVQ')],
    ['setDeviceKey', key.replacement(PHONE, next)]
  ] as const)
    t.strictSame(operations.get(id)?.requestBody?.content['application/json']?.example, body, `${id} is signed`)
  await send('setPushSubscription', { params: { deviceId: 'phone' } })
  await send('removePushSubscription', { params: { deviceId: 'phone' } })
  await send('explainProblem', { params: { code: 'callee_busy' } })
  await send('getLiveness')
  await send('getReadiness')

  await prepare('updatePresence', { user: 'bob', body: {} })
  await prepare('updatePresence', { user: 'carol', body: {} })
  const handover = { params: { callId: 'handover' } }
  await prepare('createCall', { body: { to: 'bob', callId: 'handover' } })
  await prepare('acceptCall', { ...handover, user: 'bob', body: {} })
  await prepare('reportConnected', handover)
  await send('transferCall', handover)
  await send('cancelTransfer', handover)
  await prepare('hangUpCall', { ...handover, body: {} })

  // Their replies are no JSON: the stream is tested in test/delivery, the metrics in test/plugins.
  for (const other of ['openEventStream', 'openEventStreamByPost', 'getMetrics']) used.add(other)
  t.strictSame(
    [...operations.keys()].filter(name => !used.has(name)),
    [],
    'every operation is tried'
  )
})

t.test('each example is what its schema says', async t => {
  const problem = validator('Problem')
  for (const [name, { content }] of Object.entries(components.responses))
    t.strictSame(problem.Errors(content['application/problem+json'].example), [], name)
  const event = validator('Event')
  const stream = operations.get('openEventStream')?.responses['200']?.content as {
    'text/event-stream': { examples: { hello: { value: string } } }
  }
  const frames = stream['text/event-stream'].examples.hello.value.match(/(?<=^data: ).*$/gm) ?? []
  t.equal(frames.length, 2)
  for (const frame of frames) t.ok(event.Check(JSON.parse(frame)), frame)
  t.notOk(event.Check({ ...JSON.parse(frames[1] ?? ''), type: 'call.held' }))
  for (const { operationId, requestBody, responses } of operations.values()) {
    for (const content of [requestBody?.content, ...Object.values(responses).map(({ content }) => content)])
      for (const [type, { schema, example } = {}] of Object.entries(content ?? {}))
        if (example !== undefined) t.strictSame(faultsOf(schema, example), [], `${operationId} ${type}`)
  }
})

t.test('each example of a schema, a parameter and a header is what its schema says', async t => {
  let examples = 0
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return
    const { schema, example, examples: own } = value as Record<string, unknown>
    const given = schema !== undefined && example !== undefined ? [[schema, example]] : []
    const all = [...given, ...(Array.isArray(own) ? own.map(each => [value, each]) : [])]
    for (const [rule, each] of all) t.strictSame(faultsOf(rule, each), [], path)
    examples += all.length
    for (const [key, member] of Object.entries(value)) if (key !== 'example') visit(member, `${path}/${key}`)
  }
  visit(components, 'components')
  visit(paths, 'paths')
  t.ok(examples > 100)
})

const faultsOf = (schema: unknown, example: unknown) =>
  Compile(resolved(schema, components.schemas)).Errors(example).slice(0, 2)

const validator = (name: string) => Compile(resolved(components.schemas[name], components.schemas))
