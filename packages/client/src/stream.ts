// One event stream: opens it, reads it and watches it.
import { Deadline } from './deadline.js'
import type { Requests } from './requests.js'
import { SseParser } from './sse.js'

/** Events of the mailbox have an id; notices, and what a stream says about itself, have none. */
export interface ReceivedEvent {
  readonly id: string | null
  readonly type: string
  readonly timestamp: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface StreamOptions {
  readonly requests: Requests
  readonly cursor: string
  readonly signal: AbortSignal
  /** The server sends the first event at once. If it does not arrive in this time, a proxy holds the stream back. */
  readonly firstMs: number
  /** Reading goes on when it resolves. */
  readonly onEvent: (event: ReceivedEvent) => Promise<void>
}

/**
 * `unusable`: the first event did not arrive, or `fetch` gives no body to read. `silent`: neither an event nor a heartbeat arrived for
 * twice the interval of heartbeats. `broken`: everything else; if the server ended it, the event `end` has said why.
 */
export type StreamFault = 'unusable' | 'silent' | 'broken'

export interface StreamEnd {
  readonly fault: StreamFault
  /** When to reconnect, by `retry:`; null: it did not arrive. */
  readonly retryMs: number | null
}

/** Resolves when a stream that had begun has ended. @throws Problem if it was refused, or what `fetch` throws */
export async function readStream(options: StreamOptions): Promise<StreamEnd> {
  const { requests, cursor, signal, firstMs, onEvent } = options
  const deadline = new Deadline(signal)
  let fault: StreamFault = 'unusable'
  const parser = new SseParser()
  try {
    const { body } = await requests.open({
      method: 'GET',
      path: '/events?ack=true',
      headers: { accept: 'text/event-stream', 'last-event-id': cursor },
      signal: deadline.signal,
      onSend: () => deadline.set(firstMs)
    })
    if (!body) return { fault, retryMs: null }
    let silenceMs = firstMs
    for await (const event of eventsOf(body, parser)) {
      deadline.clear()
      silenceMs = 2 * Number(event.data.heartbeatMs) || silenceMs
      await onEvent(event)
      // A proxy may keep the connection open.
      if (event.type === 'end') break
      fault = 'silent'
      deadline.set(silenceMs)
    }
  } catch (error) {
    if (!deadline.isOver && parser.retryMs === null) throw error
  } finally {
    deadline.end()
  }
  return { fault: deadline.isOver ? fault : 'broken', retryMs: parser.retryMs }
}

async function* eventsOf(body: ReadableStream<Uint8Array>, parser: SseParser): AsyncGenerator<ReceivedEvent> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    for (const { id, data } of parser.push(decoder.decode(value, { stream: true }))) yield { ...JSON.parse(data), id }
  }
}
