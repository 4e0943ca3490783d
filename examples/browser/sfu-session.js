// One session of the media service, with mediasoup-client: a transport in each direction, and the tracks that it carries. It is never
// repaired: when the media service loses it, sfu.js closes it and opens the next one.

/** The widths of the pictures of a camera that this page sends, smallest first: the spatial layers. */
const LAYER_WIDTHS = [320, 640]
const CAMERA = {
  encodings: [{ scaleResolutionDownBy: 2, maxBitrate: 150_000 }, { maxBitrate: 600_000 }],
  codecOptions: { videoGoogleStartBitrate: 500 }
}

const NOT_BUILT =
  'mediasoup-client is missing: npm --prefix examples/browser ci && npm --prefix examples/browser run build'

export class SfuSession {
  id
  isOpen = false
  #request
  #iceServers
  #device
  #sending
  #receiving
  /** What we send, by producer id: `{ source, producer }`. */
  #producers = new Map()
  /** What we receive, by consumer id. */
  #consumers = new Map()

  /** `request(method, path, body)` sends a request beneath `/rooms/{roomId}/sfu`. */
  constructor({ request, iceServers }) {
    this.#request = request
    this.#iceServers = iceServers
  }

  async open() {
    // Only here, so that rooms in mode p2p need no build. The package is CommonJS, so all that it exports is in `default`.
    const { default: mediasoup } = await import('./dist/mediasoup-client.js').catch(cause => {
      throw new Error(NOT_BUILT, { cause })
    })
    const { sessionId, routerRtpCapabilities } = await this.#request('get', 'capabilities')
    this.id = sessionId
    this.#device = new mediasoup.Device()
    await this.#device.load({ routerRtpCapabilities })
    const directions = ['createSendTransport', 'createRecvTransport']
    const transports = await Promise.all(directions.map(create => this.#createTransport(create)))
    ;[this.#sending, this.#receiving] = transports
    this.isOpen = true
  }

  // All ids are chosen here, so that a repeated request cannot create anything twice.
  async #createTransport(create) {
    const transportId = crypto.randomUUID()
    const path = `transports/${transportId}`
    const { transport: parameters } = await this.#request('post', 'transports', { transportId })
    const transport = this.#device[create]({ ...parameters, iceServers: this.#iceServers })
    transport.on('connect', ({ dtlsParameters }, done, fail) =>
      this.#request('post', `${path}/connect`, { dtlsParameters }).then(done, fail)
    )
    transport.on('produce', ({ kind, rtpParameters, appData: { source } }, done, fail) => {
      const body = { producerId: crypto.randomUUID(), transportId, kind, source, rtpParameters }
      this.#request('post', 'producers', body).then(({ producer }) => done({ id: producer.producerId }), fail)
    })
    // The network of this page has changed. If that does not help, the event sfu.transport_closed follows.
    transport.on('connectionstatechange', async state => {
      if (state !== 'failed') return
      const restarted = await this.#request('post', `${path}/restart-ice`).catch(() => null)
      if (restarted && !transport.closed) await transport.restartIce(restarted).catch(() => {})
    })
    return transport
  }

  hasTransport(transportId) {
    return [this.#sending, this.#receiving].some(transport => transport?.id === transportId)
  }

  /** `source`: audio, video or screen. */
  async send(source, track) {
    const options = source === 'video' ? CAMERA : {}
    const producer = await this.#sending.produce({ track, stopTracks: false, appData: { source }, ...options })
    this.#producers.set(producer.id, { source, producer })
  }

  async stopSending(source) {
    for (const producer of this.#sentFrom(source)) {
      this.closeProducer(producer.id)
      await this.#request('delete', `producers/${producer.id}`)
    }
  }

  sourceOf(producerId) {
    return this.#producers.get(producerId)?.source
  }

  /** The server has closed it. */
  closeProducer(producerId) {
    this.#producers.get(producerId)?.producer.close()
    this.#producers.delete(producerId)
  }

  /** The server has paused it. */
  pauseProducer(producerId) {
    this.#producers.get(producerId)?.producer.pause()
  }

  /** Resumes what was paused: only we can. */
  async resumeSending(source) {
    for (const producer of this.#sentFrom(source)) {
      if (!producer.paused) continue
      await this.#request('patch', `producers/${producer.id}`, { paused: false })
      producer.resume()
    }
  }

  #sentFrom(source) {
    return [...this.#producers.values()].filter(each => each.source === source).map(({ producer }) => producer)
  }

  /** Returns the track. `width` is that of the video element, in pixels. */
  async receive({ participantId, producerId, type, source }, width) {
    const { consumer: parameters } = await this.#request('post', 'consumers', {
      ...{ consumerId: crypto.randomUUID(), participantId, producerId, transportId: this.#receiving.id },
      rtpCapabilities: this.#device.recvRtpCapabilities,
      ...(type !== 'simple' && { preferredLayers: layersFor(width) })
    })
    const appData = { participantId, source, type, spatialLayer: layersFor(width).spatialLayer }
    const consumer = await this.#receiving.consume({ ...parameters, streamId: `${participantId}-${source}`, appData })
    this.#consumers.set(consumer.id, consumer)
    // Only now, so that no packet arrives before this page can receive it.
    await this.#request('post', `consumers/${consumer.id}/resume`)
    return consumer.track
  }

  /** The picture is now shown with this width: asks for the layers that it needs. */
  async resize({ participantId, producerId }, width) {
    const preferredLayers = layersFor(width)
    const consumer = this.#consumerOf(participantId, producerId)
    if (!consumer || consumer.appData.type === 'simple') return
    if (consumer.appData.spatialLayer === preferredLayers.spatialLayer) return
    consumer.appData.spatialLayer = preferredLayers.spatialLayer
    await this.#request('patch', `consumers/${consumer.id}`, { preferredLayers })
  }

  /** The producer is closed; the media service has closed our consumer itself. */
  stopReceiving({ participantId, producerId }) {
    const consumer = this.#consumerOf(participantId, producerId)
    if (consumer) this.closeConsumer(consumer.id)
  }

  closeConsumer(consumerId) {
    this.#consumers.get(consumerId)?.close()
    this.#consumers.delete(consumerId)
  }

  #consumerOf(participantId, producerId) {
    return [...this.#consumers.values()].find(
      each => each.producerId === producerId && each.appData.participantId === participantId
    )
  }

  /** What is sent and received, with statistics. */
  report() {
    const sent = [...this.#producers.values()].map(async ({ source, producer }) => {
      return { isSent: true, source, kind: producer.kind, stats: await producer.getStats() }
    })
    const received = [...this.#consumers.values()].map(async consumer => {
      const { participantId, source } = consumer.appData
      const { producerId, kind } = consumer
      return { isSent: false, participantId, producerId, source, kind, stats: await consumer.getStats() }
    })
    return Promise.all([...sent, ...received])
  }

  /** `tellsService`: the session goes on without us. */
  close({ tellsService = false } = {}) {
    this.isOpen = false
    for (const transport of [this.#sending, this.#receiving]) {
      if (!transport || transport.closed) continue
      transport.close()
      if (tellsService) this.#request('delete', `transports/${transport.id}`).catch(() => {})
    }
  }
}

/** The smallest layer that fills the width, if the browser may stretch it by a third. */
function layersFor(width) {
  const fitting = LAYER_WIDTHS.findIndex(each => (each * 4) / 3 >= width)
  return { spatialLayer: fitting < 0 ? LAYER_WIDTHS.length - 1 : fitting }
}
