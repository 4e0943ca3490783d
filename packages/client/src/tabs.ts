// One connection for all tabs of a device. The tab that holds a Web Lock is the leader: it has the connection, and passes on what it
// receives over a BroadcastChannel. The others are followers. When the leader is closed, the next tab gets the lock, and resumes after the
// last event it received, so that none is lost; repeats are dropped by their id.
import type { Snapshot } from './api.js'
import { Connection, type ConnectionOptions, type ConnectionOwner, type ConnectionState } from './connection.js'
import { randomId } from './platform.js'
import type { Problem } from './problem.js'
import type { ReceivedEvent } from './stream.js'

export interface TabsOwner extends ConnectionOwner {
  /** Another tab did this. */
  onOwn(act: unknown): void
}

export interface TabsOptions extends ConnectionOptions {
  /** Of the lock and the channel: the same for all tabs of one device. */
  readonly name: string
  readonly owner: TabsOwner
}

type Message = { readonly from: string } & (
  | { readonly kind: 'lead' }
  | { readonly kind: 'state'; readonly state: ConnectionState }
  | { readonly kind: 'event'; readonly event: ReceivedEvent }
  | { readonly kind: 'reset'; readonly reason: string; readonly cursor: string; readonly snapshot: Snapshot }
  | { readonly kind: 'end'; readonly reason: string }
  /** A follower asks for the events after its cursor. The leader answers with null if it does not have them any more. */
  | { readonly kind: 'ask'; readonly cursor: string }
  | {
      readonly kind: 'answer'
      readonly to: string
      readonly events: ReceivedEvent[] | null
      readonly state: ConnectionState
    }
  | { readonly kind: 'own'; readonly act: unknown }
)

type WithoutSender<Each> = Each extends Message ? Omit<Each, 'from'> : never

/** The leader answers at once, unless its page hangs. */
const ANSWER_MS = 2000
/** A leader whose lock was stolen may see the end of its stream before it sees the loss of the lock. */
const LOCK_LOSS_MS = 1000
/** A message to the other tabs has arrived after this time, unless their pages hang. */
const MESSAGE_MS = 1000

export const canShareTabs = (): boolean =>
  Boolean(globalThis.document && globalThis.BroadcastChannel && navigator.locks)

export class SharedConnection implements ConnectionOwner {
  readonly #options: TabsOptions
  readonly #id = randomId()
  readonly #channel: BroadcastChannel
  readonly #leaving = new AbortController()
  /** Of the leader. */
  #connection: Connection | null = null
  #state: ConnectionState = 'connecting'
  #releaseLock: () => void = () => {}
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(options: TabsOptions) {
    this.#options = options
    this.#channel = new BroadcastChannel(options.name)
  }

  start(): void {
    this.#channel.onmessage = ({ data }) => this.#receive(data as Message)
    this.#options.owner.onState('connecting')
    this.#queueForLead()
    this.#ask()
  }

