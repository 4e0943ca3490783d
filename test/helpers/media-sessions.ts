// The sessions of a media service without media: everything that openapi/media-service.yaml says about requests, in memory.
import { isDeepStrictEqual } from 'node:util'

export interface MediaReply {
  readonly status: number
  readonly body?: object
}

type Body = Readonly<Record<string, unknown>>

class Refused extends Error {
  readonly reply: MediaReply

  constructor(status: number, code: string, detail = code) {
    super(code)
    this.reply = { status, body: { code, detail } }
  }
}

/** A transport, producer or consumer: its id, what it was created with, and what changes. */
interface Resource {
  readonly parameters: Body
  readonly reply: Body
  /** Of a producer or consumer. */
  readonly transportId?: string
  closings: number
  state: Body
}

const KINDS = ['transports', 'producers', 'consumers', 'data-producers', 'data-consumers'] as const
type Kind = (typeof KINDS)[number]
const LIMIT_OF: Readonly<Record<Kind, string>> = {
  transports: 'transports',
  producers: 'producers',
  consumers: 'consumers',
  'data-producers': 'dataProducers',
  'data-consumers': 'dataConsumers'
}

interface Owner {
  readonly since: number
  readonly resources: Readonly<Record<Kind, Map<string, Resource>>>
}

export interface Session {
  readonly sessionId: string
  readonly roomId: string
  readonly service: string
  readonly limits: Readonly<Record<string, number>>
  readonly parameters: Body
  readonly participants: Map<string, Owner>
}

export const CAPABILITIES = {
  codecs: [
    { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2, preferredPayloadType: 100 },
    { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000, preferredPayloadType: 101 }
  ],
  headerExtensions: []
}

const ICE = { usernameFragment: 'h4q0m3vkk0q0s4c1', password: '7c4t2y8w9o1p5r3e6u0i2a4s6d8f1g3h', iceLite: true }
const [ip, protocol, type, foundation] = ['203.0.113.7', 'udp', 'host', 'udpcandidate']
const CANDIDATES = [{ foundation, priority: 1_076_302_079, ip, address: ip, protocol, port: 40_000, type }]
const FINGERPRINT = { algorithm: 'sha-256', value: Array.from({ length: 32 }, () => '2F').join(':') }
const SCTP = { port: 5000, OS: 1024, MIS: 1024, maxMessageSize: 262_144 }

export class MediaSessions {
  readonly sessions = new Map<string, Session>()
  #restarts = 0

  /** @throws an error with a `reply` if the request is refused */
  putSession(sessionId: string, parameters: Body): MediaReply {
    const found = this.sessions.get(sessionId)
    if (found && !isDeepStrictEqual(found.parameters, parameters)) throw new Refused(409, 'conflict')
    const { roomId, service, limits } = parameters as unknown as Session
    if (!found) {
      const participants = new Map<string, Owner>()
      this.sessions.set(sessionId, { sessionId, roomId, service, limits, parameters, participants })
    }
    return { status: found ? 200 : 201, body: { routerRtpCapabilities: CAPABILITIES } }
  }

  getSession(sessionId: string): MediaReply {
    this.#session(sessionId)
    return { status: 200, body: { routerRtpCapabilities: CAPABILITIES } }
  }

  deleteSession(sessionId: string): MediaReply {
    this.sessions.delete(sessionId)
    return { status: 204 }
  }

  keepParticipants(sessionId: string, body: Body): MediaReply {
    const { version, participants: kept } = body as { version: number; participants: string[] }
    const { participants } = this.#session(sessionId)
    for (const [id, { since }] of participants)
      if (!kept.includes(id) && since <= version) this.deleteParticipant(sessionId, id)
    return { status: 204 }
  }

  deleteParticipant(sessionId: string, participantId: string): MediaReply {
    const { participants } = this.#session(sessionId)
    for (const id of participants.get(participantId)?.resources.transports.keys() ?? [])
      this.remove({ sessionId, participantId, kind: 'transports', id })
    participants.delete(participantId)
    return { status: 204 }
  }

