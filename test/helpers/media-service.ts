// A media service without media, as a real HTTP server: openapi/media-service.yaml with faults. It can be killed and started again, and pushes
// its events in order.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type MediaReply, MediaSessions, type ResourcePath, refusalOf, type Session } from './media-sessions.js'

type Body = Readonly<Record<string, unknown>>

/** Every request, by its operationId. */
const OPERATIONS = [
  ['GET', /^\/health$/, 'getHealth'],
  ['PUT', /^\/sessions\/([^/]+)$/, 'openSession'],
  ['GET', /^\/sessions\/([^/]+)$/, 'getSession'],
  ['DELETE', /^\/sessions\/([^/]+)$/, 'closeSession'],
  ['PUT', /^\/sessions\/([^/]+)\/participants$/, 'keepParticipants'],
  ['DELETE', /^\/sessions\/([^/]+)\/participants\/([^/]+)$/, 'closeParticipant'],
  ['PUT', /^\/sessions\/([^/]+)\/participants\/([^/]+)\/([a-z-]+)\/([^/]+)$/, 'create'],
  ['PATCH', /^\/sessions\/([^/]+)\/participants\/([^/]+)\/(producers|consumers)\/([^/]+)$/, 'update'],
  ['DELETE', /^\/sessions\/([^/]+)\/participants\/([^/]+)\/([a-z-]+)\/([^/]+)$/, 'close'],
  ['POST', /^\/sessions\/([^/]+)\/participants\/([^/]+)\/(transports)\/([^/]+)\/connect$/, 'connectTransport'],
  ['POST', /^\/sessions\/([^/]+)\/participants\/([^/]+)\/(transports)\/([^/]+)\/restart-ice$/, 'restartIce'],
  ['POST', /^\/sessions\/([^/]+)\/participants\/([^/]+)\/(consumers)\/([^/]+)\/request-key-frame$/, 'requestKeyFrame'],
  ['GET', /^\/sessions\/([^/]+)\/participants\/([^/]+)\/([a-z-]+)\/([^/]+)\/stats$/, 'getStats']
] as const
export type Operation = (typeof OPERATIONS)[number][2]

/**
 * `hang`: no reply. `hold`: a reply when the fault is removed. `error`: 500. `overloaded`: 503 as the contract says. `wrong_json`: another
 * document. `no_json`: no JSON. `half`: half of a body. `close`: the connection ends before the request is executed. `die`: it ends after.
 */
export type Fault =
  | 'hang'
  | 'hold'
  | 'error'
  | 'overloaded'
  | 'wrong_json'
  | 'no_json'
  | 'half'
  | 'close'
  | 'die'
  | { readonly delayMs: number }

export interface ReceivedRequest {
  readonly operation: Operation
  readonly path: string
  readonly body: Body
}

interface PushQueue {
  seq: number
  readonly waiting: { readonly events: readonly object[]; readonly notices: readonly object[] }[]
  running: Promise<void> | null
}

export class TestMediaService {
  /** The requests that were received, oldest first. Health checks are not among them. */
  readonly requests: ReceivedRequest[] = []
  /** Where events are pushed to, in turn: the bases of one or more nodes. */
  signalpost: readonly string[] = []
  load = 0
  instance = randomUUID()
  readonly #secret: string
  readonly #server: Server
  readonly #faults = new Map<Operation, { readonly fault: Fault; readonly removed: Promise<void> }>()
  #state = new MediaSessions()
  #queues = new Map<string, PushQueue>()
  /** When a session has had no request for `confirmAfterMs`. */
  readonly #confirmations = new Map<string, NodeJS.Timeout>()
  #isDown = false
  #turn = 0

