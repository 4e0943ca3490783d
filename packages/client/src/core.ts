// The core of the SDK, without WebRTC: the requests and events of one device.
import type { EventData, Snapshot } from './api.js'
import { Connection, type ConnectionState, type Transport } from './connection.js'
import type { CoreEvents, SignalpostEvent } from './core-events.js'
import { Emitter } from './emitter.js'
import { Inbox } from './inbox.js'
import type { Body, Reply } from './operations.js'
import { deviceId, isOffline, listen } from './platform.js'
import { mayRepeat, Problem } from './problem.js'
import { type Method, problemFrom, type RequestOptions, Requests } from './requests.js'
import type { ReceivedEvent } from './stream.js'
import { canShareTabs, SharedConnection } from './tabs.js'
import { TIMES, type Times } from './times.js'

export type { CoreEvents, SignalpostEvent } from './core-events.js'
export { Problem } from './problem.js'
export type { Body, ConnectionState, Method, Reply, RequestOptions, Transport }

export interface CoreOptions {
  /** Of the server, without `/v1`: `https://calls.example.com`. */
  readonly url: string
  /** Returns a token. Asked at the start, when the token is about to expire, and when it was refused. */
  readonly token: () => string | Promise<string>
  /**
   * The id of this device. Default: a random one, which a browser keeps, for all tabs if they share a connection. Elsewhere keep one
   * yourself: each new one is another device of the user.
   */
  readonly device?: string
  /** Whether all tabs of this origin and device share one connection. Default: where the browser has Web Locks. */
  readonly tabs?: boolean
  /** `auto` (default): a stream, or long-polls while a proxy holds streams back. */
  readonly transport?: Transport
  /** How long a request is repeated after failures. Default: 30 s. */
  readonly retryForMs?: number
  /** Default: that of the platform. */
  readonly fetch?: typeof fetch
  /** @internal */
  readonly times?: Partial<Times>
}

export class SignalpostCore<Events extends CoreEvents = CoreEvents> extends Emitter<Events> {
  readonly device: string
  /** @internal */
  readonly options: CoreOptions
  readonly #requests: Requests
  readonly #sharesTabs: boolean
  #state: ConnectionState = 'closed'
  #user: string | null = null
  #connected: Promise<Snapshot> | null = null
  /** Aborted when the connection ends. */
  #ending = new AbortController()
  #inbox = new Inbox('')
  /** Null while the page is frozen, and before and after the connection. */
  #link: Connection | SharedConnection | null = null
  #flow: { readonly begin: () => void; readonly fail: (problem: Problem) => void } | null = null

  constructor(options: CoreOptions) {
    super()
    if (!/^https?:../.test(options.url) || !options.token) {
      throw new TypeError('Needs url (https://...) and token')
    }
    this.options = options
    this.#sharesTabs = (options.tabs ?? true) && canShareTabs()
    this.device = options.device ?? deviceId(this.#sharesTabs)
    this.#requests = new Requests({ ...options, device: this.device })
  }

  get connection(): ConnectionState {
    return this.#state
  }

  /** Null before the first `connect()`. */
  get user(): string | null {
    return this.#user
  }

  /**
   * Resolves when events arrive, to the state of the device before them. Waits for as long as that takes.
   * @throws Problem if a request is refused, such as for its token
   */
  connect(): Promise<Snapshot> {
    this.#connected ??= this.#connect()
    return this.#connected
  }

  async #connect(): Promise<Snapshot> {
    const ending = new AbortController()
    this.#ending = ending
    this.onState(isOffline() ? 'offline' : 'connecting')
    try {
      return await this.#begin(ending.signal)
    } catch (error) {
      const problem = problemFrom(error, ending.signal)
      if (!ending.signal.aborted) this.onEnd(problem.code, problem)
      throw problem
    }
  }