  put(path: ResourcePath, { ...body }: Body): MediaReply {
    const { sessionId, participantId, kind, id } = path
    const session = this.#session(sessionId)
    const owner = session.participants.get(participantId) ?? newOwner(Number(body.since))
    const resources = owner.resources[kind]
    const { since: _, paused: __, closings = 0, ...parameters } = body
    const found = resources.get(id)
    if (found && !isDeepStrictEqual(found.parameters, parameters)) throw new Refused(409, 'conflict')
    if (found) {
      found.closings = Math.max(found.closings, Number(closings))
      return { status: 200, body: { ...found.reply, ...found.state } }
    }
    if (kind !== 'transports' && !owner.resources.transports.has(String(body.transportId)))
      throw new Refused(404, 'not_found', 'No such transport')
    const created = this.#create(session, kind, body)
    if (resources.size >= (session.limits[LIMIT_OF[kind]] ?? 0)) throw new Refused(409, 'limit_reached')
    session.participants.set(participantId, owner)
    resources.set(id, {
      parameters,
      closings: Number(closings),
      ...(kind === 'transports' ? {} : { transportId: String(body.transportId) }),
      ...created
    })
    return { status: 200, body: { ...created.reply, ...created.state } }
  }

  #create(session: Session, kind: Kind, body: Body): Pick<Resource, 'reply' | 'state'> {
    if (kind === 'transports') {
      const dtlsParameters = { role: 'auto', fingerprints: [FINGERPRINT] }
      const sctpParameters = body.enableSctp ? SCTP : null
      return { reply: { iceParameters: ICE, iceCandidates: CANDIDATES, dtlsParameters, sctpParameters }, state: {} }
    }
    if (kind === 'producers') {
      if (mimeTypesIn(body.rtpParameters).length === 0) throw new Refused(400, 'invalid_parameters', 'missing codecs')
      return { reply: { type: 'simple' }, state: { paused: body.paused } }
    }
    if (kind === 'data-producers') return { reply: {}, state: {} }
    if (kind === 'consumers') return this.#createConsumer(session, body)
    const { participantId, dataProducerId } = body.dataProducer as Record<string, string>
    const producer = this.#find(session, participantId, 'data-producers', dataProducerId)
    const { label, protocol: subprotocol } = producer.parameters
    return { reply: { sctpStreamParameters: { streamId: 1, ordered: true }, label, protocol: subprotocol }, state: {} }
  }

  #createConsumer(session: Session, body: Body): Pick<Resource, 'reply' | 'state'> {
    const { participantId, producerId } = body.producer as Record<string, string>
    const { parameters, state } = this.#find(session, participantId, 'producers', producerId)
    const offered = mimeTypesIn(parameters.rtpParameters)
    if (!mimeTypesIn(body.rtpCapabilities).some(each => offered.includes(each)))
      throw new Refused(409, 'cannot_consume')
    const { kind } = parameters
    const rtpParameters = body.exactPayloadTypes ? exactParameters(body, offered) : parameters.rtpParameters
    const layers = body.preferredLayers ?? null
    return {
      reply: { kind, rtpParameters, type: 'simple', producerPaused: state.paused },
      state: { paused: true, preferredLayers: layers, priority: 1 }
    }
  }

  #find(session: Session, participantId = '', ...[kind, id = '']: [Kind, string?]): Resource {
    const resource = session.participants.get(participantId)?.resources[kind].get(id)
    if (!resource) throw new Refused(404, 'not_found', `No such ${kind}`)
    return resource
  }

  patch({ sessionId, participantId, kind, id }: ResourcePath, body: Body): MediaReply {
    const resource = this.#find(this.#session(sessionId), participantId, kind, id)
    resource.state = { ...resource.state, ...body }
    return { status: 200, body: resource.state }
  }

  connect({ sessionId, participantId, id }: ResourcePath, body: Body): MediaReply {
    const transport = this.#find(this.#session(sessionId), participantId, 'transports', id)
    const { fingerprints } = body.dtlsParameters as { fingerprints?: unknown }
    if (!Array.isArray(fingerprints)) throw new Refused(400, 'invalid_parameters', 'missing fingerprints')
    const given = new Set(fingerprints)
    const before = transport.state.fingerprints
    if (before !== undefined && !isDeepStrictEqual(before, given)) throw new Refused(409, 'already_connected')
    transport.state = { fingerprints: given }
    return { status: 204 }
  }

  restartIce({ sessionId, participantId, id }: ResourcePath): MediaReply {
    this.#find(this.#session(sessionId), participantId, 'transports', id)
    const usernameFragment = `restarted${++this.#restarts}`
    return { status: 200, body: { iceParameters: { ...ICE, usernameFragment } } }
  }

  requestKeyFrame({ sessionId, participantId, id }: ResourcePath): MediaReply {
    this.#find(this.#session(sessionId), participantId, 'consumers', id)
    return { status: 204 }
  }

  stats({ sessionId, participantId, kind, id }: ResourcePath): MediaReply {
    this.#find(this.#session(sessionId), participantId, kind, id)
    return { status: 200, body: { stats: [{ type: kind, timestamp: 1 }] } }
  }

  /** Unless it was created with as many `closings` or more. What used a closed transport or producer closes with it. */
  remove({ sessionId, participantId, kind, id }: ResourcePath, closings = Number.POSITIVE_INFINITY): MediaReply {
    const session = this.#session(sessionId)
    const own = session.participants.get(participantId)?.resources
    if ((own?.[kind].get(id)?.closings ?? 0) >= closings) return { status: 204 }
    own?.[kind].delete(id)
    if (kind === 'transports' && own) {
      for (const each of KINDS) {
        for (const [name, { transportId }] of own[each])
          if (transportId === id) this.remove({ sessionId, participantId, kind: each, id: name })
      }
    }
    if (kind === 'producers' || kind === 'data-producers') closeConsumers(session, participantId, id)
    return { status: 204 }
  }

  #session(sessionId: string): Session {
    const session = this.sessions.get(sessionId)
    if (!session) throw new Refused(404, 'session_not_found')
    return session
  }
}

