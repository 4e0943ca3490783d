// A whole client of Signalpost in a few lines: fetch to act, and fetch to hear, over a stream or by long-poll.
import { EventSourceParserStream } from 'eventsource-parser/stream'

export interface HeardEvent {
  readonly id: string | undefined
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

export type Transport = 'sse' | 'poll'

/** A refusal, as the server words it. */
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
  readonly #leaving = new AbortController()

  constructor(url: string, { token, device }: { token: string; device: string }) {
    this.#base = `${url}/v1`
    this.#headers = { authorization: `Bearer ${token}`, 'x-device-id': device }
  }

  /** Throws a Problem. */
  async post<Reply>(path: string, body: object = {}): Promise<Reply> {
    const headers = { ...this.#headers, 'content-type': 'application/json' }
    const response = await fetch(`${this.#base}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    const reply = await response.json()
    if (!response.ok) throw new Problem(reply as ConstructorParameters<typeof Problem>[0])
    return reply as Reply
  }

  /** Everything this device hears, from a cursor on, until `leave`. Without one, the first thing says that it is listening. */
  hear(transport: Transport, cursor = ''): AsyncGenerator<HeardEvent> {
    return transport === 'sse' ? this.#stream(cursor) : this.#poll(cursor)
  }

  leave(): void {
    this.#leaving.abort()
  }

  async *#stream(from: string): AsyncGenerator<HeardEvent> {
    const { body } = await this.#get(from === '' ? '/events' : `/events?cursor=${from}`)
    if (body === null) throw new Error('a stream has a body')
    const frames = body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
    for await (const { id, event, data } of frames) yield { id, type: event ?? 'message', data: JSON.parse(data).data }
  }

  async *#poll(from: string): AsyncGenerator<HeardEvent> {
    let cursor = from
    if (from === '') {
      cursor = (await this.#ask('')).cursor
      yield { id: cursor, type: 'hello', data: { cursor } }
    }
    for (;;) {
      const batch = await this.#ask(`?cursor=${cursor}&wait=20`)
      yield* batch.events
      cursor = batch.cursor
    }
  }

  async #ask(query: string): Promise<{ events: HeardEvent[]; cursor: string }> {
    const response = await this.#get(`/events/poll${query}`)
    return (await response.json()) as { events: HeardEvent[]; cursor: string }
  }

  async #get(path: string): Promise<Response> {
    const response = await fetch(`${this.#base}${path}`, { headers: this.#headers, signal: this.#leaving.signal })
    if (!response.ok) throw new Error(`${path} answered ${response.status}`)
    return response
  }
}
