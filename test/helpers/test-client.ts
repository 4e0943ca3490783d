// Somebody with a device: acts by POST, hears by stream or poll, on whichever node they are at. Everything they hear is held
// against the contract, and at the end against their mailbox: nothing lost, nothing twice, nothing unheard.
import assert from 'node:assert/strict'
import type { Test } from 'tap'
import type { Config } from '../../src/config.js'
import { createToken } from '../../src/development.js'
import { ERRORS, type ErrorCode } from '../../src/errors.js'
import type { Call } from '../../src/schemas/call.js'
import type { RoomClaims } from '../../src/schemas/claims.js'
import { faultsOf } from './events.js'
import { type Frame, openSse, type SseClient } from './sse.js'

/** Where people live: some nodes, what they take for a token, and names that are nobody else's. */
export interface TestNodes {
  readonly config: Config
  urlOf(node: number): string
  /** A name as it is on the wire, and what came over the wire with the names people know. */
  marked(name: string): string
  unmarked<T>(value: T): T
}

export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
}

export interface Told {
  readonly id: string
  readonly type: string
  readonly timestamp: string
  readonly data: Readonly<Record<string, unknown>>
}

interface Place {
  readonly user: string
  readonly device: string
  readonly node: number
  /** What their token says of rooms. */
  readonly rooms?: RoomClaims | undefined
}

const NOTICES = ['hello', 'caught-up', 'heartbeat']

export class TestClient {
  readonly user: string
  readonly device: string
  readonly #fixture: TestNodes
  readonly #headers: Readonly<Record<string, string>>
  #node: number
  #stream: SseClient | null = null
  /** The first cursor they were given, and the last. */
  #origin: string | null = null
  #cursor = ''
  readonly #told: Told[] = []

  private constructor(fixture: TestNodes, { user, device, node }: Place, token: string) {
    this.#fixture = fixture
    this.user = user
    this.device = device
    this.#node = node
    this.#headers = { authorization: `Bearer ${token}`, 'x-device-id': device }
  }

  static async make(fixture: TestNodes, place: Place): Promise<TestClient> {
    const { user, rooms } = place
    const claims = rooms && Object.entries(rooms).map(([id, claim]) => [id === '*' ? id : fixture.marked(id), claim])
    const token = await createToken(
      fixture.config,
      fixture.marked(user),
      undefined,
      claims && Object.fromEntries(claims)
    )
    return new TestClient(fixture, place, token)
  }

  get endpoint() {
    return { user: this.user, device: this.device }
  }

