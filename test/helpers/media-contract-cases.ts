// What every media service does with the requests of openapi/media-service.yaml: one case a row, each with a session of its own.
import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { type MediaClient, mediaClient, OPERATIONS } from './media-contract.js'
import { DTLS, H264_SIMULCAST, OPUS, OTHER_DTLS, VIEWER, VP8_SIMULCAST, VP9_SVC } from './rtp-fixture.js'

export interface MediaServiceUnderTest {
  readonly url: string
  readonly secret: string
  /** Whether it has an SFU, which judges RTP parameters. */
  readonly hasMedia: boolean
}

const LIMITS = { transports: 3, producers: 4, consumers: 4, dataProducers: 2, dataConsumers: 2 }
const DATA = { sctpStreamParameters: { streamId: 3, ordered: true }, label: 'chat', protocol: 'json' }

export const openingOf = (roomId: string, service = '127.0.0.1:4443') => ({
  roomId,
  service,
  idleTimeoutMs: 60_000,
  confirmAfterMs: 60_000,
  limits: LIMITS
})

/** Sends requests to one session. Paths are relative to it. */
export class SessionUnderTest {
  readonly sessionId = randomUUID()
  readonly roomId = `room ${this.sessionId}`
  readonly t: Test
  readonly client: MediaClient
  readonly service: MediaServiceUnderTest
  capabilities: object = {}

  constructor(t: Test, service: MediaServiceUnderTest) {
    this.t = t
    this.service = service
    this.client = mediaClient(service)
  }

  get path(): string {
    return `/sessions/${this.sessionId}`
  }

  async open(opening: object = openingOf(this.roomId)): Promise<void> {
    this.capabilities = (await this.expect(201, 'PUT', '', opening)).routerRtpCapabilities as object
  }

  call(method: string, path: string, body?: object) {
    return this.client.call(method, `${this.path}${path}`, body)
  }

  /** The body of the reply, which must have this status, and this code if it is an error. */
  async expect(expected: number | string, method: string, path: string, body?: object) {
    const reply = await this.call(method, path, body)
    const name = `${method} ${path} ${JSON.stringify(body)}`
    if (typeof expected === 'string') this.t.match(reply.body, { code: expected }, name)
    else this.t.equal(reply.status, expected, `${name}: ${JSON.stringify(reply.body).slice(0, 200)}`)
    return reply.body
  }

  transport(participantId: string, id: string, options: object = {}) {
    return this.expect(200, 'PUT', `/participants/${participantId}/transports/${id}`, { since: 1, ...options })
  }

  /** Alice has transport `send` with the producers `camera` and `microphone`, Bob has transport `receive`. */
  async twoParticipants(): Promise<void> {
    await this.open()
    await this.enterBoth()
  }

  async enterBoth(): Promise<void> {
    await this.transport('alice', 'send', { enableSctp: true })
    await this.transport('bob', 'receive', { enableSctp: true })
    await this.expect(200, 'PUT', '/participants/alice/producers/camera', video())
    await this.expect(200, 'PUT', '/participants/alice/producers/microphone', audio())
  }

  consumption(producerId = 'camera', more: object = {}) {
    const producer = { participantId: 'alice', producerId }
    return { transportId: 'receive', producer, rtpCapabilities: this.capabilities, ...more }
  }
}

const video = (more: object = {}) => ({
  transportId: 'send',
  kind: 'video',
  rtpParameters: VP8_SIMULCAST,
  paused: false,
  ...more
})
const audio = (more: object = {}) => video({ kind: 'audio', rtpParameters: OPUS, ...more })

type Case = (session: SessionUnderTest) => Promise<void>

