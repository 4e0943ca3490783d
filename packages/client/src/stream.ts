// One event stream: opens it, reads it and watches it.
import type { Requests } from './requests.js'
import { SseParser } from './sse.js'

/** As it arrives. Events of the mailbox have an id; notices and what a stream says about itself have none. */
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
  /** The first event is sent at once. If it does not arrive in time, a proxy holds the stream back. */
  readonly firstEventMs: number
  /** The stream is read on when it resolves. */
  readonly onEvent: (event: ReceivedEvent) => Promise<void>
}

/**
 * `unusable`: the first event did not arrive, or `fetch` has no bodies to read. `silent`: neither an event nor a heartbeat arrived for
 * twice the time of heartbeats. `broken`: everything else; an event `end` has said why, if the server ended it.
 */
export interface StreamEnd {
  readonly how: 'unusable' | 'silent' | 'broken'
  /** When to reconnect, by the server; null: it has not said. */
  readonly retryMs: number | null
}

/** Resolves when the stream has ended. @throws Problem if it was refused; or what `fetch` throws */
export async function readStream({
  requests,
  cursor,
  signal,
  firstEventMs,
  onEvent
}: StreamOptions): Promise<StreamEnd> {
  const closing = new AbortController()
  const close = () => closing.abort()
  signal.addEventListener('abort', close)
  const parser = new SseParser()
  let how: StreamEnd['how'] = 'broken'
  let timer: ReturnType<typeof setTimeout> | undefined
  let silenceMs = firstEventMs
  const expectEventOr = (fault: StreamEnd['how']) => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      how = fault
      close()
    }, silenceMs)
  }
  try {
    const headers = { accept: 'text/event-stream', 'last-event-id': cursor }
    const onSend = () => expectEventOr('unusable')
    const attempt = { method: 'GET', path: '/events?ack=true', headers, signal: closing.signal, onSend } as const
    const { body } = await requests.open(attempt)
    if (!body) return { how: 'unusable', retryMs: null }
    for await (const text of textOf(body)) {
      for (const { id, data } of parser.push(text)) {
        clearTimeout(timer)
        const event = { ...JSON.parse(data), id } as ReceivedEvent
        const { heartbeatMs } = event.data
        if (typeof heartbeatMs === 'number') silenceMs = 2 * heartbeatMs
        await onEvent(event)
        expectEventOr('silent')
      }
    }
  } catch (error) {
    if (how === 'broken' && parser.retryMs === null) throw error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', close)
    close()
  }
  return { how, retryMs: parser.retryMs }
}

async function* textOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    yield decoder.decode(value, { stream: true })
  }
}
