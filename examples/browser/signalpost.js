// Signalpost for a web page: fetch to act, EventSource to hear. No dependencies; copy it and make it yours.

/** Every type there is: an EventSource has no way to listen to all of them at once. */
const NOTICES = 'hello caught-up reset heartbeat reconnect auth.expiring end'
const CALL_EVENTS = 'incoming ringing accepted connected held resumed peer_away peer_back ended'
const ROOM_EVENTS =
  'joined participant_joined participant_updated participant_left mute_requested updated invitation invitation_ended closed'
const TYPES = [
  ...NOTICES.split(' '),
  ...typesOf('call', CALL_EVENTS),
  ...typesOf('signal', 'offer answer candidates'),
  ...typesOf('room', ROOM_EVENTS),
  ...typesOf('chat', 'message')
]

/** A stream says something at once. If it does not, a proxy on the way is holding it back. */
const FIRST_WORD_MS = 3000
/** How long a request may take; a poll waits 25 seconds for something to happen. */
const REPLY_MS = 10_000
const POLL_MS = 40_000
/** Asking again goes on about as long as the server waits for a device that is gone. */
const RETRY_MS = 1000
const ATTEMPTS = 30

function typesOf(subject, names) {
  return names.split(' ').map(name => `${subject}.${name}`)
}

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

/** What the server refuses (RFC 9457): the message is for people, `code` for programs. */
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
  /** The last event we have; the stream goes on from there, whatever happened meanwhile. */
  #cursor = ''
  #isClosed = false
  #giveUp = () => {}
  #patience
  #silenceMs = 30_000

  /**
   * `onEvent({ id, type, data })` hears each event once and in order; `onConnection(state, why)` hears how that goes:
   * connecting, live, reconnecting, polling, closed.
   */
  constructor({ server, token, device, onEvent, onConnection }) {
    this.#api = `${server}/v1`
    this.#headers = { authorization: `Bearer ${token}`, 'x-device-id': device }
    this.#onEvent = onEvent
    this.#onConnection = onConnection
  }

  /** Where things stand now. From there on, every event. */
  async open() {
    const snapshot = await this.get('/snapshot')
    this.#cursor = snapshot.cursor
    void this.#listen()
    return snapshot
  }

  close() {
    this.#isClosed = true
    this.#giveUp()
  }

  get(path, withinMs = REPLY_MS) {
    return this.#ask(path, { headers: this.#headers }, withinMs)
  }

  post(path, body = {}) {
    return this.#send('POST', path, body)
  }

  patch(path, body) {
    return this.#send('PATCH', path, body)
  }

  delete(path) {
    return this.#ask(path, { method: 'DELETE', headers: this.#headers }, REPLY_MS)
  }

  /** The last word of a page that is about to go: the browser sees to it, and nobody waits for the reply. */
  deleteOnTheWayOut(path) {
    fetch(this.#api + path, { method: 'DELETE', headers: this.#headers, keepalive: true }).catch(() => {})
  }

  #send(method, path, body) {
    const headers = { ...this.#headers, 'content-type': 'application/json' }
    return this.#ask(path, { method, headers, body: JSON.stringify(body) }, REPLY_MS)
  }

  /**
   * Asks again when the network or the server is away, or when it was too much at once: in this API a repeated request does no harm.
   * Throws a Problem.
   */
  async #ask(path, init, withinMs) {
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await fetch(this.#api + path, { ...init, signal: AbortSignal.timeout(withinMs) })
        if (response.ok) return response.status === 204 ? null : await response.json()
        const isForLater = response.status >= 500 || response.status === 429
        if (!isForLater || attempt === ATTEMPTS) throw new Problem(await response.json())
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
        const flaw = await this.#stream()
        if (flaw === 'held back') await this.#poll()
      } catch (error) {
        if (error instanceof Problem && !error.retryable) return this.#end(error.message)
      }
      await sleep(RETRY_MS)
    }
  }

  /**
   * Resolves when this EventSource is of no more use, and says why. Until then it reconnects by itself, with Last-Event-ID. It
   * cannot send a token, so it gets a ticket, which stays good as long as the stream is used.
   */
  async #stream() {
    const { ticket } = await this.post('/events/tickets')
    const source = new EventSource(
      `${this.#api}/events?${new URLSearchParams({ ticket, cursor: this.#cursor, ack: 'true' })}`
    )
    const flaw = await new Promise(resolve => {
      this.#giveUp = resolve
      this.#expectWithin(FIRST_WORD_MS, 'held back')
      source.onopen = () => this.#expectWithin(FIRST_WORD_MS, 'held back')
      source.onerror = () => this.#wait(source)
      for (const type of TYPES) source.addEventListener(type, message => this.#hear(message))
    })
    clearTimeout(this.#patience)
    source.close()
    return flaw
  }

  #hear({ type, lastEventId, data: text }) {
    const { data } = JSON.parse(text)
    // A connection that died without a word looks like one on which nothing happens; only the heartbeat tells.
    if (data.heartbeatMs) this.#silenceMs = 2 * data.heartbeatMs
    this.#expectWithin(this.#silenceMs, 'silent')
    // In a call or room the server asks whether this page still runs. Any request says so.
    if (data.ack) this.#send('PUT', '/presence', {}).catch(() => {})
    if (type === 'hello' || type === 'caught-up' || type === 'reset') this.#onConnection('live')
    this.#take({ id: lastEventId, type, data })
    if (type === 'end' && !data.reconnect) this.#end(data.reason)
  }

  #wait(source) {
    clearTimeout(this.#patience)
    this.#onConnection('reconnecting')
    // Some answers make it give up, as when its ticket has lapsed. We get another one.
    if (source.readyState === EventSource.CLOSED) this.#giveUp('gave up')
  }

  #expectWithin(ms, flaw) {
    clearTimeout(this.#patience)
    this.#patience = setTimeout(this.#giveUp, ms, flaw)
  }

  /** The same mailbox and the same cursor, for networks that let no stream through. */
  async #poll() {
    this.#onConnection('polling')
    while (!this.#isClosed) {
      const { events, cursor } = await this.get(`/events/poll?cursor=${this.#cursor}`, POLL_MS)
      for (const event of events) this.#take(event)
      this.#cursor = cursor
    }
  }

  #take({ id, type, data }) {
    if (this.#isClosed) return
    this.#cursor = id
    this.#onEvent({ id, type, data })
  }

  #end(why) {
    this.close()
    this.#onConnection('closed', why)
  }
}