const SESSIONS: Readonly<Record<string, Case>> = {
  'health has an instance, a load and the number of sessions': async ({ t, client }) => {
    const { status, body } = await client.call('GET', '/health')
    t.equal(status, 200)
    t.match(body, { instance: String, load: Number, sessions: Number })
  },
  'every request is refused without the secret': async ({ t, service }) => {
    for (const { method, path, operation } of OPERATIONS) {
      const body = operation.requestBody?.content['application/json'].example
      const stranger = mediaClient({ ...service, secret: 'x'.repeat(32) })
      const { status } = await stranger.call(method, path.replace(/\{\w+\}/g, 'x'), body)
      t.equal(status, 401, operation.operationId)
    }
  },
  'every request for an unknown session is refused with session_not_found': async session => {
    for (const { method, path, operation } of OPERATIONS) {
      if (!path.startsWith('/sessions/') || /^(openSession|closeSession)$/.test(operation.operationId)) continue
      const body = operation.requestBody?.content['application/json'].example
      const rest = path.replace('/sessions/{sessionId}', '').replace(/\{\w+\}/g, 'x')
      await session.expect('session_not_found', method, rest, body)
    }
  },
  'a session is opened once, found, and closed': async session => {
    const opening = openingOf(session.roomId)
    const [one, other] = await Promise.all([session.call('PUT', '', opening), session.call('PUT', '', opening)])
    session.t.strictSame([one.status, other.status].sort(), [200, 201])
    session.t.strictSame(await session.expect(200, 'PUT', '', opening), one.body)
    session.t.strictSame(await session.expect(200, 'GET', ''), one.body)
    await session.expect('conflict', 'PUT', '', { ...opening, roomId: 'another' })
    await session.expect(204, 'DELETE', '')
    await session.expect(204, 'DELETE', '')
    await session.expect('session_not_found', 'GET', '')
  },
  'requests that arrive while the session is closed either succeed or do not find it': async session => {
    await session.twoParticipants()
    const requests = [
      session.call('PUT', '/participants/bob/transports/late', { since: 1 }),
      session.call('PUT', '/participants/bob/consumers/late', session.consumption()),
      session.call('DELETE', ''),
      session.call('GET', '/participants/alice/producers/camera/stats'),
      session.call('PUT', '/participants/carol/transports/late', { since: 1 })
    ]
    for (const { status, body } of await Promise.all(requests))
      if (status >= 300) session.t.match(body, { code: 'session_not_found' })
    await session.expect('session_not_found', 'GET', '')
  },
  'what absent participants have is closed, unless they came after the list was made': async session => {
    await session.open()
    for (const [id, since] of Object.entries({ alice: 1, bob: 5, carol: 9 }))
      await session.transport(id, 't', { since })
    await session.expect(204, 'PUT', '/participants', { version: 5, participants: ['alice'] })
    await session.expect(200, 'GET', '/participants/alice/transports/t/stats')
    await session.expect('not_found', 'GET', '/participants/bob/transports/t/stats')
    await session.expect(200, 'GET', '/participants/carol/transports/t/stats')
    await session.expect(204, 'PUT', '/participants', { version: 9, participants: [] })
    await session.expect('not_found', 'GET', '/participants/alice/transports/t/stats')
    await session.expect('not_found', 'GET', '/participants/carol/transports/t/stats')
  },
  'a participant is closed with everything': async session => {
    await session.twoParticipants()
    await session.expect(200, 'PUT', '/participants/bob/consumers/c', session.consumption())
    await session.expect(204, 'DELETE', '/participants/alice')
    await session.expect(204, 'DELETE', '/participants/alice')
    await session.expect('not_found', 'PATCH', '/participants/alice/producers/camera', { paused: true })
    await session.expect('not_found', 'PATCH', '/participants/bob/consumers/c', { paused: false })
    await session.expect(200, 'GET', '/participants/bob/transports/receive/stats')
  },
  'no more than the limits, but repeats': async session => {
    await session.open({ ...openingOf(session.roomId), limits: { ...LIMITS, transports: 1, producers: 1 } })
    await session.transport('alice', 'send')
    await session.expect('limit_reached', 'PUT', '/participants/alice/transports/more', { since: 1 })
    await session.transport('alice', 'send')
    await session.transport('bob', 'send')
    await session.expect(200, 'PUT', '/participants/alice/producers/a', audio())
    await session.expect('limit_reached', 'PUT', '/participants/alice/producers/b', video())
    await session.expect(204, 'DELETE', '/participants/alice/producers/a')
    await session.expect(200, 'PUT', '/participants/alice/producers/b', video())
  },
  'ids are percent-encoded, and each participant has ids of their own': async session => {
    await session.open()
    for (const participantId of ['auth0|alice', 'user/1', 'Zoë', 'x'.repeat(255)]) {
      const path = `/participants/${encodeURIComponent(participantId)}/transports/${encodeURIComponent('a/b?c')}`
      await session.expect(200, 'PUT', path, { since: 1 })
      await session.expect(200, 'GET', `${path}/stats`)
      await session.expect(204, 'DELETE', path)
    }
    await session.transport('alice', 'mine')
    await session.expect('not_found', 'GET', '/participants/bob/transports/mine/stats')
  }
}

