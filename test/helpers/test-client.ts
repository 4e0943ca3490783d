// A client of one device on one of the nodes: sends requests, and receives events by stream or poll. Each event is checked against its
// schema, and at the end all of them against the mailbox: none lost, none twice.
import assert from 'node:assert/strict'
import type { Test } from 'tap'
import type { Config } from '../../src/config.js'
import { createToken } from '../../src/development.js'
import { ERRORS, type ErrorCode } from '../../src/errors.js'
import type { Call } from '../../src/schemas/call.js'
import type { CallTo } from '../../src/schemas/callee.js'
import type { RoomClaims } from '../../src/schemas/claims.js'
import { faultsOf } from './events.js'
import { expectedRetryable, faultsOfProblem } from './problems.js'
import { type Frame, openSse, type SseClient } from './sse.js'
import { until } from './until.js'

/** The nodes of a test, and names that no other test on them uses. */
export interface TestNodes {
  readonly config: Config
  urlOf(node: number): string
  /** From a name of the test to the name on the wire, and from a value on the wire to the names of the test. */
  toWire(name: string): string
  fromWire<T>(value: T): T
}

export interface Reply {
  readonly status: number
  readonly body: Record<string, unknown>
}

export interface ReceivedEvent {
  readonly id: string
  readonly type: string
  readonly timestamp: string
  readonly data: Readonly<Record<string, unknown>>
}

interface ClientOptions {
  readonly user: string
  readonly device: string
  readonly node: number
  /** The claim `rooms` of the token. */
  readonly rooms?: RoomClaims | undefined
}

/** Skipped by expectEvent. */
const STREAM_EVENTS = ['hello', 'caught-up', 'heartbeat']

interface WireBody {
  readonly callId?: string
  readonly toCall?: string
  readonly consultationOf?: string
  readonly to?: CallTo
  readonly users?: readonly string[]
}

export class TestClient {
  readonly user: string
  readonly device: string
  readonly #nodes: TestNodes
  readonly #headers: Readonly<Record<string, string>>
  #node: number
  #stream: SseClient | null = null
  /** The first cursor, and the last one. */
  #origin: string | null = null
  #cursor = ''
  readonly #received: ReceivedEvent[] = []

  private constructor(nodes: TestNodes, { user, device, node }: ClientOptions, token: string) {
    this.#nodes = nodes
    this.user = user
    this.device = device
    this.#node = node
    this.#headers = { authorization: `Bearer ${token}`, 'x-device-id': device }
  }

