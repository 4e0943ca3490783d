// Pushes the events of a session to Signalpost: in order, one request at a time, each until it was answered 2xx.
import { setTimeout as sleep } from 'node:timers/promises'

const BATCH_MAX = 100
const WAITING_MAX = 1000
const TIMEOUT_MS = 5000
const RETRY_MIN_MS = 200
const RETRY_MAX_MS = 10_000
/** How long the last event of a lost session is tried. Signalpost also learns it from the 404 of its next request. */
const LAST_MS = 300_000

/** Malformed or too large: a repeat would be refused again. */
const isRefused = ({ status }) => status === 400 || status === 413

export class Pusher {
  #names
  #context
  /** Not numbered yet. @type {Record<string, any>[]} */
  #waiting = []
  /** Numbered from `#seq`, and perhaps received: a repeat must be the same. @type {object[]} */
  #sending = []
  #seq = 1
  #isSending = false
  #isLast = false
  #mustConfirm = false
  #closing = new AbortController()

  /** @param names `sessionId`, `roomId` and `service` @param context `settings`, `notices`, `log`, `onUnknown` and `onOverflow` */
  constructor(names, context) {
    this.#names = names
    this.#context = context
  }

  push(event) {
    if (this.#isLast) return
    // Only the latest layers of a consumer matter. What is being sent stays as it is.
    if (event.type === 'consumer_layers_changed')
      this.#waiting = this.#waiting.filter(
        ({ type, participantId, consumerId }) =>
          type !== event.type || participantId !== event.participantId || consumerId !== event.consumerId
      )
    this.#waiting.push(event)
    if (this.#waiting.length > WAITING_MAX) this.#context.onOverflow()
    else this.wake()
  }

  /** No event follows. Those that wait have lost their meaning with the session. */
  pushLast(event) {
    if (this.#isLast) return
    this.#isLast = true
    this.#context.notices.clear()
    this.#waiting = [event]
    setTimeout(() => this.close(), LAST_MS).unref()
    this.wake()
  }

  /** Asks Signalpost whether a room still uses the session. Any push asks that, so this one may be empty. */
  confirm() {
    this.#mustConfirm = true
    this.wake()
  }

  close() {
    this.#closing.abort()
    this.#context.notices.clear()
  }

  /** Sends what waits, unless it is being sent. */
  wake() {
    if (!this.#isSending) void this.#run()
  }

  async #run() {
    this.#isSending = true
    // Events that happen together are sent together.
    await null
    try {
      for (let failures = 0; !this.#closing.signal.aborted; ) {
        if (this.#sending.length === 0) this.#sending = this.#waiting.splice(0, BATCH_MAX)
        const notices = this.#context.notices.take()
        if (this.#sending.length + notices.length === 0 && !this.#mustConfirm) break
        failures = (await this.#send(notices, failures)) ? 0 : failures + 1
        if (failures > 0) await this.#pause(failures)
      }
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error
    } finally {
      this.#isSending = false
    }
  }

  /** Whether Signalpost has the events, or will never take them. */
  async #send(notices, failures) {
    const { settings, log, onUnknown } = this.#context
    const { sessionId, roomId, service } = this.#names
    const url = settings.signalpostUrls[failures % settings.signalpostUrls.length]
    try {
      const reply = await fetch(`${url}/internal/media/${encodeURIComponent(service)}/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${settings.secret}` },
        body: JSON.stringify({ sessionId, roomId, seq: this.#seq, events: this.#sending, notices }),
        redirect: 'error',
        signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(TIMEOUT_MS)])
      })
      const text = await reply.text()
      if (reply.status === 404 && /"code":\s*"session_not_found"/.test(text)) onUnknown()
      else if (isRefused(reply)) log.error({ url, reply: text }, 'Signalpost refuses the events; they are dropped')
      else if (!reply.ok) log.warn({ url, status: reply.status, failures }, 'Signalpost does not take events')
      if (!reply.ok && !isRefused(reply)) return false
    } catch (error) {
      if (!this.#closing.signal.aborted) log.warn({ url, failures, err: error }, 'Signalpost cannot be reached')
      return false
    }
    this.#seq += this.#sending.length
    this.#sending = []
    this.#mustConfirm = false
    return true
  }

  #pause(failures) {
    const ms = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (failures - 1))
    return sleep(ms * (0.75 + Math.random() / 2), undefined, { signal: this.#closing.signal })
  }
}
