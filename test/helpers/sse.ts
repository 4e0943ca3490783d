// A client of an event stream on a connection of its own. eventsource-parser parses the frames.
import assert from 'node:assert/strict'
import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { createParser, type EventSourceMessage } from 'eventsource-parser'

export interface Frame {
  readonly id: string | undefined
  readonly type: string
  readonly timestamp: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface OpenOptions {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
}

const WITHIN_MS = 5000

/** Resolves to a client for a reply with any status and content type. Rejects if there is no reply. */
export function openSse(url: string, { method = 'GET', headers = {} }: OpenOptions = {}): Promise<SseClient> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: { accept: 'text/event-stream', ...headers }, agent: false })
    sent.once('error', reject)
    sent.once('response', response => {
      sent.off('error', reject)
      resolve(new SseClient(sent, response))
    })
    sent.end()
  })
}

export class SseClient {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The last `retry:`. */
  retryMs: number | undefined
  /** As EventSource keeps it. */
  lastEventId = ''
  /** Frames that have arrived and were not returned by next() yet. */
  readonly #frames: Frame[] = []
  readonly #request: ClientRequest
  readonly #response: IncomingMessage
  readonly #closed: Promise<void>
  #isClosed = false
  #arrived: () => void = () => {}

  constructor(sent: ClientRequest, response: IncomingMessage) {
    this.#request = sent
    this.#response = response
    this.status = response.statusCode ?? 0
    this.headers = response.headers
    const parser = createParser({
      onEvent: event => this.#take(event),
      onRetry: retryMs => {
        this.retryMs = retryMs
      }
    })
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      assert.doesNotMatch(text, /[\u0085\u2028\u2029]/, 'what some clients take for a line end is escaped')
      parser.feed(text)
    })
    // A stream ends when its connection closes; next() then throws.
    sent.on('error', () => {})
    response.on('error', () => {})
    this.#closed = new Promise(resolve => {
      response.once('close', () => {
        this.#isClosed = true
        this.#arrived()
        resolve()
      })
    })
  }

  #take({ id, event = 'message', data }: EventSourceMessage): void {
    if (id !== undefined) this.lastEventId = id
    const envelope = JSON.parse(data) as Omit<Frame, 'id'>
    assert.equal(envelope.type, event, 'the envelope repeats the event line')
    this.#frames.push({ ...envelope, id })
    this.#arrived()
  }

  /** The next frame. With `type`: the next of that type; earlier frames are dropped. */
  async next(type?: string, withinMs = WITHIN_MS): Promise<Frame> {
    const giveUpAt = Date.now() + withinMs
    for (;;) {
      const frame = this.#frames.shift()
      if (frame && (type === undefined || frame.type === type)) return frame
      if (frame) continue
      const wanted = type ?? 'any frame'
      if (this.#isClosed) throw new Error(`the stream closed before ${wanted} arrived`)
      await this.#arrival(giveUpAt, wanted)
    }
  }

  #arrival(giveUpAt: number, wanted: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`waited in vain for ${wanted}`))
      const timer = setTimeout(late, giveUpAt - Date.now())
      this.#arrived = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** Frames that have arrived and were not returned by next() yet. */
  waiting(): readonly Frame[] {
    return [...this.#frames]
  }

  /** The last chunk of the body has come. */
  isComplete(): boolean {
    return this.#response.complete
  }

  /** Resolves when the server has closed the stream. */
  ended(): Promise<void> {
    return this.#closed
  }

  async close(): Promise<void> {
    this.#request.destroy()
    await this.#closed
  }
}