  /** For requests that a test makes by itself. */
  get credentials() {
    return { headers: this.#headers }
  }

  get cursor(): string {
    return this.#cursor
  }

  /** From here on they talk to another node. An open stream stays where it is. */
  goesTo(node: number): void {
    this.#node = node
  }

  // ── Acting ──

  async ask(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {}
  ): Promise<Answer> {
    const reply = await fetch(`${this.#fixture.urlOf(this.#node)}/v1/${this.#addressed(path)}`, {
      method,
      headers: { ...this.#headers, ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(path.startsWith('rooms/') ? body : this.#named(body)) })
    })
    const text = await reply.text()
    const answer = { status: reply.status, body: text === '' ? {} : this.#fixture.unmarked(JSON.parse(text)) }
    if (!reply.ok) holdProblem(reply.headers.get('content-type'), answer)
    return answer
  }

  #addressed(path: string): string {
    return path.replace(
      /^(calls|rooms)\/([^/]+)/,
      (_, kind: string, id: string) => `${kind}/${this.#fixture.marked(id)}`
    )
  }

  #named(body: { readonly callId?: string; readonly to?: string; readonly users?: readonly string[] }): object {
    const { callId, to, users } = body
    return {
      ...body,
      ...(callId === undefined ? {} : { callId: this.#fixture.marked(callId) }),
      ...(to === undefined ? {} : { to: this.#fixture.marked(to) }),
      ...(Array.isArray(users) ? { users: users.map(user => this.#fixture.marked(user)) } : {})
    }
  }

  /** Does it, and it works. */
  async does(path: string, body?: object): Promise<Record<string, unknown>> {
    const { status, body: reply } = await this.ask('POST', path, body)
    assert.ok(status < 300, `${this.user}/${this.device} ${path}: ${status} ${reply.code} ${reply.detail}`)
    return reply
  }

  /** Tries it, and is refused with this code. */
  async isRefused(code: ErrorCode, path: string, body?: object): Promise<Record<string, unknown>> {
    const { body: reply } = await this.ask('POST', path, body)
    assert.equal(reply.code, code, `${this.user}/${this.device} ${path}`)
    return reply
  }

  async call(callId: string): Promise<Call> {
    const { status, body } = await this.ask('GET', `calls/${callId}`)
    assert.equal(status, 200)
    return body.call as Call
  }

  async activeCalls(): Promise<string[]> {
    const { body } = await this.ask('GET', 'calls')
    return (body.calls as Call[]).map(({ callId }) => callId)
  }

  // ── Hearing ──

  /** Opens a stream, at the cursor they have, or the one given. Resolves when it is live. */
  async listens(cursor = this.#cursor): Promise<Frame> {
    await this.#stream?.close()
    const query = cursor === '' ? '' : `?cursor=${cursor}`
    this.#stream = await openSse(`${this.#fixture.urlOf(this.#node)}/v1/events${query}`, { headers: this.#headers })
    if (cursor !== '') return { id: cursor, type: 'resumed', timestamp: '', data: {} }
    const hello = await this.#stream.next('hello')
    this.#origin ??= String(hello.id)
    this.#cursor = String(hello.id)
    return hello
  }

  async leaves(): Promise<void> {
    await this.#stream?.close()
    this.#stream = null
  }

  /** Their device is forgotten, and with it what it heard. */
  async signsOff(): Promise<void> {
    assert.equal((await this.ask('DELETE', 'presence')).status, 204)
    if (this.#stream) assert.equal((await this.#stream.next('end')).data.reason, 'signed_off')
    await this.leaves()
    this.#origin = null
  }

  /** The next thing they are told, which has to be of this type. */
  async hears(type: string): Promise<Record<string, unknown>> {
    const frame = await this.#next()
    const told = this.#fixture.unmarked({ ...frame, id: String(frame.id) })
    this.#take(told)
    assert.equal(told.type, type, `what ${this.user}/${this.device} hears next: ${JSON.stringify(told.data)}`)
    return told.data
  }

  async #next(): Promise<Frame> {
    const stream = this.#stream
    assert.ok(stream, `${this.user}/${this.device} listens`)
    let frame = await stream.next()
    while (NOTICES.includes(frame.type)) frame = await stream.next()
    return frame
  }

  /** The next thing that comes is a reset: their cursor stands there, and what came before is no longer replayed. */
  async isReset(): Promise<Record<string, unknown>> {
    const { id, type, data } = await this.#next()
    assert.equal(type, 'reset', `what ${this.user}/${this.device} receives next`)
    this.#cursor = String(id)
    this.#origin = this.#cursor
    this.#told.length = 0
    return data
  }

  /** The next thing that comes is of the moment: it has no id, and moves no cursor. */
  async hearsInPassing(type: string): Promise<Record<string, unknown>> {
    const { id, ...said } = this.#fixture.unmarked(await this.#next())
    assert.deepEqual([said.type, id], [type, undefined], `what ${this.user}/${this.device} hears in passing`)
    assert.deepEqual(faultsOf(said), [])
    assert.equal(this.#stream?.lastEventId, this.#cursor)
    return said.data
  }

  async hearsAll(...types: string[]): Promise<void> {
    for (const type of types) await this.hears(type)
  }

  /** What one poll brings; it does not wait. A device has one stream or poll, so the stream is closed. */
  async polls({ limit = 100 } = {}): Promise<Told[]> {
    await this.leaves()
    const cursor = this.#cursor === '' ? '' : `cursor=${this.#cursor}&`
    const { status, body } = await this.ask('GET', `events/poll?${cursor}wait=0&limit=${limit}`)
    assert.equal(status, 200)
    const events = body.events as Told[]
    for (const event of events) this.#take(event)
    this.#origin ??= String(body.cursor)
    this.#cursor = String(body.cursor)
    return events
  }

  /** Starts over from a cursor that a reply gave, as a client does that opens its stream afterwards. */
  startsAt(cursor: unknown): void {
    this.#origin ??= String(cursor)
    this.#cursor = String(cursor)
  }

  #take(event: Told): void {
    assert.deepEqual(faultsOf({ type: event.type, timestamp: event.timestamp, data: event.data } as Told), [])
    assert.equal(seqOf(event.id), seqOf(this.#cursor) + 1, 'events come one after the other, none lost, none twice')
    this.#cursor = event.id
    this.#told.push(event)
  }

  /** Nothing came that was not heard, and each call ended once at most, with nothing after it. */
  async holdMailbox(t: Test): Promise<void> {
    if (this.#origin === null) return
    // The poll takes over from the stream: nobody is missed, so nobody else hears of it.
    const { status, body } = await this.ask('GET', `events/poll?cursor=${this.#origin}&wait=0&limit=500`)
    const events = body.events as Told[]
    const name = ({ id, type }: Told) => `${id} ${type}`
    t.same([status, events.map(name)], [200, this.#told.map(name)], `${this.user}/${this.device} heard it all`)
    const over = new Set<unknown>()
    const versions = new Map<unknown, number>()
    for (const { type, data } of events) {
      const version = Number(data.version)
      assert.ok(!over.has(data.callId), `${type} after the call had ended for ${this.user}/${this.device}`)
      const source = sourceOf(type, data)
      assert.ok(version >= (versions.get(source) ?? 0), 'versions do not go back')
      versions.set(source, version)
      if (type === 'call.ended') over.add(data.callId)
    }
  }
}

/** Whose versions an event's version belongs to: a call's, a room's, those of two participants, or a user's presence. */
function sourceOf(type: string, { callId, roomId, from, user }: Told['data']): string {
  if (type === 'presence.changed') return `presence ${user}`
  if (callId !== undefined) return `call ${callId}`
  return type.startsWith('signal.') ? `pair ${roomId} ${JSON.stringify(from)}` : `room ${roomId}`
}

const seqOf = (cursor: string) => Number(cursor.split('.')[0])

function holdProblem(contentType: string | null, { status, body }: Answer): void {
  assert.match(contentType ?? '', /^application\/problem\+json(;|$)/)
  const row = ERRORS[body.code as ErrorCode]
  assert.ok(row, `${body.code} is in the table`)
  const { type, title, retryable } = body
  const expected = { status: row.status, title: row.title, retryable: row.retryable, type: `/problems/${body.code}` }
  assert.deepEqual({ status, title, retryable, type }, expected)
  assert.notEqual(status, 500, String(body.detail))
}
