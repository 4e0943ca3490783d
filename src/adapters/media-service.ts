// A media service (openapi/media-service.yaml): routers, transports, producers and consumers in mediasoup's vocabulary. Every request is
// bounded in time and in bytes. All are idempotent except restartIce, whose last reply counts.
import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import * as shapes from '../schemas/media-service.js'
import type {
  ConsumerChange,
  ConsumerRequest,
  DataConsumerRequest,
  DataProducerRequest,
  MediaKind,
  MediaOwner,
  NumberedKind,
  ProducerRequest,
  SessionRequest,
  TransportRequest
} from './media-requests.js'
import { isConnectionClosed, type OutgoingReply, sendRequest } from './outgoing.js'

/** Of a reply. The statistics of a transport with many streams are the largest. */
const MAX_BYTES = 1024 * 1024
/** Of a detail of the service, in characters. */
const DETAIL_MAX = 500

/** The codes of a refusal. Any other 4xx is a failure: it is not about what a client has sent. */
export const REFUSALS = [
  'invalid_parameters',
  'session_not_found',
  'not_found',
  'already_connected',
  'cannot_consume',
  'limit_reached',
  'conflict',
  'overloaded'
] as const
export type RefusalCode = (typeof REFUSALS)[number]

/** The service has understood the request and refuses it. */
export class MediaRefusal extends Error {
  readonly code: RefusalCode
  readonly detail: string

  constructor(code: RefusalCode, detail: string) {
    super(`refused with ${code}: ${detail}`)
    this.name = 'MediaRefusal'
    this.code = code
    this.detail = detail
  }
}

/** No usable reply: no connection, none in time, a 5xx, another document, or the request was not sent because the service is down. */
export class MediaFailure extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'MediaFailure'
  }
}

export interface MediaServiceOptions {
  readonly url: string
  readonly secret: string
  readonly timeoutMs: number
  /** Sends the request, or throws MediaFailure without sending it. */
  readonly around?: Around
}

export type Around = <T>(send: () => Promise<T>) => Promise<T>

export type MediaServiceClient = ReturnType<typeof createMediaServiceClient>

/** Each function throws MediaRefusal or MediaFailure. */
export function createMediaServiceClient(options: MediaServiceOptions) {
  const { get, put, post, patch, remove } = createRequests(options)
  return {
    health: () => get('/health', readers.health),
    putSession: (sessionId: string, body: SessionRequest, timeoutMs?: number) =>
      put(sessionPath(sessionId), readers.session, body, timeoutMs),
    getSession: (sessionId: string) => get(sessionPath(sessionId), readers.session),
    deleteSession: (sessionId: string) => remove(sessionPath(sessionId)),
    /** Closes everything of participants that are not listed and have joined up to `version`. */
    keepParticipants: (sessionId: string, body: { version: number; participants: readonly string[] }) =>
      put(`${sessionPath(sessionId)}/participants`, nothing, body),
    deleteParticipant: (owner: MediaOwner) => remove(ownerPath(owner)),
    putTransport: (owner: MediaOwner, id: string, body: TransportRequest) =>
      put(pathOf(owner, 'transports', id), readers.transport, body),
    connectTransport: (owner: MediaOwner, id: string, body: { readonly dtlsParameters: object }) =>
      post(`${pathOf(owner, 'transports', id)}/connect`, nothing, body),
    restartIce: (owner: MediaOwner, id: string) =>
      post(`${pathOf(owner, 'transports', id)}/restart-ice`, readers.restartedIce),
    putProducer: (owner: MediaOwner, id: string, body: ProducerRequest) =>
      put(pathOf(owner, 'producers', id), readers.producer, body),
    patchProducer: (owner: MediaOwner, id: string, body: { readonly paused: boolean }) =>
      patch(pathOf(owner, 'producers', id), readers.producerState, body),
    putConsumer: (owner: MediaOwner, id: string, body: ConsumerRequest) =>
      put(pathOf(owner, 'consumers', id), readers.consumer, body),
    patchConsumer: (owner: MediaOwner, id: string, body: ConsumerChange) =>
      patch(pathOf(owner, 'consumers', id), readers.consumerState, body),
    requestKeyFrame: (owner: MediaOwner, id: string) =>
      post(`${pathOf(owner, 'consumers', id)}/request-key-frame`, nothing),
    putDataProducer: (owner: MediaOwner, id: string, body: DataProducerRequest) =>
      put(pathOf(owner, 'data-producers', id), readers.acknowledgement, body),
    putDataConsumer: (owner: MediaOwner, id: string, body: DataConsumerRequest) =>
      put(pathOf(owner, 'data-consumers', id), readers.dataConsumer, body),
    stats: (owner: MediaOwner, kind: MediaKind, id: string) => get(`${pathOf(owner, kind, id)}/stats`, readers.stats),
    remove: (owner: MediaOwner, kind: MediaKind, id: string) => remove(pathOf(owner, kind, id)),
    /** Closes it, unless it was created with this number or a higher one. */
    removeOlder: (owner: MediaOwner, kind: NumberedKind, ...[id, closings]: [string, number]) =>
      remove(`${pathOf(owner, kind, id)}?closings=${closings}`)
  }
}

