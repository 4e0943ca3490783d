// A minimal client of Signalpost on top of fetch: sends requests, and receives events over a stream or by long-poll.
import { EventSourceParserStream } from 'eventsource-parser/stream'

export interface ClientEvent {
  readonly id: string | undefined
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

export type Transport = 'sse' | 'poll'

/** A problem document. */
export class Problem extends Error {
  readonly code: string

  constructor({ code, detail, title }: { code: string; title: string; detail?: string }) {
    super(`${code}: ${detail ?? title}`)
    this.code = code
  }
}

export class Client {
  readonly #base: string
  readonly #headers: Record<string, string>
  readonly #closing = new AbortController()

  constructor(url: string, { token, device }: { token: string; device: string }) {
    this.#base = `${url}/v1`
    this.#headers = { authorization: `Bearer ${token}`, 'x-device-id': device }
  }

  /** @throws Problem */
  async post<Reply>(path: string, body: object = {}): Promise<Reply> {
    const headers = { ...this.#headers, 'content-type': 'application/json' }
    const response = await fetch(`${this.#base}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    const reply = await response.json()
    if (!response.ok) throw new Problem(reply as ConstructorParameters<typeof Problem>[0])
    return reply as Reply
  }

  /** The events of this device after the cursor, until `close`. Without a cursor, the first event is `hello`. */
  events(transport: Transport, cursor = ''): AsyncGenerator<ClientEvent> {
    return transport === 'sse' ? this.#stream(cursor) : this.#poll(cursor)
  }

  close(): void {
    this.#closing.abort()
  }

  async *#stream(from: string): AsyncGenerator<ClientEvent> {
    const { body } = await this.#get(from === '' ? '/events' : `/events?cursor=${from}`)
    if (body === null) throw new Error('a stream has a body')
    const frames = body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
    for await (const { id, event, data } of frames) yield { id, type: event ?? 'message', data: JSON.parse(data).data }
  }

  async *#poll(from: string): AsyncGenerator<ClientEvent> {
    let cursor = from
    if (from === '') {
      cursor = (await this.#pollOnce('')).cursor
      yield { id: cursor, type: 'hello', data: { cursor } }
    }
    for (;;) {
      const batch = await this.#pollOnce(`?cursor=${cursor}&wait=20`)
      yield* batch.events
      cursor = batch.cursor
    }
  }

  async #pollOnce(query: string): Promise<{ events: ClientEvent[]; cursor: string }> {
    const response = await this.#get(`/events/poll${query}`)
    return (await response.json()) as { events: ClientEvent[]; cursor: string }
  }

  async #get(path: string): Promise<Response> {
    const response = await fetch(`${this.#base}${path}`, { headers: this.#headers, signal: this.#closing.signal })
    if (!response.ok) throw new Error(`${path} replied ${response.status}`)
    return response
  }
}
