// The participants of a room in mode sfu, each with a stream and a keep-alive connection on one of the nodes. All do one step after the
// other: join, create and connect two transports, produce, consume and resume, leave. The same requests can go to the media service directly.
import { createToken } from '../harness/tokens.mjs'
import { DTLS_PARAMETERS, RTP_CAPABILITIES, SENT } from '../media-fixtures.mjs'
import { HttpUser } from './http-user.mjs'
import { inParallel } from './pairs.mjs'
import { quantile } from './quantile.mjs'

const OPENED_AT_ONCE = 32
const LIMIT_MS = 120_000
const KINDS = ['audio', 'video']
const TRANSPORTS = ['send', 'receive']

const CONNECT = JSON.stringify({ dtlsParameters: DTLS_PARAMETERS })
const RESUME = JSON.stringify({ paused: false })
const PRODUCE = Object.fromEntries(
  KINDS.map(kind => [kind, { transportId: 'send', kind, rtpParameters: SENT[kind], paused: false }])
)
const CONSUME = { transportId: 'receive', rtpCapabilities: RTP_CAPABILITIES }

/** By step: method, path and body of a request to Signalpost. */
function requestsToSignalpost(roomId) {
  const room = `/v1/rooms/${roomId}`
  return {
    join: () => ['POST', `${room}/participants`, '{}'],
    transport: (_, transportId) => ['POST', `${room}/sfu/transports`, JSON.stringify({ transportId })],
    connect: (_, transportId) => ['POST', `${room}/sfu/transports/${transportId}/connect`, CONNECT],
    produce: (_, kind) => ['POST', `${room}/sfu/producers`, JSON.stringify({ producerId: kind, ...PRODUCE[kind] })],
    consume: (_, { consumerId, ...producer }) => [
      ...['POST', `${room}/sfu/consumers`],
      JSON.stringify({ consumerId, ...producer, ...CONSUME })
    ],
    resume: (_, { consumerId }) => ['POST', `${room}/sfu/consumers/${consumerId}/resume`, ''],
    leave: ({ participantId }) => ['DELETE', `${room}/participants/${participantId}`, '']
  }
}

/** The same for a media service. */
function requestsToService(sessionId) {
  const own = ({ participantId }, ...rest) => `/sessions/${sessionId}/participants/${participantId}/${rest.join('/')}`
  return {
    transport: (person, id) => ['PUT', own(person, 'transports', id), '{"since":1}'],
    connect: (person, id) => ['POST', own(person, 'transports', id, 'connect'), CONNECT],
    produce: (person, kind) => ['PUT', own(person, 'producers', kind), JSON.stringify(PRODUCE[kind])],
    consume: (person, { consumerId, ...producer }) => [
      ...['PUT', own(person, 'consumers', consumerId)],
      JSON.stringify({ producer, ...CONSUME })
    ],
    resume: (person, { consumerId }) => ['PATCH', own(person, 'consumers', consumerId), RESUME]
  }
}

const EVENTS = { join: 'room.participant_joined', produce: 'sfu.producer_added', leave: 'room.participant_left' }

export class Conference {
  #people
  #path
  #requests
  #direct
  #counts = {}
  #onEvent = () => {}

  /** `direct`: the port is that of a media service. */
  constructor({ size, ports, secret, roomId, direct = false }) {
    this.#path = `/v1/rooms/${roomId}`
    this.#direct = direct
    this.#requests = direct ? requestsToService(roomId) : requestsToSignalpost(roomId)
    this.#people = Array.from({ length: size }, (_, index) => {
      const name = `${roomId}-${index}`
      const port = ports[index % ports.length]
      const nodes = { stream: port, post: port }
      const token = createToken(secret, { sub: name, device: name })
      const onEvent = type => this.#count(type, index)
      return { index, participantId: name, user: new HttpUser({ name, token, nodes, onEvent }) }
    })
  }

  #count(type, index) {
    this.#counts[type] = (this.#counts[type] ?? 0) + 1
    // The host is the only one who sees all others leave.
    if (index === 0) this.#counts[`${type} host`] = (this.#counts[`${type} host`] ?? 0) + 1
    this.#onEvent()
  }

  /** Opens the streams. The first participant creates the room and its media session. */
  async open() {
    if (this.#direct) return
    await inParallel(this.#people, OPENED_AT_ONCE, ({ user }) => user.open())
    const [host] = this.#people
    await this.#send(host, ['PUT', this.#path, '{"mode":"sfu","defaultRole":"speaker"}'])
    await this.#join(host)
    await this.#send(host, ['GET', `${this.#path}/sfu/capabilities`, ''])
  }

  /**
   * All take one step, with `each` requests of a participant and `width` requests at a time. Resolves when all are answered and all events have
   * arrived. Times in milliseconds.
   */
  async take({ step, each, width }) {
    const requests = this.#requestsOf(step, each)
    const times = []
    const before = this.#counts[EVENTS[step]] ?? 0
    const arrived = this.#untilArrived(step)
    const startedAt = performance.now()
    await inParallel(requests, width, async ({ person, request }) => {
      const sentAt = performance.now()
      if (step === 'join') await this.#join(person)
      else await this.#send(person, request)
      times.push(performance.now() - sentAt)
    })
    const answeredMs = performance.now() - startedAt
    await arrived
    times.sort((a, b) => a - b)
    const deliveries = (this.#counts[EVENTS[step]] ?? 0) - before
    return { count: times.length, answeredMs, p99: quantile(times, 0.99), deliveries }
  }

  /** One request of each participant after the other, so that consecutive requests are of different people. */
  #requestsOf(step, each) {
    const people = step === 'join' || step === 'leave' ? this.#people.slice(1) : this.#people
    return Array.from({ length: each }).flatMap((_, i) =>
      people.map(person => ({ person, request: this.#requests[step](person, this.#item(step, person, i)) }))
    )
  }

  /** What the request number `i` of a participant is about. */
  #item(step, { index }, i) {
    if (step === 'transport' || step === 'connect') return TRANSPORTS[i]
    if (step === 'produce') return KINDS[i]
    const sender = this.#people[(index + 1 + (i >> 1)) % this.#people.length]
    return { consumerId: `consumer-${i}`, participantId: sender.participantId, producerId: KINDS[i % 2] }
  }

  #untilArrived(step) {
    const type = EVENTS[step]
    if (type === undefined || this.#direct) return
    const { length } = this.#people
    const [name, expected] = {
      join: [type, (length * (length - 1)) / 2],
      produce: [type, length * (length - 1) * KINDS.length],
      leave: [`${type} host`, length - 1]
    }[step]
    const target = (this.#counts[name] ?? 0) + expected
    return new Promise((resolve, reject) => {
      const missing = () => new Error(`${step}: ${target - (this.#counts[name] ?? 0)} events are missing`)
      const timer = setTimeout(() => reject(missing()), LIMIT_MS)
      this.#onEvent = () => {
        if ((this.#counts[name] ?? 0) < target) return
        clearTimeout(timer)
        resolve()
      }
    })
  }

  async #join(person) {
    const text = await this.#send(person, this.#requests.join())
    person.participantId = JSON.parse(text).participantId
  }

  async #send({ user }, [method, path, body]) {
    const reply = await user.send(method, path, body)
    if (reply.status < 200 || reply.status > 299) throw new Error(`${method} ${path}: ${reply.status} ${reply.body}`)
    return reply.body
  }

  async close() {
    if (!this.#direct) await this.#send(this.#people[0], ['DELETE', this.#path, ''])
    for (const { user } of this.#people) user.close()
  }
}