  private constructor(secret: string) {
    this.#secret = secret
    this.#server = createServer((request, reply) => {
      this.#answer(request, reply).catch(() => reply.destroy())
    })
    this.#server.on('connection', socket => {
      if (this.#isDown) socket.destroy()
    })
  }

  static async start(secret: string): Promise<TestMediaService> {
    const service = new TestMediaService(secret)
    await once(service.#server.listen(0, '127.0.0.1'), 'listening')
    return service
  }

  /** Host and port. */
  get name(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get url(): string {
    return `http://${this.name}`
  }

  get sessions(): ReadonlyMap<string, Session> {
    return this.#state.sessions
  }

  get isDown(): boolean {
    return this.#isDown
  }

  /** The sessions of a room. */
  sessionsOf(roomId: string): Session[] {
    return [...this.sessions.values()].filter(session => session.roomId === roomId)
  }

  countOf(operation: Operation): number {
    return this.requests.filter(request => request.operation === operation).length
  }

  /** From now on these requests fail so, until the returned function is called. */
  inject(operation: Operation, fault: Fault): () => void {
    let remove = () => {}
    const removed = new Promise<void>(resolve => {
      remove = () => {
        this.#faults.delete(operation)
        resolve()
      }
    })
    this.#faults.set(operation, { fault, removed })
    return remove
  }

  /** The process dies. The server goes on listening, so that no other process takes its port, and closes each connection. */
  kill(): void {
    this.#isDown = true
    this.#server.closeAllConnections()
    this.#state = new MediaSessions()
    this.#queues = new Map()
  }

  /** The process starts again, as another instance without sessions. */
  restart(): void {
    this.kill()
    this.instance = randomUUID()
    this.#isDown = false
  }

  /** The network between the service and Signalpost fails: no session is lost. */
  disconnect(): () => void {
    this.#isDown = true
    this.#server.closeAllConnections()
    return () => {
      this.#isDown = false
    }
  }

  async close(): Promise<void> {
    this.kill()
    for (const timer of this.#confirmations.values()) clearTimeout(timer)
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** The worker of a session dies. */
  loseSession(sessionId: string, reason = 'worker_died'): Promise<void> {
    const session = this.#state.sessions.get(sessionId)
    this.#state.sessions.delete(sessionId)
    return this.push(session, [{ type: 'session_lost', reason }])
  }

  /** Asks Signalpost whether a room uses the session. Resolves when it was answered. */
  async confirm(sessionId: string): Promise<void> {
    if (this.sessions.has(sessionId)) await this.push(this.sessions.get(sessionId), [])
  }

  /** A request for the session arrived. */
  #confirmLater(sessionId: string): void {
    clearTimeout(this.#confirmations.get(sessionId))
    this.#confirmations.delete(sessionId)
    const session = this.sessions.get(sessionId)
    if (!session) return
    const timer = setTimeout(() => {
      this.#confirmLater(sessionId)
      void this.confirm(sessionId)
    }, Number(session.parameters.confirmAfterMs))
    this.#confirmations.set(sessionId, timer.unref())
  }

  /** Resolves when all that was pushed for the session is acknowledged, or given up because Signalpost does not know the session. */
  push(session: Session | undefined, events: readonly object[], notices: readonly object[] = []): Promise<void> {
    if (!session) throw new Error('there is no such session')
    const queue = this.#queues.get(session.sessionId) ?? { seq: 1, waiting: [], running: null }
    this.#queues.set(session.sessionId, queue)
    queue.waiting.push({ events, notices })
    queue.running ??= this.#sendQueue(session, queue).finally(() => {
      queue.running = null
    })
    return queue.running
  }

  /** One request at a time. Only the first attempt carries notices, which are of the moment. */
  async #sendQueue(session: Session, queue: PushQueue): Promise<void> {
    for (let next = queue.waiting[0]; next !== undefined; next = queue.waiting[0]) {
      for (let attempt = 0; ; attempt++) {
        if (this.#queues.get(session.sessionId) !== queue) return
        const status = await this.send(session, { ...next, seq: queue.seq, ...(attempt > 0 ? { notices: [] } : {}) })
        if (status === 404) {
          this.#state.sessions.delete(session.sessionId)
          queue.waiting.length = 0
          return
        }
        // Malformed or too large: it would be refused again.
        if (status === 400 || status === 413 || (status >= 200 && status < 300)) break
        await sleep(Math.min(200, 10 * 2 ** attempt))
      }
      queue.seq += next.events.length
      queue.waiting.shift()
    }
  }

  /** One request, as it is. Resolves to the status; 0: there was no reply. */
  async send(
    { sessionId, roomId, service }: Pick<Session, 'sessionId' | 'roomId' | 'service'>,
    {
      secret = this.#secret,
      ...pushed
    }: { seq: number; events: readonly object[]; notices: readonly object[]; secret?: string }
  ): Promise<number> {
    const base = this.signalpost[this.#turn++ % this.signalpost.length]
    try {
      const reply = await fetch(`${base}/internal/media/${encodeURIComponent(service)}/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
        body: JSON.stringify({ sessionId, roomId, ...pushed })
      })
      await reply.body?.cancel()
      return reply.status
    } catch {
      return 0
    }
  }

  async #answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url)
    const found = OPERATIONS.find(([method, pattern]) => method === request.method && pattern.test(pathname))
    const body = await readBody(request)
    if (!found) return sendReply(reply, { status: 404, body: { code: 'not_found', detail: 'No such path' } })
    const [, pattern, operation] = found
    if (operation !== 'getHealth') this.requests.push({ operation, path: pathname, body })
    const execute = () => {
      if (request.headers.authorization !== `Bearer ${this.#secret}`)
        return { status: 401, body: { code: 'unauthorized', detail: 'The secret is missing or wrong' } }
      const parts = (pattern.exec(pathname) ?? []).slice(1).map(decodeURIComponent)
      const number = searchParams.get('closings')
      return this.#execute(operation, parts, number === null ? body : { closings: Number(number) })
    }
    const injected = this.#faults.get(operation)
    if (!injected) return sendReply(reply, execute())
    const { fault, removed } = injected
    if (typeof fault === 'object') await sleep(fault.delayMs)
    if (fault === 'hold') await removed
    if (fault === 'hang') return
    if (fault === 'close') return void reply.destroy()
    if (fault === 'error') return sendReply(reply, { status: 500, body: { code: 'internal', detail: 'A fault' } })
    if (fault === 'overloaded')
      return sendReply(reply, { status: 503, body: { code: 'overloaded', detail: 'A fault' } })
    const answered = execute()
    if (fault === 'die') return void reply.destroy()
    if (fault === 'wrong_json') return sendReply(reply, { status: 200, body: ['another document'] })
    if (fault === 'no_json') return void reply.writeHead(200).end('<html>')
    if (fault === 'half') return sendHalf(reply, answered)
    sendReply(reply, answered)
  }

  #execute(operation: Operation, parts: readonly string[], body: Body): MediaReply {
    const [sessionId = '', participantId = '', kind, id = ''] = parts
    const path = { sessionId, participantId, kind, id } as ResourcePath
    const state = this.#state
    const execute: Readonly<Record<Operation, () => MediaReply>> = {
      getHealth: () => ({
        status: 200,
        body: { instance: this.instance, load: this.load, sessions: this.sessions.size }
      }),
      openSession: () => state.putSession(sessionId, body),
      getSession: () => state.getSession(sessionId),
      closeSession: () => state.deleteSession(sessionId),
      keepParticipants: () => state.keepParticipants(sessionId, body),
      closeParticipant: () => state.deleteParticipant(sessionId, participantId),
      create: () => state.put(path, body),
      update: () => state.patch(path, body),
      close: () => state.remove(path, body.closings as number | undefined),
      connectTransport: () => state.connect(path, body),
      restartIce: () => state.restartIce(path),
      requestKeyFrame: () => state.requestKeyFrame(path),
      getStats: () => state.stats(path)
    }
    try {
      const reply = execute[operation]()
      this.#confirmLater(sessionId)
      return reply
    } catch (error) {
      const refusal = refusalOf(error)
      if (refusal) return refusal
      throw error
    }
  }
}

async function readBody(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  return text === '' ? {} : (JSON.parse(text) as Body)
}

function sendReply(reply: ServerResponse, { status, body }: MediaReply): void {
  if (body === undefined) reply.writeHead(status).end()
  else reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function sendHalf(reply: ServerResponse, { status, body = {} }: MediaReply): void {
  const text = JSON.stringify(body)
  reply.writeHead(status === 204 ? 200 : status, {
    'content-type': 'application/json',
    'content-length': text.length + 1
  })
  reply.write(text.slice(0, text.length / 2), () => reply.destroy())
}