  static async create(nodes: TestNodes, options: ClientOptions): Promise<TestClient> {
    const { user, rooms } = options
    const claims = rooms && Object.entries(rooms).map(([id, claim]) => [id === '*' ? id : nodes.toWire(id), claim])
    const token = await createToken(nodes.config, {
      user: nodes.toWire(user),
      rooms: claims && Object.fromEntries(claims)
    })
    return new TestClient(nodes, options, token)
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

  /** Sends further requests to another node. An open stream stays where it is. */
  useNode(node: number): void {
    this.#node = node
  }

  // ── Requests ──

  async request(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: object | string | null,
    headers: Readonly<Record<string, string>> = {}
  ): Promise<Reply> {
    const reply = await fetch(`${this.#nodes.urlOf(this.#node)}/v1/${this.#wirePath(path)}`, {
      method,
      headers: { ...this.#headers, ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(isObject(body) && !path.startsWith('rooms/') ? this.#wireBody(body) : body) })
    })
    const text = await reply.text()
    const result = { status: reply.status, body: text === '' ? {} : this.#nodes.fromWire(JSON.parse(text)) }
    if (!reply.ok) checkProblem(reply.headers.get('content-type'), result)
    return result
  }

  #wirePath(path: string): string {
    return path.replace(
      /^(calls|rooms)\/([^/?]+)/,
      (_, kind: string, id: string) => `${kind}/${encodeURIComponent(this.#nodes.toWire(id))}`
    )
  }

  #wireBody(body: WireBody): object {
    const { callId, toCall, consultationOf, to, users } = body
    return {
      ...body,
      ...(callId === undefined ? {} : { callId: this.#nodes.toWire(callId) }),
      ...(toCall === undefined ? {} : { toCall: this.#nodes.toWire(toCall) }),
      ...(consultationOf === undefined ? {} : { consultationOf: this.#nodes.toWire(consultationOf) }),
      ...(to === undefined
        ? {}
        : { to: Array.isArray(to) ? to.map(each => this.#wireTarget(each)) : this.#wireTarget(to) }),
      ...(Array.isArray(users) ? { users: users.map(user => this.#nodes.toWire(user)) } : {})
    }
  }

  /** Anything else than a user goes out as it is: a test may send what is refused. */
  #wireTarget(target: CallTo): unknown {
    if (typeof target === 'string') return this.#nodes.toWire(target)
    return 'user' in target ? { ...target, user: this.#nodes.toWire(target.user) } : target
  }

  /** The request has to succeed. */
  async post(path: string, body?: object | string | null): Promise<Record<string, unknown>> {
    const { status, body: reply } = await this.request('POST', path, body)
    assert.ok(status < 300, `${this.user}/${this.device} ${path}: ${status} ${reply.code} ${reply.detail}`)
    return reply
  }

  /** The request has to be refused with this code. */
  async expectRefusal(code: ErrorCode, path: string, body?: object | string | null): Promise<Record<string, unknown>> {
    const { body: reply } = await this.request('POST', path, body)
    assert.equal(reply.code, code, `${this.user}/${this.device} ${path}`)
    return reply
  }

  async call(callId: string): Promise<Call> {
    const { status, body } = await this.request('GET', `calls/${callId}`)
    assert.equal(status, 200)
    return body.call as Call
  }

  async activeCalls(): Promise<string[]> {
    const { body } = await this.request('GET', 'calls')
    return (body.calls as Call[]).map(({ callId }) => callId)
  }

  // ── Events ──

  /** Opens a stream at the last cursor, or at the given one. Resolves when the stream has begun. */
  async openStream(cursor = this.#cursor): Promise<Frame> {
    await this.#stream?.close()
    const query = cursor === '' ? '' : `?cursor=${cursor}`
    this.#stream = await openSse(`${this.#nodes.urlOf(this.#node)}/v1/events${query}`, { headers: this.#headers })
    if (cursor !== '') return { id: cursor, type: 'resumed', timestamp: '', data: {} }
    const hello = await this.#stream.next('hello')
    this.#origin ??= String(hello.id)
    this.#cursor = String(hello.id)
    return hello
  }

  async closeStream(): Promise<void> {
    await this.#stream?.close()
    this.#stream = null
  }

  /** Signs the device off, which deletes its mailbox. */
  async signOff(): Promise<void> {
    assert.equal((await this.request('DELETE', 'presence')).status, 204)
    if (this.#stream) assert.equal((await this.#stream.next('end')).data.reason, 'signed_off')
    await this.closeStream()
    this.#origin = null
  }

  /** The next event, which has to be of this type. */
  async expectEvent(type: string): Promise<Record<string, unknown>> {
    const event = await this.expectAny()
    assert.equal(event.type, type, `the next event of ${this.user}/${this.device}: ${JSON.stringify(event.data)}`)
    return event.data
  }

  /** The next event, of any type. */
  async expectAny(withinMs?: number): Promise<ReceivedEvent> {
    const frame = await this.#next(withinMs)
    const event = this.#nodes.fromWire({ ...frame, id: String(frame.id) })
    this.#take(event)
    return event
  }

  async #next(withinMs = 5000): Promise<Frame> {
    const stream = this.#stream
    assert.ok(stream, `${this.user}/${this.device} has a stream`)
    const giveUpAt = Date.now() + withinMs
    let frame = await stream.next(undefined, withinMs)
    while (STREAM_EVENTS.includes(frame.type)) frame = await stream.next(undefined, giveUpAt - Date.now())
    return frame
  }

  /** The next event has to be a reset. The client continues at its cursor. */
  async expectReset(): Promise<Record<string, unknown>> {
    const { id, type, data } = await this.#next()
    assert.equal(type, 'reset', `the next event of ${this.user}/${this.device}`)
    this.#cursor = String(id)
    this.#origin = this.#cursor
    this.#received.length = 0
    return data
  }

  /** The next event has to be a notice: without an id, and without effect on the cursor. */
  async expectNotice(type: string): Promise<Record<string, unknown>> {
    const { id, ...notice } = this.#nodes.fromWire(await this.#next())
    assert.deepEqual([notice.type, id], [type, undefined], `the next event of ${this.user}/${this.device}`)
    assert.deepEqual(faultsOf(notice), [])
    assert.equal(this.#stream?.lastEventId, this.#cursor)
    return notice.data
  }

  async expectEvents(...types: string[]): Promise<void> {
    for (const type of types) await this.expectEvent(type)
  }

  /** The events of one poll, which does not wait. It supersedes the stream, so the device does not count as absent. */
  async poll({ limit = 100 } = {}): Promise<ReceivedEvent[]> {
    const cursor = this.#cursor === '' ? '' : `cursor=${this.#cursor}&`
    const { status, body } = await this.request('GET', `events/poll?${cursor}wait=0&limit=${limit}`)
    await this.closeStream()
    assert.equal(status, 200)
    const events = body.events as ReceivedEvent[]
    for (const event of events) this.#take(event)
    this.#origin ??= String(body.cursor)
    this.#cursor = String(body.cursor)
    return events
  }

  /** Continues from the cursor of a reply, as a client that opens its stream afterwards. */
  startFrom(cursor: unknown): void {
    this.#origin ??= String(cursor)
    this.#cursor = String(cursor)
  }

  #take(event: ReceivedEvent): void {
    assert.deepEqual(faultsOf({ type: event.type, timestamp: event.timestamp, data: event.data } as ReceivedEvent), [])
    assert.equal(seqOf(event.id), seqOf(this.#cursor) + 1, 'events arrive in order, none lost, none twice')
    this.#cursor = event.id
    this.#received.push(event)
  }

  /** The mailbox has exactly the received events, each call ends at most once, and no event of it follows. */
  async checkMailbox(t: Test): Promise<void> {
    if (this.#origin === null) return
    const { status, body } = await this.#pollAll()
    const events = body.events as ReceivedEvent[]
    const name = ({ id, type }: ReceivedEvent) => `${id} ${type}`
    t.same(
      [status, events.map(name)],
      [200, this.#received.map(name)],
      `${this.user}/${this.device} received all events`
    )
    const over = new Set<unknown>()
    const versions = new Map<unknown, number>()
    for (const { type, data } of events) {
      const version = Number(data.version)
      // A transfer rings a user for whom the call had ended.
      if (type === 'call.incoming' && data.transferredBy) over.delete(data.callId)
      assert.ok(!over.has(data.callId), `${type} after the call had ended for ${this.user}/${this.device}`)
      const source = sourceOf(type, data)
      assert.ok(version >= (versions.get(source) ?? 0), 'versions do not go back')
      versions.set(source, version)
      if (type === 'call.ended') over.add(data.callId)
    }
  }

  /** The poll supersedes the stream, so the device does not count as absent. Repeated while the store is unavailable, as clients do. */
  async #pollAll(): ReturnType<TestClient['request']> {
    const poll = () => this.request('GET', `events/poll?cursor=${this.#origin}&wait=0&limit=500`)
    let reply = await poll()
    await until('the store is available', async () => {
      if (reply.body.code === 'store_unavailable') reply = await poll()
      return reply.body.code !== 'store_unavailable'
    })
    return reply
  }
}

/** The aggregate whose version an event has: a call, a room, a pair of participants, or the presence of a user. */
function sourceOf(type: string, { callId, roomId, from, user }: ReceivedEvent['data']): string {
  if (type === 'presence.changed') return `presence ${user}`
  if (callId !== undefined) return `call ${callId}`
  return type.startsWith('signal.') ? `pair ${roomId} ${JSON.stringify(from)}` : `room ${roomId}`
}

const isObject = (body: object | string | null): body is object =>
  typeof body === 'object' && body !== null && !Array.isArray(body)

const seqOf = (cursor: string) => Number(cursor.split('.')[0])

function checkProblem(contentType: string | null, { status, body }: Reply): void {
  assert.match(contentType ?? '', /^application\/problem\+json(;|$)/)
  const row = ERRORS[body.code as ErrorCode]
  assert.ok(row, `${body.code} is in the table`)
  const { type, title, retryable } = body
  const code = body.code as ErrorCode
  const expected = {
    status: row.status,
    title: row.title,
    retryable: expectedRetryable(code, retryable),
    type: `/problems/${code}`
  }
  assert.deepEqual({ status, title, retryable, type }, expected)
  assert.notEqual(status, 500, String(body.detail))
  assert.deepEqual(faultsOfProblem(body), [])
}