const TRANSPORTS: Readonly<Record<string, Case>> = {
  'a repeated request returns the same transport': async session => {
    await session.open()
    const path = '/participants/alice/transports/t'
    const created = await session.expect(200, 'PUT', path, { since: 1, enableSctp: true })
    session.t.strictSame(await session.expect(200, 'PUT', path, { since: 2, enableSctp: true }), created)
    session.t.ok(created.sctpParameters)
    await session.expect('conflict', 'PUT', path, { since: 1, enableSctp: false })
    session.t.equal((await session.transport('alice', 'other')).sctpParameters, null)
  },
  'equal requests at the same time create one transport': async session => {
    await session.open()
    const put = () => session.expect(200, 'PUT', '/participants/alice/transports/t', { since: 1 })
    const [first, ...others] = await Promise.all([put(), put(), put()])
    for (const other of others) session.t.strictSame(other, first)
  },
  'candidates have their address by both names': async session => {
    await session.open()
    const { iceCandidates } = await session.transport('alice', 't')
    for (const { ip, address } of iceCandidates as { ip: string; address: string }[]) session.t.equal(ip, address)
  },
  'connecting is idempotent by the fingerprints': async session => {
    await session.open()
    await session.transport('alice', 't')
    const connect = '/participants/alice/transports/t/connect'
    await session.expect(204, 'POST', connect, { dtlsParameters: DTLS })
    await session.expect(204, 'POST', connect, { dtlsParameters: DTLS })
    const reversed = { ...DTLS, fingerprints: [...DTLS.fingerprints].reverse() }
    await session.expect(204, 'POST', connect, { dtlsParameters: reversed })
    await session.expect('already_connected', 'POST', connect, { dtlsParameters: OTHER_DTLS })
    await session.expect('not_found', 'POST', '/participants/alice/transports/x/connect', { dtlsParameters: DTLS })
  },
  'each ICE restart makes new parameters': async session => {
    await session.open()
    const { iceParameters } = await session.transport('alice', 't')
    const restart = () => session.expect(200, 'POST', '/participants/alice/transports/t/restart-ice')
    const [one, other] = [await restart(), await restart()]
    session.t.notSame(one.iceParameters, iceParameters)
    session.t.notSame(other.iceParameters, one.iceParameters)
    await session.expect('not_found', 'POST', '/participants/alice/transports/x/restart-ice')
  },
  'a transport closes with its producers and consumers': async session => {
    await session.twoParticipants()
    await session.expect(200, 'PUT', '/participants/bob/consumers/c', session.consumption())
    await session.expect(204, 'DELETE', '/participants/bob/transports/receive')
    await session.expect(204, 'DELETE', '/participants/bob/transports/receive')
    await session.expect('not_found', 'PATCH', '/participants/bob/consumers/c', { paused: true })
    await session.expect(204, 'DELETE', '/participants/alice/transports/send')
    await session.expect('not_found', 'PATCH', '/participants/alice/producers/camera', { paused: true })
  }
}