export interface ResourcePath {
  readonly sessionId: string
  readonly participantId: string
  readonly kind: Kind
  readonly id: string
}

const newOwner = (since: number): Owner => ({
  since,
  resources: {
    transports: new Map(),
    producers: new Map(),
    consumers: new Map(),
    'data-producers': new Map(),
    'data-consumers': new Map()
  }
})

function mimeTypesIn(parameters: unknown): string[] {
  const { codecs } = (parameters ?? {}) as { codecs?: unknown }
  return Array.isArray(codecs) ? codecs.map(({ mimeType }) => String(mimeType).toLowerCase()) : []
}

/** With the payload type of the viewer, and without RTX. */
function exactParameters({ rtpCapabilities }: Body, offered: readonly string[]): object {
  const { codecs } = rtpCapabilities as { codecs: readonly Readonly<Record<string, unknown>>[] }
  const found = codecs.find(({ mimeType }) => offered.includes(String(mimeType).toLowerCase()))
  const { preferredPayloadType: payloadType, kind: _, ...codec } = found ?? {}
  return { codecs: [{ ...codec, payloadType }], encodings: [{ ssrc: 1234 }], rtcp: { cname: 'publisher' } }
}

function closeConsumers({ participants }: Session, participantId: string, id: string): void {
  for (const { resources } of participants.values()) {
    for (const kind of ['consumers', 'data-consumers'] as const) {
      for (const [name, { parameters }] of resources[kind]) {
        const of = (parameters.producer ?? parameters.dataProducer) as Record<string, string>
        if (of.participantId === participantId && (of.producerId ?? of.dataProducerId) === id)
          resources[kind].delete(name)
      }
    }
  }
}

/** The reply of a refusal; null: the error is another one. */
export const refusalOf = (error: unknown): MediaReply | null => (error instanceof Refused ? error.reply : null)