  /** The next tab becomes the leader, if this one was. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#leaving.abort()
    this.#resign()
    this.#channel.close()
  }

  /** Ends a back-off of the leader. */
  hurry(): void {
    if (this.#connection) this.#connection.hurry()
    else this.#ask()
  }

  /** Sends the other tabs what this one did. */
  share(act: unknown): void {
    this.#post({ kind: 'own', act })
  }

  #post(message: WithoutSender<Message>): void {
    if (!this.#leaving.signal.aborted) this.#channel.postMessage({ ...message, from: this.#id })
  }

  // ── Becoming the leader ──

  #queueForLead(): void {
    const { signal } = this.#leaving
    navigator.locks
      .request(this.#options.name, { signal }, () => this.#lead())
      .catch(({ name }) => {
        if (signal.aborted) return
        this.#resign()
        // The lock was stolen; or a sandboxed frame must not use locks, and has no other tab to share with.
        if (name === 'AbortError') this.#queueForLead()
        else void this.#lead()
      })
  }

  /** The leader does not answer: its page hangs, or it is frozen without having had the time to release the lock. */
  #steal(): void {
    navigator.locks.request(this.#options.name, { steal: true }, () => this.#lead()).catch(() => this.#resign())
  }

  /** Holds the lock until the returned promise is resolved. */
  #lead(): Promise<void> | undefined {
    if (this.#leaving.signal.aborted || this.#connection) return
    clearTimeout(this.#timer)
    this.#post({ kind: 'lead' })
    this.#connection = new Connection({ ...this.#options, owner: this })
    this.#connection.start()
    return new Promise(resolve => {
      this.#releaseLock = resolve
    })
  }

  #resign(): void {
    this.#connection?.stop()
    this.#connection = null
    this.#releaseLock()
    this.#ask()
  }

  // ── The leader passes on what it receives ──

  onState(state: ConnectionState): void {
    this.#state = state
    this.#post({ kind: 'state', state })
    this.#options.owner.onState(state)
  }

  onEvent(event: ReceivedEvent): void {
    this.#post({ kind: 'event', event })
    this.#options.owner.onEvent(event)
  }

  async onReset(reason: string, cursor: string): Promise<Snapshot> {
    const snapshot = await this.#options.owner.onReset(reason, cursor)
    this.#post({ kind: 'reset', reason, cursor, snapshot })
    return snapshot
  }

  onEnd(reason: string, problem: Problem | null): void {
    const ended = this.#connection
    const end = () => {
      if (this.#connection !== ended) return
      // With a problem it ends here only: a request of this tab was refused, and those of another may succeed.
      if (!problem) this.#endAll(reason)
      this.#end(reason, problem)
    }
    if (reason === 'superseded') setTimeout(end, LOCK_LOSS_MS)
    else end()
  }

  /** The lock is kept until the others have the message: a follower that got the lock first would connect again. */
  #endAll(reason: string): void {
    this.#post({ kind: 'end', reason })
    const release = this.#releaseLock
    this.#releaseLock = () => setTimeout(release, MESSAGE_MS)
  }

  #end(reason: string, problem: Problem | null): void {
    this.stop()
    this.#options.owner.onEnd(reason, problem)
  }

  onError(error: unknown): void {
    this.#options.owner.onError(error)
  }

  // ── Followers ──

  #ask(): void {
    this.#post({ kind: 'ask', cursor: this.#options.inbox.cursor })
    this.#expectLeader(ANSWER_MS + Math.random() * ANSWER_MS, () => this.#steal())
  }

  /** A timer of a follower that has slept is late, too: so it asks before it steals. */
  #expectLeader(ms = this.#options.times.leaderMs, otherwise = () => this.#ask()): void {
    clearTimeout(this.#timer)
    if (!this.#leaving.signal.aborted) this.#timer = setTimeout(otherwise, ms)
  }

  #receive(message: Message): void {
    if (message.kind === 'own') this.#options.owner.onOwn(message.act)
    else if (this.#connection) this.#answer(message)
    else if (message.kind !== 'ask') this.#follow(message)
  }

  #answer(message: Message): void {
    if (message.kind !== 'ask') return
    const { from: to, cursor } = message
    this.#post({ kind: 'answer', to, events: this.#options.inbox.after(cursor), state: this.#state })
    this.#connection?.hurry()
  }

  #follow(message: Message): void {
    const { owner } = this.#options
    this.#expectLeader()
    if (message.kind === 'lead') this.#ask()
    if (message.kind === 'state') owner.onState(message.state)
    if (message.kind === 'event') this.#deliver(message.event)
    if (message.kind === 'reset') void owner.onReset(message.reason, message.cursor, message.snapshot)
    if (message.kind === 'end') this.#end(message.reason, null)
    if (message.kind !== 'answer' || message.to !== this.#id) return
    if (message.events) for (const event of message.events) this.#deliver(event)
    else owner.onReset('evicted').catch(error => owner.onError(error))
    owner.onState(message.state)
  }

  #deliver(event: ReceivedEvent): void {
    const { inbox, owner } = this.#options
    if (inbox.receive(event)) owner.onEvent(event)
  }
}