const PRODUCERS: Readonly<Record<string, Case>> = {
  'a repeated request returns the same producer': async session => {
    await session.open()
    await session.transport('alice', 'send')
    const path = '/participants/alice/producers/camera'
    const [one, other] = await Promise.all([session.call('PUT', path, video()), session.call('PUT', path, video())])
    session.t.strictSame(one, other)
    session.t.match(one.body, { paused: false, ...(session.service.hasMedia ? { type: 'simulcast' } : {}) })
    await session.expect('conflict', 'PUT', path, video({ kind: 'audio' }))
    await session.expect('not_found', 'PUT', '/participants/alice/producers/x', video({ transportId: 'x' }))
  },
  'VP8, opus, H.264 and VP9 with members that are not known': async session => {
    await session.open()
    await session.transport('alice', 'send')
    for (const [id, rtpParameters] of Object.entries({ VP8_SIMULCAST, OPUS, H264_SIMULCAST, VP9_SVC })) {
      const kind = rtpParameters === OPUS ? 'audio' : 'video'
      const newer = { ...rtpParameters, msid: 'a b', codecs: rtpParameters.codecs.map(each => ({ ...each, newer: 1 })) }
      await session.expect(200, 'PUT', `/participants/alice/producers/${id}`, video({ kind, rtpParameters: newer }))
    }
  },
  'a producer is created paused, resumed, paused and closed': async session => {
    await session.open()
    await session.transport('alice', 'send')
    const path = '/participants/alice/producers/camera'
    session.t.match(await session.expect(200, 'PUT', path, video({ paused: true })), { paused: true })
    session.t.strictSame(await session.expect(200, 'PATCH', path, { paused: false }), { paused: false })
    session.t.match(await session.expect(200, 'PUT', path, video({ paused: true })), { paused: false })
    session.t.strictSame(await session.expect(200, 'PATCH', path, { paused: true }), { paused: true })
    await session.expect(200, 'GET', `${path}/stats`)
    await session.expect(204, 'DELETE', path)
    await session.expect(204, 'DELETE', path)
    await session.expect('not_found', 'PATCH', path, { paused: true })
    await session.expect('not_found', 'GET', `${path}/stats`)
  },
  'a request to close closes nothing that was created with as many closings': async session => {
    await session.open()
    await session.expect(200, 'PUT', '/participants/alice/transports/send', { since: 1, enableSctp: true })
    for (const [path, body] of [
      ['/participants/alice/producers/camera', video()],
      ['/participants/alice/data-producers/d', { transportId: 'send', ...DATA }]
    ] as const) {
      await session.expect(200, 'PUT', path, { ...body, closings: 1 })
      // Of repeats the highest number counts.
      await session.expect(200, 'PUT', path, { ...body, closings: 3 })
      await session.expect(200, 'PUT', path, { ...body, closings: 2 })
      await session.expect(204, 'DELETE', `${path}?closings=3`)
      await session.expect(200, 'GET', `${path}/stats`)
      await session.expect(204, 'DELETE', `${path}?closings=4`)
      await session.expect('not_found', 'GET', `${path}/stats`)
      await session.expect(200, 'PUT', path, body)
      await session.expect(204, 'DELETE', `${path}?closings=1`)
      await session.expect('not_found', 'GET', `${path}/stats`)
    }
  }
}