const sessionPath = (sessionId: string) => `/sessions/${encodeURIComponent(sessionId)}`
const ownerPath = ({ sessionId, participantId }: MediaOwner) =>
  `${sessionPath(sessionId)}/participants/${encodeURIComponent(participantId)}`
const pathOf = (owner: MediaOwner, kind: MediaKind, id: string) =>
  `${ownerPath(owner)}/${kind}/${encodeURIComponent(id)}`

/** Turns the text of a 2xx into the reply. @throws Error if it is another document */
type Read<T> = (text: string) => T

function reader<Schema extends TSchema>(schema: Schema): Read<Static<Schema>> {
  const shape = Compile(schema)
  return text => {
    const document: unknown = JSON.parse(text)
    if (shape.Check(document)) return document as Static<Schema>
    const [first] = shape.Errors(document)
    throw new Error(`replied with an unexpected document: ${first?.instancePath} ${first?.message}`)
  }
}

const nothing: Read<void> = () => undefined

const readers = {
  health: reader(shapes.MediaHealth),
  session: reader(shapes.MediaSession),
  transport: reader(shapes.MediaTransport),
  restartedIce: reader(shapes.RestartedIce),
  producer: reader(shapes.MediaProducer),
  producerState: reader(shapes.ProducerState),
  consumer: reader(shapes.MediaConsumer),
  consumerState: reader(shapes.ConsumerState),
  dataConsumer: reader(shapes.MediaDataConsumer),
  acknowledgement: reader(shapes.Acknowledgement),
  stats: reader(shapes.MediaStats)
}

interface Sent<T> {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly read: Read<T>
  readonly body?: object | undefined
  /** Default: that of the service. */
  readonly timeoutMs?: number | undefined
}

function createRequests({ url, secret, timeoutMs: timeoutOfService, around = send => send() }: MediaServiceOptions) {
  const base = url.replace(/\/$/, '')

  async function exchange<T>({ method, path, read, body, timeoutMs = timeoutOfService }: Sent<T>): Promise<T> {
    const request = {
      method,
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${secret}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' })
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      timeoutMs,
      maxBytes: MAX_BYTES,
      readsAllBodies: true
    }
    // The service may restart at the moment in which the request arrives.
    const reply = await sendRequest(base + path, request).catch(error => {
      if (!isConnectionClosed(error)) throw error
      return sendRequest(base + path, request)
    })
    if (reply.status >= 200 && reply.status < 300) return read(reply.text)
    throw refusalIn(reply) ?? new Error(`replied with ${reply.status}${hintFor(reply.status)}`)
  }

  const send = <T>(request: Sent<T>): Promise<T> =>
    around(() =>
      exchange(request).catch(error => {
        if (error instanceof MediaRefusal) throw error
        throw new MediaFailure(`${request.method} of the media service failed`, error)
      })
    )

  return {
    get: <T>(path: string, read: Read<T>) => send({ method: 'GET', path, read }),
    remove: (path: string) => send({ method: 'DELETE', path, read: nothing }),
    post: <T>(path: string, read: Read<T>, body: object = {}) => send({ method: 'POST', path, read, body }),
    patch: <T>(path: string, read: Read<T>, body: object) => send({ method: 'PATCH', path, read, body }),
    put: <T>(path: string, read: Read<T>, ...[body, timeoutMs]: [object, number?]) =>
      send({ method: 'PUT', path, read, body, timeoutMs })
  }
}

const hintFor = (status: number): string =>
  status === 401 ? ': MEDIA_SERVICE_SECRET must be the same in the media service' : ''

const isError = Compile(shapes.MediaServiceError)

/** Null: the reply does not have the form of a refusal. */
function refusalIn({ status, text }: OutgoingReply): MediaRefusal | null {
  if (status < 400 || (status >= 500 && status !== 503)) return null
  const error = parseJson(text)
  if (!isError.Check(error)) return null
  const code = REFUSALS.find(each => each === error.code)
  if (code === undefined || (status === 503) !== (code === 'overloaded')) return null
  return new MediaRefusal(code, (error.detail ?? '').slice(0, DETAIL_MAX))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
