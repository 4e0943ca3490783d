// The routers of a session. One is for all; further ones have the payload types of participants who made the offer. Producers are piped between them.
import { exactCodecs } from './codecs.js'
import { MediaError } from './errors.js'

const EXACT_ROUTERS_MAX = 32
const LOOPBACK = '127.0.0.1'

/** A router, the producers that are piped into it by the id of the original, and the pipe transports from other routers. */
class SessionRouter {
  /** @param {import('mediasoup').types.Router} media @param {string} key of a router with payload types of a participant */
  constructor(media, key = '') {
    this.media = media
    this.key = key
    /** @type {Map<string, Promise<import('mediasoup').types.Producer>>} */
    this.piped = new Map()
    /** @type {Map<SessionRouter, Promise<{from: import('mediasoup').types.PipeTransport, to: import('mediasoup').types.PipeTransport}>>} */
    this.pipes = new Map()
    this.users = 0
  }
}

export class SessionRouters {
  #worker
  #codecs
  main
  /** @type {Map<string, Promise<SessionRouter>>} by their codecs */
  #exact = new Map()

  /** @param {import('mediasoup').types.Worker} worker @param {readonly object[]} codecs those of the main router */
  static async open(worker, codecs) {
    const main = await worker.createRouter({ mediaCodecs: /** @type {any[]} */ (structuredClone(codecs)) })
    return new SessionRouters(worker, codecs, new SessionRouter(main))
  }

  constructor(worker, codecs, main) {
    this.#worker = worker
    this.#codecs = codecs
    this.main = main
  }

  close() {
    this.main.media.close()
    for (const exact of this.#exact.values()) void exact.then(({ media }) => media.close()).catch(() => {})
  }

  /**
   * The router for a transport: the main one, or one with the payload types of these capabilities. That one is shared by all with the same
   * ones and closes when the last of them releases it.
   */
  async acquire(rtpCapabilities) {
    if (!rtpCapabilities) return this.main
    const mediaCodecs = exactCodecs(rtpCapabilities, this.#codecs)
    if (mediaCodecs.length === 0)
      throw new MediaError('invalid_parameters', 'rtpCapabilities have no codec of the session with a payload type')
    for (;;) {
      const router = await this.#open(mediaCodecs)
      if (router.media.closed) continue
      router.users++
      return router
    }
  }

  #open(mediaCodecs) {
    const key = JSON.stringify(mediaCodecs)
    const existing = this.#exact.get(key)
    if (existing) return existing
    if (this.#exact.size >= EXACT_ROUTERS_MAX)
      throw new MediaError('overloaded', `The session has ${EXACT_ROUTERS_MAX} sets of payload types`)
    const opening = this.#worker.createRouter({ mediaCodecs }).then(media => new SessionRouter(media, key))
    this.#exact.set(key, opening)
    opening.catch(() => this.#exact.delete(key))
    return opening
  }

  release(router) {
    if (router === this.main || --router.users > 0) return
    this.#exact.delete(router.key)
    router.media.close()
  }

  /** The producer as it can be consumed in `router`: itself, or a copy that is piped there. */
  async consumable(producer, router) {
    if (producer.router === router) return producer.media
    const { id } = producer.media
    let piped = router.piped.get(id)
    if (!piped) {
      piped = pipe(producer, router)
      router.piped.set(id, piped)
      const remove = () => router.piped.delete(id)
      piped.then(copy => copy.observer.once('close', remove), remove)
    }
    return piped
  }
}

/** As `pipeToRouter` of mediasoup, but the copy has an id of its own: within one worker both would receive each other's notifications. */
async function pipe({ media: producer, router: from }, to) {
  const { from: sending, to: receiving } = await pipeTransports(from, to)
  const consumer = await sending.consume({ producerId: producer.id })
  try {
    const { kind, rtpParameters, producerPaused } = consumer
    const copy = await receiving.produce({
      kind,
      rtpParameters: structuredClone(rtpParameters),
      paused: producerPaused
    })
    copy.observer.once('close', () => consumer.close())
    consumer.observer.once('close', () => copy.close())
    consumer.observer.on('pause', () => void copy.pause().catch(() => {}))
    consumer.observer.on('resume', () => void copy.resume().catch(() => {}))
    if (consumer.producerPaused !== copy.paused) await (consumer.producerPaused ? copy.pause() : copy.resume())
    if (consumer.closed) copy.close()
    return copy
  } catch (error) {
    consumer.close()
    throw error
  }
}

function pipeTransports(from, to) {
  let pair = to.pipes.get(from)
  if (!pair) {
    pair = connectPipe(from.media, to.media)
    to.pipes.set(from, pair)
    const remove = () => to.pipes.delete(from)
    pair.then(transports => transports.to.observer.once('close', remove), remove)
  }
  return pair
}

async function connectPipe(from, to) {
  const sending = await from.createPipeTransport({ listenIp: LOOPBACK })
  try {
    const receiving = await to.createPipeTransport({ listenIp: LOOPBACK })
    sending.observer.once('close', () => receiving.close())
    receiving.observer.once('close', () => sending.close())
    await sending.connect({ ip: LOOPBACK, port: receiving.tuple.localPort })
    await receiving.connect({ ip: LOOPBACK, port: sending.tuple.localPort })
    return { from: sending, to: receiving }
  } catch (error) {
    sending.close()
    throw error
  }
}