const CONSUMERS: Readonly<Record<string, Case>> = {
  'a consumer is created paused, resumed, changed and closed': async session => {
    await session.twoParticipants()
    const path = '/participants/bob/consumers/c'
    const created = await session.expect(200, 'PUT', path, session.consumption())
    session.t.match(created, { kind: 'video', paused: true, producerPaused: false })
    session.t.strictSame(await session.expect(200, 'PUT', path, session.consumption()), created)
    await session.expect('conflict', 'PUT', path, session.consumption('microphone'))
    session.t.match(await session.expect(200, 'PATCH', path, { paused: false }), { paused: false, priority: 1 })
    const preferredLayers = { spatialLayer: 1, temporalLayer: 2 }
    const changed = await session.expect(200, 'PATCH', path, { preferredLayers, priority: 9 })
    session.t.strictSame(changed, { paused: false, preferredLayers, priority: 9 })
    await session.expect(204, 'POST', `${path}/request-key-frame`)
    await session.expect(200, 'GET', `${path}/stats`)
    await session.expect(204, 'DELETE', path)
    await session.expect(204, 'DELETE', path)
    await session.expect('not_found', 'PATCH', path, { paused: true })
    await session.expect('not_found', 'POST', `${path}/request-key-frame`)
  },
  'a consumer closes with its producer': async session => {
    await session.twoParticipants()
    await session.expect(200, 'PUT', '/participants/bob/consumers/c', session.consumption('microphone'))
    await session.expect(204, 'DELETE', '/participants/alice/producers/microphone')
    await session.expect('not_found', 'PATCH', '/participants/bob/consumers/c', { paused: false })
    await session.expect(204, 'DELETE', '/participants/bob/consumers/c')
  },
  'a consumer of a paused producer says so': async session => {
    await session.twoParticipants()
    await session.expect(200, 'PATCH', '/participants/alice/producers/camera', { paused: true })
    const created = await session.expect(200, 'PUT', '/participants/bob/consumers/c', session.consumption())
    session.t.match(created, { producerPaused: true })
  },
  'what does not exist or does not fit is not consumed': async session => {
    await session.twoParticipants()
    const path = '/participants/bob/consumers/c'
    const rtpCapabilities = { codecs: [{ kind: 'video', mimeType: 'video/H263', clockRate: 90_000 }] }
    await session.expect('cannot_consume', 'PUT', path, session.consumption('camera', { rtpCapabilities }))
    await session.expect('not_found', 'PUT', path, session.consumption('x'))
    await session.expect('not_found', 'PUT', path, session.consumption('camera', { transportId: 'x' }))
    await session.expect(200, 'PUT', path, session.consumption())
  }
}

const DATA_CHANNELS: Readonly<Record<string, Case>> = {
  'data is produced and consumed': async session => {
    await session.twoParticipants()
    const producer = '/participants/alice/data-producers/d'
    const consumer = '/participants/bob/data-consumers/d'
    const consumption = { transportId: 'receive', dataProducer: { participantId: 'alice', dataProducerId: 'd' } }
    await session.expect('not_found', 'PUT', consumer, consumption)
    for (let times = 0; times < 2; times++) await session.expect(200, 'PUT', producer, { transportId: 'send', ...DATA })
    await session.expect('conflict', 'PUT', producer, { transportId: 'send', ...DATA, label: 'files' })
    const created = await session.expect(200, 'PUT', consumer, consumption)
    session.t.match(created, { label: 'chat', protocol: 'json', sctpStreamParameters: { streamId: Number } })
    session.t.strictSame(await session.expect(200, 'PUT', consumer, consumption), created)
    for (const path of [producer, consumer]) await session.expect(200, 'GET', `${path}/stats`)
    await session.expect(204, 'DELETE', producer)
    await session.expect(204, 'DELETE', producer)
    await session.expect('not_found', 'GET', `${producer}/stats`)
    await session.expect('not_found', 'GET', `${consumer}/stats`)
    await session.expect(204, 'DELETE', consumer)
  }
}

/** Bodies that are not of the form of the contract, or that no SFU takes: path beneath Alice, body. */
const INVALID: readonly (readonly [method: string, path: string, body: object])[] = [
  ['PUT', 'transports/t', {}],
  ['PUT', 'transports/t', { since: -1 }],
  ['PUT', 'transports/t', { since: 1, more: 1 }],
  ['PUT', 'transports/t', { since: 1, numSctpStreams: { OS: 0, MIS: 1 } }],
  ['POST', 'transports/send/connect', {}],
  ['POST', 'transports/send/connect', { dtlsParameters: { fingerprints: [] } }],
  ['POST', 'transports/send/connect', { dtlsParameters: { fingerprints: [{ algorithm: 'sha-3', value: 'AB:CD' }] } }],
  ['PUT', 'producers/p', video({ paused: 'no' })],
  ['PUT', 'producers/p', video({ rtpParameters: { codecs: [] } })],
  ['PUT', 'producers/p', video({ rtpParameters: { ...OPUS, codecs: [{ mimeType: 'audio/opus' }] } })],
  [
    'PUT',
    'producers/p',
    video({ rtpParameters: { codecs: [{ mimeType: 'video/H263', payloadType: 9, clockRate: 1 }] } })
  ],
  ['PUT', 'producers/p', video({ rtpParameters: { ...VP8_SIMULCAST, encodings: [{ rtx: {} }] } })],
  ['PATCH', 'producers/camera', { paused: 1 }],
  ['PUT', 'consumers/c', { transportId: 'send', rtpCapabilities: {} }],
  ['PATCH', 'consumers/c', {}],
  ['PATCH', 'consumers/c', { priority: 0 }],
  ['PATCH', 'consumers/c', { preferredLayers: { spatialLayer: -1 } }],
  ['PUT', 'data-producers/d', { transportId: 'send', ...DATA, sctpStreamParameters: { streamId: 65_535 } }],
  ['PUT', 'data-producers/d', { transportId: 'plain', ...DATA }]
]

