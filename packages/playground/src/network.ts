// The network of one person: a `fetch` that writes down what it does, and that can be broken on purpose.
import { SseParser } from '../../client/src/sse.js'
import type { Wire, WireRequest } from './wire.js'

interface ServerEvent {
  readonly id?: string | null
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

const isStream = (url: string) => /\/v1\/events(\?|$)/.test(url)
const isPoll = (url: string) => url.includes('/v1/events/poll')
const isCandidates = (url: string) => url.endsWith('/candidates')

/** What a browser throws when there is no network. */
const failure = () => new TypeError('Failed to fetch')

export class Network {
  /** Candidates are held back for this time before they are sent. */
  candidateDelayMs = 0
  /** Streams are opened, but nothing of them arrives, as behind a proxy that buffers. */
  holdsStreams = false
  /** Events with an id that have arrived for the first time, and again. */
  readonly counts = { events: 0, repeats: 0, streams: 0 }
  readonly #person: string
  readonly #wire: Wire
  readonly #open = new Map<AbortController, { readonly isEventRequest: boolean }>()
  readonly #ids = new Set<string>()
  #cursor: string | null = null
  #isOffline = false

  constructor(person: string, wire: Wire) {
    this.#person = person
    this.#wire = wire
  }

  get isOffline(): boolean {
    return this.#isOffline
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
    const request = this.#wire.request({ person: this.#person, method, url, headers, body: text })
    if (this.candidateDelayMs > 0 && isCandidates(url)) await this.#delay(request)
    return this.#send(request, init)
  }

  async #delay(request: WireRequest): Promise<void> {
    const ms = this.candidateDelayMs
    this.#wire.update(request, { note: `held back for ${ms / 1000} s` })
    await new Promise(resolve => setTimeout(resolve, ms))
  }

  async #send(request: WireRequest, init: RequestInit): Promise<Response> {
    const closing = new AbortController()
    const signal = init.signal ? AbortSignal.any([init.signal, closing.signal]) : closing.signal
    const { url } = request
    const isEventRequest = isStream(url) || isPoll(url)
    const startedAt = performance.now()
    this.#open.set(closing, { isEventRequest })
    const ended = () => this.#open.delete(closing)
    try {
      if (this.#isOffline) throw failure()
      // With its cache, Firefox lets a request wait for another one to the same URL: the stream of the other person.
      const response = await fetch(url, { ...init, signal, cache: 'no-store' })
      this.#wire.update(request, { status: response.status, ms: Math.round(performance.now() - startedAt) })
      if (isStream(url) && response.ok) return this.#readStream(request, response)
      const read = await this.#readReply(request, response)
      ended()
      return read
    } catch (error) {
      ended()
      const note = this.#isOffline ? 'offline' : closing.signal.aborted ? 'cut' : 'failed'
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
      for (const event of [...events, ...notices]) this.#note(event)
    }
    // A reply such as 204 must not have a body.
    return new Response(reply === '' ? null : reply, response)
  }

  /** The stream as the SDK reads it. Its events are written down on the way. */
  #readStream(request: WireRequest, response: Response): Response {
    const parser = new SseParser()
    const decoder = new TextDecoder()
    if (this.holdsStreams) this.#wire.update(request, { note: 'held back' })
    else this.counts.streams++
    const reading = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        if (this.holdsStreams) return
        for (const { id, data } of parser.push(decoder.decode(chunk, { stream: true })))
          this.#note({ ...(JSON.parse(data) as ServerEvent), id })
        controller.enqueue(chunk)
      }
    })
    return new Response(response.body?.pipeThrough(reading) ?? null, response)
  }

  #note({ id = null, type, data }: ServerEvent): void {
    const isRepeat = id !== null && this.#ids.has(id)
    // Each stream begins with `hello`, whose id is the cursor it was opened with.
    const isStored = id !== null && type !== 'hello' && type !== 'caught-up'
    if (isStored) this.counts[isRepeat ? 'repeats' : 'events']++
    if (isStored) this.#ids.add(id)
    this.#wire.event({ person: this.#person, type, id, after: this.#cursor, data, isRepeat: isStored && isRepeat })
    this.#cursor = id ?? this.#cursor
  }
}
