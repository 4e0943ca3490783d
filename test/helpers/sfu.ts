// Participants of a room in mode sfu, on a media service without media that the test file starts.
import assert from 'node:assert/strict'
import { TestMediaService } from './media-service.js'
import { CAPABILITIES } from './media-sessions.js'
import { type JoinedClient, join } from './rooms.js'
import type { Scenario } from './scenario.js'
import type { Reply } from './test-client.js'
import type { Environment } from './test-cluster.js'

const SECRET = 'the-secret-of-the-media-services-is-long'

export async function startMediaService(): Promise<{ readonly service: TestMediaService; readonly env: Environment }> {
  const service = await TestMediaService.start(SECRET)
  return { service, env: { MEDIA_SERVICE_URLS: service.url, MEDIA_SERVICE_SECRET: SECRET } }
}

const CODECS = {
  audio: { mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2 },
  video: { mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000, futureMember: { kept: true } }
}

export const rtpParameters = (kind: 'audio' | 'video') => ({
  mid: '0',
  codecs: [CODECS[kind]],
  encodings: [{ ssrc: kind === 'audio' ? 1111 : 2222 }],
  rtcp: { cname: 'x' }
})

export const FINGERPRINT = { algorithm: 'sha-256', value: 'AA:BB' }

/** A participant with the transports `send` and `receive`. */
export class MediaClient {
  readonly who: JoinedClient['who']
  readonly id: string
  readonly room: string

  constructor({ who, id }: JoinedClient, room: string) {
    this.who = who
    this.id = id
    this.room = room
  }

  request(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object, headers = {}): Promise<Reply> {
    return this.who.request(method, `rooms/${this.room}/sfu/${path}`, body, headers)
  }

  async post(path: string, body?: object): Promise<Record<string, unknown>> {
    const reply = await this.request('POST', path, body)
    assert.ok(reply.status < 300, `${this.who.user} ${path}: ${JSON.stringify(reply.body)}`)
    return reply.body
  }

  async openTransports(): Promise<this> {
    for (const transportId of ['send', 'receive']) await this.post('transports', { transportId, enableSctp: true })
    return this
  }

  /** The body of a request that creates this producer. */
  producing(producerId: string, kind: 'audio' | 'video' = 'video', more = {}) {
    return { producerId, transportId: 'send', kind, rtpParameters: rtpParameters(kind), ...more }
  }

  produce(producerId: string, kind: 'audio' | 'video' = 'video', more = {}): Promise<Reply> {
    return this.request('POST', 'producers', this.producing(producerId, kind, more))
  }

  produceData(dataProducerId: string, more = {}): Promise<Reply> {
    const sctpStreamParameters = { streamId: 0, ordered: true }
    return this.request('POST', 'data-producers', {
      dataProducerId,
      transportId: 'send',
      sctpStreamParameters,
      ...more
    })
  }

  consume(consumerId: string, from: MediaClient, producerId: string, more = {}): Promise<Reply> {
    const participantId = from.id
    const body = { consumerId, participantId, producerId, transportId: 'receive', rtpCapabilities: CAPABILITIES }
    return this.request('POST', 'consumers', { ...body, ...more })
  }

  consumeData(dataConsumerId: string, from: MediaClient, dataProducerId: string): Promise<Reply> {
    const body = { dataConsumerId, participantId: from.id, dataProducerId, transportId: 'receive' }
    return this.request('POST', 'data-consumers', body)
  }

  pause(producerId: string, paused = true): Promise<Reply> {
    return this.request('PATCH', `producers/${producerId}`, { paused })
  }

  /** The ids of what the room says is sent, with those that are paused in brackets. */
  async sent(): Promise<string[]> {
    const { body } = await this.request('GET', 'producers')
    const producers = body.producers as { producerId: string; paused: boolean }[]
    return producers.map(({ producerId, paused }) => (paused ? `(${producerId})` : producerId)).sort()
  }
}

/** Alice, on the first node, is the host of a room in mode sfu; bob is on the last one. All have received the events of the joins. */
export async function meetInSfu(scenario: Scenario, room = 'r1'): Promise<[alice: MediaClient, bob: MediaClient]> {
  const [a, b] = await scenario.addAliceAndBob()
  const created = await a.request('PUT', `rooms/${room}`, { mode: 'sfu' })
  assert.equal(created.status, 201, JSON.stringify(created.body))
  const alice = await new MediaClient(await join(a, room), room).openTransports()
  const bob = await new MediaClient(await join(b, room), room).openTransports()
  await a.expectEvent('room.participant_joined')
  return [alice, bob]
}