/** Only with an SFU. */
const WITH_MEDIA: Readonly<Record<string, Case>> = {
  'what is not of the form of the contract is refused, and changes nothing': async session => {
    await session.twoParticipants()
    await session.transport('alice', 'plain')
    for (const [method, path, body] of INVALID)
      await session.expect('invalid_parameters', method, `/participants/alice/${path}`, body)
    await session.expect('not_found', 'GET', '/participants/alice/producers/p/stats')
    await session.expect(
      200,
      'PUT',
      '/participants/alice/producers/p',
      audio({ rtpParameters: { ...OPUS, mid: '7', encodings: [{ ssrc: 5 }] } })
    )
  },
  'with exactPayloadTypes the RTP has the payload types of the viewer': async session => {
    await session.twoParticipants()
    await session.transport('viewer', 'receive', { rtpCapabilities: VIEWER })
    const viewing = (more = {}) => ({ rtpCapabilities: VIEWER, exactPayloadTypes: true, ...more })
    for (const [producerId, payloadType] of Object.entries({ camera: 120, microphone: 109 })) {
      const path = `/participants/viewer/consumers/${producerId}`
      const created = await session.expect(200, 'PUT', path, session.consumption(producerId, viewing()))
      session.t.match(created, { paused: true, rtpParameters: { codecs: [{ payloadType }] } })
      const { codecs } = created.rtpParameters as { codecs: { mimeType: string; payloadType: number }[] }
      const others = codecs.filter(each =>
        VIEWER.codecs.every(({ preferredPayloadType: type }) => type !== each.payloadType)
      )
      session.t.strictSame(others, [], 'RTX too has the payload type of the viewer')
      session.t.strictSame(await session.expect(200, 'PUT', path, session.consumption(producerId, viewing())), created)
      session.t.match(await session.expect(200, 'PATCH', path, { paused: false }), { paused: false })
    }
    await session.transport('viewer', 'ordinary')
    const elsewhere = session.consumption('camera', viewing({ transportId: 'ordinary' }))
    await session.expect('cannot_consume', 'PUT', '/participants/viewer/consumers/x', elsewhere)
    await session.expect(204, 'DELETE', '/participants/alice/producers/camera')
    await session.expect('not_found', 'GET', '/participants/viewer/consumers/camera/stats')
    await session.expect(204, 'DELETE', '/participants/viewer')
  },
  'a session without requests closes': async session => {
    await session.open({ ...openingOf(session.roomId), idleTimeoutMs: 50 })
    let { body } = await session.client.call('GET', '/health')
    while (Number(body.sessions) > 0) body = (await session.client.call('GET', '/health')).body
    await session.expect('session_not_found', 'GET', '')
  }
}

export const CASES = { ...SESSIONS, ...TRANSPORTS, ...PRODUCERS, ...CONSUMERS, ...DATA_CHANNELS }

/** Runs all cases against a service that has no other sessions. */
export async function testMediaRequests(t: Test, service: MediaServiceUnderTest): Promise<void> {
  for (const [name, run] of Object.entries({ ...CASES, ...(service.hasMedia ? WITH_MEDIA : {}) }))
    await t.test(name, async t => {
      const session = new SessionUnderTest(t, service)
      await run(session)
      await session.expect(204, 'DELETE', '')
    })
}
