// One session of the media service, with mediasoup-client: a transport in each direction, and the tracks that it carries. It is never
// repaired: when the media service loses it, sfu.ts closes it and opens the next one.
import type { ConsumerReply, MediaTransportReply, Producer, ProducerReply, SfuCapabilitiesReply } from './api.js'
import type { Method } from './core.js'
import type { Mediasoup, MediasoupLoader, MsConsumer, MsDevice, MsProducer, MsTransport } from './mediasoup.js'
import type { FlowHost, Publication } from './publication.js'

interface Consumed {
  readonly consumer: MsConsumer
  spatialLayer: number
}

/** Of a camera whose sender does not say them. */
const LAYER_WIDTHS = [320, 640]
const NO_MEDIASOUP = "Mode sfu needs mediasoup: () => import('mediasoup-client')"

export class SfuSession {
  id: string | undefined
  isOpen = false
  readonly #room: FlowHost
  #device: MsDevice | undefined
  #sending: MsTransport | undefined
  #receiving: MsTransport | undefined
  #work: Promise<unknown> = Promise.resolve()
  readonly #sent = new Map<Publication, MsProducer>()
  readonly #received = new Map<Producer, Consumed>()

  constructor(room: FlowHost) {
    this.#room = room
  }

  #request<T>(method: Method, path: string, body?: object): Promise<T> {
    return this.#room.request(method, `/sfu/${path}`, body)
  }

  async open(): Promise<void> {
    const { mediasoup } = this.#room.client.options
    if (!mediasoup) throw new Error(NO_MEDIASOUP)
    const device = await createDevice(mediasoup)
    const reply = await this.#request<SfuCapabilitiesReply>('GET', 'capabilities')
    this.id = reply.sessionId
    await device.load({ routerRtpCapabilities: reply.routerRtpCapabilities })
    this.#device = device
    const directions = ['createSendTransport', 'createRecvTransport'] as const
    const transports = await Promise.all(directions.map(create => this.#createTransport(device, create)))
    ;[this.#sending, this.#receiving] = transports
    this.isOpen = true
  }

  async #createTransport(
    device: MsDevice,
    create: 'createSendTransport' | 'createRecvTransport'
  ): Promise<MsTransport> {
    const reply = await this.#request<MediaTransportReply>('POST', 'transports')
    const { client, rtc } = this.#room
    const transport = device[create]({ ...reply.transport, ...(await client.iceConfig()), additionalSettings: rtc })
    const path = `transports/${transport.id}`
    transport.on('connect', ({ dtlsParameters }, done, fail) => {
      this.#request('POST', `${path}/connect`, { dtlsParameters }).then(done, fail)
    })
    transport.on('produce', ({ kind, rtpParameters, appData }, done, fail) => {
      const body = { transportId: transport.id, kind, rtpParameters, ...appData }
      this.#request<ProducerReply>('POST', 'producers', body).then(
        ({ producer }) => done({ id: producer.producerId }),
        fail
      )
    })
    transport.on('connectionstatechange', state => state === 'failed' && this.#restartIce(transport, path))
    return transport
  }

  /** The network of this page has changed. If this does not help, the event sfu.transport_closed follows. */
  async #restartIce(transport: MsTransport, path: string): Promise<void> {
    const restarted = await this.#request<object>('POST', `${path}/restart-ice`).catch(() => null)
    if (restarted && !transport.closed) await transport.restartIce(restarted).catch(() => {})
  }

  hasTransport(transportId: string | undefined): boolean {
    return [this.#sending, this.#receiving].some(transport => transport?.id === transportId)
  }

  // ── What we send ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Makes what is sent follow the publication. One step after the other: a publication may be closed while it is still produced. */
  sync(publication: Publication): Promise<void> {
    const done = this.#work.then(() => this.#sync(publication))
    this.#work = done.catch(() => {})
    return done
  }

  async #sync(publication: Publication): Promise<void> {
    const { track, isPaused, isClosed } = publication
    const producer = this.#sent.get(publication)
    if (!producer) return isClosed ? undefined : this.#produce(publication)
    const path = `producers/${producer.id}`
    if (isClosed) {
      this.#sent.delete(publication)
      producer.close()
      return this.#request('DELETE', path)
    }
    if (producer.track !== track) await producer.replaceTrack({ track })
    if (producer.paused === isPaused) return
    if (isPaused) producer.pause()
    else producer.resume()
    await this.#request('PATCH', path, { paused: isPaused })
  }

  async #produce(publication: Publication): Promise<void> {
    const { track, source, encodings, isPaused } = publication
    const { width = 0 } = track.getSettings()
    const widths = encodings.map(({ scaleResolutionDownBy = 1 }) => Math.round(width / scaleResolutionDownBy))
    const producer = await (this.#sending as MsTransport).produce({
      track,
      stopTracks: false,
      ...(encodings.length > 0 && { encodings, codecOptions: { videoGoogleStartBitrate: 500 } }),
      // Members of the body of the request.
      appData: { source, paused: isPaused, appData: { widths } }
    })
    if (isPaused) producer.pause()
    this.#sent.set(publication, producer)
  }

  /** Resolves when what is produced now is known: an event about it may come before the reply. */
  async publicationOf(producerId: string | undefined): Promise<Publication | undefined> {
    await this.#work
    return [...this.#sent].find(([, { id }]) => id === producerId)?.[0]
  }

  // ── What we receive ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Returns the track. `width` is that of the element that shows it, in pixels. */
  async receive(producer: Producer, width: number): Promise<MediaStreamTrack> {
    const { participantId, producerId, type, source } = producer
    const spatialLayer = layerFor(width, producer)
    const { consumer: parameters } = await this.#request<ConsumerReply>('POST', 'consumers', {
      ...{ participantId, producerId, transportId: this.#receiving?.id },
      rtpCapabilities: this.#device?.recvRtpCapabilities,
      ...(type !== 'simple' && { preferredLayers: { spatialLayer } })
    })
    const consumer = await (this.#receiving as MsTransport).consume({
      ...parameters,
      streamId: `${participantId}-${source}`
    })
    this.#received.set(producer, { consumer, spatialLayer })
    // Only now, so that no packet arrives before this page can receive it.
    await this.#request('POST', `consumers/${consumer.id}/resume`)
    return consumer.track
  }

  /** Asks for the layers that an element of this width needs. */
  async resize(producer: Producer, width: number): Promise<void> {
    const received = this.#received.get(producer)
    const spatialLayer = layerFor(width, producer)
    if (!received || producer.type === 'simple' || received.spatialLayer === spatialLayer) return
    received.spatialLayer = spatialLayer
    await this.#request('PATCH', `consumers/${received.consumer.id}`, { preferredLayers: { spatialLayer } })
  }

  /** The producer is closed; the media service has closed our consumer itself. */
  stopReceiving(producer: Producer): void {
    this.#received.get(producer)?.consumer.close()
    this.#received.delete(producer)
  }

  closeConsumer(consumerId: string | undefined): void {
    for (const [producer, { consumer }] of this.#received) if (consumer.id === consumerId) this.stopReceiving(producer)
  }

  /** `tellsService`: the session goes on without us. */
  close({ tellsService = false } = {}): void {
    this.isOpen = false
    for (const transport of [this.#sending, this.#receiving]) {
      transport?.close()
      if (transport && tellsService) this.#request('DELETE', `transports/${transport.id}`).catch(() => {})
    }
  }
}

/** The package is CommonJS: bundlers put its exports into `default`. */
async function createDevice(load: MediasoupLoader): Promise<MsDevice> {
  const module = (await load()) as Mediasoup & { readonly default?: Mediasoup }
  return new (module.default ?? module).Device()
}

/** The smallest layer that fills the width, if the browser may stretch it by a third. */
function layerFor(width: number, { appData }: Producer): number {
  const widths = Array.isArray(appData.widths) && appData.widths.length > 0 ? appData.widths : LAYER_WIDTHS
  const fitting = widths.findIndex(each => (Number(each) * 4) / 3 >= width)
  return fitting < 0 ? widths.length - 1 : fitting
}
