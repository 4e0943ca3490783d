// The network of one person: a `fetch` that writes down what it does, and that can be broken on purpose.
import { SseParser } from '../../client/src/sse.js'
import type { Healing } from './healing.js'
import type { Wire, WireRequest } from './wire.js'

interface ServerEvent {
  readonly id?: string | null
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

const isStream = (url: string) => /\/v1\/events(\?|$)/.test(url)
const isPoll = (url: string) => url.includes('/v1/events/poll')
const hasCandidates = (url: string) => url.endsWith('/candidates')

/** A part of a stream, and when it may go on. */
interface Arrival {
  readonly chunk: Uint8Array
  readonly mayPass: Promise<void> | undefined
}

interface NetworkOptions {
  readonly person: string
  readonly wire: Wire
  readonly healing: Healing
  /** What is counted or held back has changed. */
  changed(): void
}

/** What a browser throws when there is no network. */
const failure = () => new TypeError('Failed to fetch')

export class Network {
  /** Candidates are held back for this time before they are sent, and again when they arrive: then all that follows them waits, too. */
  candidateDelayMs = 0
  /** Streams are opened, but nothing of them arrives, as behind a proxy that buffers. */
  holdsStreams = false
  /** Events with an id that have arrived for the first time, and again. */
  readonly counts = { events: 0, repeats: 0, streams: 0 }
  readonly #options: NetworkOptions
  readonly #open = new Map<AbortController, { readonly isEventRequest: boolean }>()
  readonly #ids = new Set<string>()
  #cursor: string | null = null
  #isOffline = false
  #isServerGone = false

  constructor(options: NetworkOptions) {
    this.#options = options
  }

  get #wire(): Wire {
    return this.#options.wire
  }

  get isOffline(): boolean {
    return this.#isOffline
  }

  /** The last request that nothing here has cut got no reply, or that of a proxy which did not reach the server. */
  get isServerGone(): boolean {
    return this.#isServerGone
  }

  #noteServer(isGone: boolean): void {
    if (isGone === this.#isServerGone) return
    this.#isServerGone = isGone
    this.#options.changed()
  }

  /** Cuts the open stream or poll, as a network that fails. */
  dropStream(): void {
    for (const [closing, { isEventRequest }] of this.#open) if (isEventRequest) closing.abort()
  }

  /** Cuts everything, and refuses requests, until the returned promise resolves. */
  async goOffline(ms: number): Promise<void> {
    this.#isOffline = true
    for (const closing of this.#open.keys()) closing.abort()
    await new Promise(resolve => setTimeout(resolve, ms))
    this.#isOffline = false
  }

  readonly fetch: typeof fetch = async (input, init = {}) => {
    const url = String(input)
    const { method = 'GET', body = null } = init
    const headers = Object.fromEntries(new Headers(init.headers))
    const text = typeof body === 'string' ? body : null
    const request = this.#wire.request({ person: this.#options.person, method, url, headers, body: text })
    if (this.candidateDelayMs > 0 && hasCandidates(url)) {
      this.#wire.update(request, { note: this.#heldNote })
      await this.#hold()
    }
    return this.#send(request, init)
  }

  get #heldNote(): string {
    return `held back for ${this.candidateDelayMs / 1000} s`
  }

  async #hold(): Promise<void> {
    const { healing, changed } = this.#options
    const ms = this.candidateDelayMs
    const release = healing.hold(ms)
    changed()
    await new Promise(resolve => setTimeout(resolve, ms))
    release()
    changed()
  }

