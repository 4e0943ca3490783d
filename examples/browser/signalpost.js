// A Signalpost client for a web page: it sends with fetch and receives with EventSource. No dependencies; copy it and make it yours.

/** All event types: an EventSource needs a listener for each. */
const TYPES = `
  hello caught-up reset heartbeat reconnect auth.expiring end
  call.incoming call.ringing call.accepted call.connected call.held call.resumed call.media_changed
  call.message call.peer_away call.peer_back call.ended
  signal.offer signal.answer signal.candidates
  room.joined room.participant_joined room.participant_updated room.participant_left room.mute_requested room.updated
  room.invitation room.invitation_ended room.closed
  chat.message chat.typing
  sfu.producer_added sfu.producer_paused sfu.producer_resumed sfu.producer_closed
  sfu.data_producer_added sfu.data_producer_closed sfu.data_consumer_closed sfu.transport_closed
  sfu.consumer_closed sfu.consumer_paused sfu.consumer_resumed sfu.consumer_layers_changed
  sfu.reset sfu.unavailable sfu.available sfu.active_speaker sfu.score
  presence.changed
`
  .trim()
  .split(/\s+/)

/** The first event of a stream is sent at once. If it does not arrive in time, a proxy is buffering the stream. */
const FIRST_EVENT_MS = 3000
/** Time limit of a request. A poll waits up to 25 seconds for an event. */
const REPLY_MS = 10_000
const POLL_MS = 40_000
/** Retries continue for about 30 seconds, as long as the server waits for a device that is gone. */
const RETRY_MS = 1000
const ATTEMPTS = 30

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

/** An error reply of the server (RFC 9457): the message is for the user, `code` for the program. */
export class Problem extends Error {
  constructor({ code, title, detail, retryable }) {
    super(detail ? `${title}. ${detail}` : title)
    this.code = code
    this.retryable = retryable
  }
}

export class Signalpost {
  #api
  #headers
  #onEvent
  #onConnection
  /** The cursor of the last event received. A stream or poll resumes after it. */
  #cursor = ''
  #isClosed = false
  #endStream = () => {}
  #eventTimer
  #silenceMs = 30_000

  /**
   * `onEvent({ id, type, data })` is called for each event, once and in order; `onConnection(state, why)` with the state of the connection:
   * connecting, live, reconnecting, polling, closed.
   */
  constructor({ server, token, device, onEvent, onConnection }) {
    this.#api = `${server}/v1`
    this.#headers = { authorization: `Bearer ${token}`, 'x-device-id': encodeURIComponent(device) }
    this.#onEvent = onEvent
    this.#onConnection = onConnection
  }

  /** Returns the snapshot. Every event after it goes to `onEvent`. */
  async open() {
    const snapshot = await this.get('/snapshot')
    this.#cursor = snapshot.cursor
    void this.#listen()
    return snapshot
  }

  close() {
    this.#isClosed = true
    this.#endStream()
  }

  get(path, withinMs = REPLY_MS) {
    return this.#request(path, { headers: this.#headers }, withinMs)
  }

  post(path, body = {}) {
    return this.#send('POST', path, body)
  }

  put(path, body) {
    return this.#send('PUT', path, body)
  }

  patch(path, body) {
    return this.#send('PATCH', path, body)
  }

  delete(path) {
    return this.#request(path, { method: 'DELETE', headers: this.#headers }, REPLY_MS)
  }

  /** For a page that is being closed: the browser sends the request although the page is gone. */
  deleteOnPageHide(path) {
    fetch(this.#api + path, { method: 'DELETE', headers: this.#headers, keepalive: true }).catch(() => {})
  }

  #send(method, path, body) {
    const headers = { ...this.#headers, 'content-type': 'application/json' }
    return this.#request(path, { method, headers, body: JSON.stringify(body) }, REPLY_MS)
  }

  /**
   * Retries after network errors and after `retryable` problems, except conflicts, which need a change first. In this API a repeated request
   * does no harm.
   * Throws a Problem.
   */
  async #request(path, init, withinMs) {
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await fetch(this.#api + path, { ...init, signal: AbortSignal.timeout(withinMs) })
        if (response.ok) return response.status === 204 ? null : await response.json()
        const problem = new Problem(await response.json())
        if (!problem.retryable || response.status === 409 || attempt === ATTEMPTS) throw problem
      } catch (error) {
        if (error instanceof Problem || attempt === ATTEMPTS) throw error
      }
      await sleep(RETRY_MS)
    }
  }

  async #listen() {
    while (!this.#isClosed) {
      try {
        this.#onConnection('connecting')
        const fault = await this.#stream()
        if (fault === 'buffered') await this.#poll()
      } catch (error) {
        if (error instanceof Problem && !error.retryable) return this.#end(error.message)
      }
      await sleep(RETRY_MS)
    }
  }

  /**
   * Resolves to the reason why this EventSource can no longer be used. Until then it reconnects by itself, with Last-Event-ID. It cannot
   * send a token, so it gets a ticket, which stays valid while the stream is used.
   */
  async #stream() {
    const { ticket } = await this.post('/events/tickets')
    const source = new EventSource(
      `${this.#api}/events?${new URLSearchParams({ ticket, cursor: this.#cursor, ack: 'true' })}`
    )
    const fault = await new Promise(resolve => {
      this.#endStream = resolve
      this.#expectWithin(FIRST_EVENT_MS, 'buffered')
      source.onopen = () => this.#expectWithin(FIRST_EVENT_MS, 'buffered')
      source.onerror = () => this.#onStreamError(source)
      for (const type of TYPES) source.addEventListener(type, message => this.#receive(message))
    })
    clearTimeout(this.#eventTimer)
    source.close()
    return fault
  }

  #receive({ type, lastEventId, data: text }) {
    const { data } = JSON.parse(text)
    // A dead connection looks like a quiet one. Only missing heartbeats show the difference.
    if (data.heartbeatMs) this.#silenceMs = 2 * data.heartbeatMs
    this.#expectWithin(this.#silenceMs, 'silent')
    // In a call or room the server asks whether this page still runs. Any request is an answer.
    if (data.ack) this.#send('PUT', '/presence', {}).catch(() => {})
    if (type === 'hello' || type === 'caught-up' || type === 'reset') this.#onConnection('live')
    this.#deliver({ id: lastEventId, type, data })
    if (type === 'end' && !data.reconnect) this.#end(data.reason)
  }

  #onStreamError(source) {
    clearTimeout(this.#eventTimer)
    this.#onConnection('reconnecting')
    // An error reply closes it for good, for example when its ticket has expired. Open another one with a new ticket.
    if (source.readyState === EventSource.CLOSED) this.#endStream('closed')
  }

  #expectWithin(ms, fault) {
    clearTimeout(this.#eventTimer)
    this.#eventTimer = setTimeout(this.#endStream, ms, fault)
  }

  /** The same mailbox and cursor, for networks that buffer streams. */
  async #poll() {
    this.#onConnection('polling')
    while (!this.#isClosed) {
      const { events, cursor } = await this.get(`/events/poll?cursor=${this.#cursor}`, POLL_MS)
      for (const event of events) this.#deliver(event)
      this.#cursor = cursor
    }
  }

  #deliver({ id, type, data }) {
    if (this.#isClosed) return
    this.#cursor = id
    this.#onEvent({ id, type, data })
  }

  #end(why) {
    this.close()
    this.#onConnection('closed', why)
  }
}
