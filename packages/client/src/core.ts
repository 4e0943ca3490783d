// The core of the SDK, without WebRTC: requests and events of one device.
import type { EventData, Operations, Snapshot } from './api.js'
import { Connection, type ConnectionState, TIMES, type Times, type Transport } from './connection.js'
import { Emitter } from './emitter.js'
import { randomId } from './platform.js'
import { Problem } from './problem.js'
import { type Method, type RequestOptions, Requests } from './requests.js'
import type { ReceivedEvent } from './stream.js'

export { Problem } from './problem.js'
export type { ConnectionState, Method, RequestOptions, Transport }

export interface CoreOptions {
  /** Of the server, without `/v1`: `https://calls.example.com`. */
  readonly url: string
  /** Returns a token. Asked at the start, when the token is about to expire, and when it was refused. */
  readonly token: () => string | Promise<string>
  /** The id of this device. Default: in a browser a random one that `localStorage` keeps, elsewhere a random one. */
  readonly device?: string
  /** Whether all tabs of this origin and device share one stream. Default: where the browser can do that. */
  readonly tabs?: boolean
  /** `auto`: a stream, or long-polls while a proxy holds streams back. */
  readonly transport?: Transport
  /** How long a request is repeated after failures. 30 s by default. */
  readonly retryForMs?: number
  /** Where the platform has none, or another one is wanted. */
  readonly fetch?: typeof fetch
  /** @internal */
  readonly times?: Partial<Times>
}

/** An event of the mailbox. Notices, such as `chat.typing`, have no id. */
export type SignalpostEvent = {
  [Type in keyof EventData]: {
    readonly id: string | null
    readonly type: Type
    readonly timestamp: string
    readonly data: EventData[Type]
  }
}[keyof EventData]

export interface CoreEvents extends EventData {
  /** Each event once, in order. */
  event: SignalpostEvent
  connection: ConnectionState
  /** Events may be missing: go on from the snapshot. */
  reset: { readonly reason: string; readonly snapshot: Snapshot }
  /** The connection has ended and does not come back by itself: `superseded`, `signed_off`, or the code of a problem. `closed`: by you. */
  closed: { readonly reason: string; readonly problem: Problem | null }
  /** What another tab of this device did, as it shared it. */
  own: unknown
  /** A listener threw, or something in the background failed. */
  error: unknown
}

type WithoutQuery<Path extends string> = Path extends `${infer Before}?${string}` ? Before : Path

/** Body and reply of the first row of `Operations` with this method and path. */
type Find<Rows, M, Path> = Rows extends [[infer Method, infer Pattern, infer Body, infer Reply], ...infer Rest]
  ? [M, Path] extends [Method, Pattern]
    ? { body: Body; reply: Reply }
    : Find<Rest, M, Path>
  : { body: unknown; reply: unknown }

type Operation<M extends Method, Path extends string> = string extends Path
  ? { body: unknown; reply: unknown }
  : Find<Operations, M, WithoutQuery<Path>>

/** The body that an operation takes. */
export type Body<M extends Method, Path extends string> =
  Operation<M, Path> extends { body: infer Type } ? Type : unknown

/** What an operation replies. */
export type Reply<M extends Method, Path extends string> =
  Operation<M, Path> extends { reply: infer Type } ? Type : unknown

/** An event that arrives again has one of the last ids. */
const IDS_KEPT = 64

export class SignalpostCore<Events extends CoreEvents = CoreEvents> extends Emitter<Events> {
  readonly device: string
  protected readonly options: CoreOptions
  readonly #requests: Requests
  readonly #connection: Connection
  #state: ConnectionState = 'closed'
  #user: string | null = null
  #connected: Promise<Snapshot> | null = null
  #settle: { readonly resolve: () => void; readonly reject: (problem: Problem) => void } | null = null
  #ids: string[] = []