  async #send(request: WireRequest, init: RequestInit): Promise<Response> {
    const closing = new AbortController()
    const signal = init.signal ? AbortSignal.any([init.signal, closing.signal]) : closing.signal
    const { url } = request
    const isEventRequest = isStream(url) || isPoll(url)
    const startedAt = performance.now()
    this.#open.set(closing, { isEventRequest })
    const ended = () => this.#open.delete(closing)
    closing.signal.addEventListener('abort', ended)
    try {
      if (this.#isOffline) throw failure()
      // With its cache, Firefox lets a request wait for another one to the same URL: the stream of the other person.
      const response = await fetch(url, { ...init, signal, cache: 'no-store' })
      this.#noteServer(response.status === 502 || response.status === 504)
      this.#wire.update(request, { status: response.status, ms: Math.round(performance.now() - startedAt) })
      if (isStream(url) && response.ok) return this.#readStream(request, response, closing.signal)
      const read = await this.#readReply(request, response)
      signal.throwIfAborted()
      ended()
      return read
    } catch (error) {
      ended()
      const note = this.#isOffline ? 'offline' : closing.signal.aborted ? 'cut' : 'failed'
      if (note === 'failed' && !signal.aborted) this.#noteServer(true)
      this.#wire.update(request, { status: 0, note })
      throw closing.signal.aborted ? failure() : error
    }
  }

  /** Reads all of it first: the SDK aborts the request when it has what it needs. */
  async #readReply(request: WireRequest, response: Response): Promise<Response> {
    const reply = await response.text()
    this.#wire.update(request, { reply })
    if (isPoll(request.url) && response.ok) {
      const { events, notices = [] } = JSON.parse(reply) as { events: ServerEvent[]; notices?: ServerEvent[] }
      // They may be held back.
      await this.#noteAll([...events, ...notices])
    }
    // A reply such as 204 must not have a body.
    return new Response(reply === '' ? null : reply, response)
  }

  /** The stream as the SDK reads it. Its events are written down on the way. */
  #readStream(request: WireRequest, response: Response, cut: AbortSignal): Response {
    const parser = new SseParser()
    const decoder = new TextDecoder()
    if (this.holdsStreams) this.#wire.update(request, { note: 'held back' })
    else this.counts.streams++
    cut.addEventListener('abort', () => this.#wire.update(request, { note: 'cut' }))
    // Reads without a limit, so that the time of each arrival is known.
    const arriving = new TransformStream<Uint8Array, Arrival>(
      {
        transform: (chunk, controller) => {
          if (this.holdsStreams) return
          const parsed = parser.push(decoder.decode(chunk, { stream: true }))
          const events = parsed.map(({ id, data }) => ({ ...(JSON.parse(data) as ServerEvent), id }))
          controller.enqueue({ chunk, mayPass: this.#noteAll(events) })
        }
      },
      undefined,
      { highWaterMark: Number.POSITIVE_INFINITY }
    )
    const passing = new TransformStream<Arrival, Uint8Array>({
      transform: async ({ chunk, mayPass }, controller) => {
        await mayPass
        controller.enqueue(chunk)
      }
    })
    return new Response(response.body?.pipeThrough(arriving).pipeThrough(passing) ?? null, response)
  }

  /** The returned promise resolves when they may go on; undefined: at once. */
  #noteAll(events: readonly ServerEvent[]): Promise<void> | undefined {
    const isHeld = (event: ServerEvent) => this.candidateDelayMs > 0 && event.type === 'signal.candidates'
    for (const event of events) this.#note(event, isHeld(event) ? this.#heldNote : null)
    return events.some(isHeld) ? this.#hold() : undefined
  }

  #note({ id = null, type, data }: ServerEvent, heldNote: string | null): void {
    const isRepeat = id !== null && this.#ids.has(id)
    // Each stream begins with `hello`, whose id is the cursor it was opened with.
    const isStored = id !== null && type !== 'hello' && type !== 'caught-up'
    if (isStored) this.counts[isRepeat ? 'repeats' : 'events']++
    if (isStored) this.#ids.add(id)
    const note = heldNote ?? (isStored && isRepeat ? 'repeated' : null)
    this.#wire.event({ person: this.#options.person, type, id, after: this.#cursor, data, note })
    this.#cursor = id ?? this.#cursor
  }
}