  async #begin(signal: AbortSignal): Promise<Snapshot> {
    const snapshot = await this.#snapshot()
    if (signal.aborted) throw signal.reason
    this.#user = snapshot.presence.user
    this.#inbox = new Inbox(snapshot.cursor)
    this.onSnapshot(snapshot)
    const flowing = new Promise<void>((begin, fail) => {
      this.#flow = { begin, fail }
    })
    this.#watchPage()
    this.#open()
    await flowing
    return snapshot
  }

  /** Any operation of the API: `request('POST', '/calls', { to: 'bob' })`. Repeats what may succeed later. @throws Problem */
  // biome-ignore lint/complexity/useMaxParams: it reads like the request, and the fourth is seldom given.
  async request<M extends Method, Path extends string>(
    method: M,
    path: Path,
    body?: Body<M, Path>,
    options?: RequestOptions
  ): Promise<Reply<M, Path>> {
    return (await this.#requests.send({ method, path, body, ...options })) as Reply<M, Path>
  }

  /** Other tabs go on. The mailbox goes on collecting events for this device, unless it signs off. */
  async close({ signOff = false } = {}): Promise<void> {
    this.onEnd('closed', null)
    if (signOff) await this.request('DELETE', '/presence')
  }

  /** Sends the other tabs what this one did, as `own`: the device receives no event of its own acts. */
  share(act: unknown): void {
    this.#link?.share(act)
  }

  /** Called with the state that the next event follows: at the start and after a reset. */
  protected onSnapshot(_snapshot: Snapshot): void {}

  #open(): void {
    const { url, transport = 'auto', times } = this.options
    const options = {
      requests: this.#requests,
      inbox: this.#inbox,
      transport,
      times: { ...TIMES, ...times },
      // Of the lock and the channel of the tabs.
      name: `signalpost ${JSON.stringify([url, this.#user, this.device])}`,
      owner: this
    }
    this.#link = this.#sharesTabs ? new SharedConnection(options) : new Connection(options)
    this.#link.start()
  }

  /** A page that is frozen, or kept for the back button, receives nothing: another tab takes over. */
  #watchPage(): void {
    const page = globalThis.document
    const suspend = () => this.#suspend()
    const resume = () => this.#link ?? this.#open()
    listen('pagehide', suspend, this.#ending)
    listen('pageshow', resume, this.#ending)
    listen('freeze', suspend, this.#ending, page)
    listen('resume', resume, this.#ending, page)
    listen('visibilitychange', () => page?.hidden || this.#link?.hurry(), this.#ending, page)
  }

  #suspend(): void {
    this.#link?.stop()
    this.#link = null
  }

  /** Repeats until there is a reply. */
  async #snapshot(): Promise<Snapshot> {
    for (;;) {
      try {
        return await this.request('GET', '/snapshot', undefined, { signal: this.#ending.signal })
      } catch (error) {
        if (!mayRepeat(error as Problem)) throw error
      }
    }
  }

  // ── What the connection says ──

  /** @internal */
  async onReset(reason: string, cursor?: string, given?: Snapshot): Promise<Snapshot> {
    const snapshot = given ?? (await this.#snapshot())
    this.#inbox.restart(cursor ?? snapshot.cursor)
    this.onSnapshot(snapshot)
    this.#fire('reset', { reason, snapshot })
    return snapshot
  }

  /** @internal */
  onEvent(event: ReceivedEvent): void {
    this.#fire('event', { ...event, id: event.id ?? null } as unknown as SignalpostEvent)
    this.#fire(event.type as keyof EventData, event.data as never)
  }

  /** @internal */
  onState(state: ConnectionState): void {
    if (state === 'live' || state === 'polling') this.#flow?.begin()
    if (state === this.#state) return
    this.#state = state
    this.#fire('connection', state)
  }

  /** @internal */
  onEnd(reason: string, problem: Problem | null): void {
    if (this.#state === 'closed') return
    this.#ending.abort()
    this.#suspend()
    this.#connected = null
    this.#flow?.fail(problem ?? new Problem({ code: 'aborted', message: `The connection has ended: ${reason}` }))
    this.onState('closed')
    this.#fire('closed', { reason, problem })
  }

  /** @internal Another tab did this. */
  onOwn(act: unknown): void {
    this.#fire('own', act)
  }

  /** `Events` has all of CoreEvents, which the compiler cannot see of a type parameter. */
  #fire<Type extends keyof CoreEvents>(type: Type, value: CoreEvents[Type]): boolean {
    return this.emit(type, value as Events[Type])
  }

  /** @internal */
  override onError(error: unknown): void {
    if (!this.#fire('error', error)) console.error(error)
  }
}