  constructor(options: CoreOptions) {
    super()
    this.options = options
    this.device = options.device ?? defaultDevice()
    const { url, token, transport = 'auto', retryForMs = 30_000, times } = options
    this.#requests = new Requests({
      url: url.replace(/\/$/, ''),
      token,
      device: this.device,
      retryForMs,
      fetch: options.fetch ?? ((input, init) => fetch(input, init))
    })
    this.#connection = new Connection({
      requests: this.#requests,
      transport,
      times: { ...TIMES, ...times },
      onState: state => this.#setState(state),
      onEvent: event => this.#deliver(event),
      onReset: reason => this.#reset(reason),
      onEnd: (reason, problem) => this.#end(reason, problem),
      onError: error => this.onListenerError(error)
    })
  }

  get connection(): ConnectionState {
    return this.#state
  }

  /** Null before `connect()`. */
  get user(): string | null {
    return this.#user
  }

  /** Resolves to the snapshot when events arrive. @throws Problem for what cannot succeed later, such as a token that is refused */
  connect(): Promise<Snapshot> {
    this.#connected ??= this.#connect().catch(error => {
      this.#connected = null
      this.#setState('closed')
      throw error
    })
    return this.#connected
  }

  async #connect(): Promise<Snapshot> {
    this.#setState('connecting')
    const snapshot = await this.#snapshot()
    this.#user = snapshot.presence.user
    this.onSnapshot(snapshot)
    const flowing = new Promise<void>((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    this.#connection.start(snapshot.cursor)
    await flowing
    return snapshot
  }

  /** Any operation of the API: `request('POST', '/calls', { to: 'bob' })`. @throws Problem */
  // biome-ignore lint/complexity/useMaxParams: reads as an HTTP request does, with what is seldom needed at the end.
  async request<M extends Method, Path extends string>(
    method: M,
    path: Path,
    body?: Body<M, Path>,
    options?: RequestOptions
  ): Promise<Reply<M, Path>> {
    return (await this.#requests.send({ method, path, body, ...options })) as Reply<M, Path>
  }

  /** The mailbox goes on collecting events for this device, unless it signs off. */
  async close({ signOff = false } = {}): Promise<void> {
    this.#connection.stop()
    if (this.#state !== 'closed') this.#end('closed', null)
    if (signOff) await this.request('DELETE', '/presence')
  }

  /** Tells the other tabs of this device what this one did: the device receives no event of it. */
  share(_act: unknown): void {}

  /** The state that the first event follows. */
  protected onSnapshot(_snapshot: Snapshot): void {}

  /** Keeps asking: the connection waits for it. */
  async #snapshot(): Promise<Snapshot> {
    for (;;) {
      try {
        return await this.request('GET', '/snapshot')
      } catch (error) {
        if (!(error instanceof Problem && error.retryable && error.status !== 409)) throw error
      }
    }
  }

  async #reset(reason: string): Promise<void> {
    this.#fire('reset', { reason, snapshot: await this.#snapshot() })
  }

  #deliver(event: ReceivedEvent): void {
    if (event.id) {
      if (this.#ids.includes(event.id)) return
      this.#ids = [...this.#ids.slice(1 - IDS_KEPT), event.id]
    }
    this.#fire('event', event as unknown as SignalpostEvent)
    this.#fire(event.type as keyof EventData, event.data as never)
  }

  #setState(state: ConnectionState): void {
    if (state === 'live' || state === 'polling') this.#settle?.resolve()
    if (state === this.#state) return
    this.#state = state
    this.#fire('connection', state)
  }

  #end(reason: string, problem: Problem | null): void {
    this.#connected = null
    this.#settle?.reject(problem ?? new Problem({ code: 'aborted', message: `The connection ended: ${reason}` }))
    this.#setState('closed')
    this.#fire('closed', { reason, problem })
  }

  /** `Events` has all of CoreEvents, but the compiler cannot see that of a type parameter. */
  #fire<Type extends keyof CoreEvents>(type: Type, value: CoreEvents[Type]): boolean {
    return this.emit(type, value as Events[Type])
  }

  protected override onListenerError(error: unknown): void {
    if (!this.#fire('error', error)) console.error(error)
  }
}

function defaultDevice(): string {
  try {
    const stored = localStorage.getItem('signalpost.device') ?? randomId()
    localStorage.setItem('signalpost.device', stored)
    return stored
  } catch {
    // No localStorage, or the page may not use it.
    return randomId()
  }
}
