// One of the people on the page: a client of the SDK, its network, its picture and its call.
import { Emitter } from '../../client/src/emitter.js'
import { type Call, type CallOptions, type ConnectionState, Problem, Signalpost } from '../../client/src/index.js'
import type { ChatLine } from './chat.js'
import { Healing } from './healing.js'
import { Network } from './network.js'
import { openPicture, type Picture } from './picture.js'
import { SERVER_URL } from './tokens.js'
import { Transfers } from './transfers.js'
import type { Wire } from './wire.js'

export interface PersonOptions {
  readonly name: string
  readonly device: string
  readonly hue: number
  readonly wantsCamera: boolean
  readonly wire: Wire
  readonly token: () => Promise<string>
}

interface PersonEvents {
  /** Anything that the page shows. */
  changed: object
  /** A call begins, or something happens in it. */
  call: Call
}

const CALL_EVENTS = [
  ...(['ringing', 'accepted', 'connected', 'held', 'media', 'peer_away', 'peer_back', 'track'] as const),
  ...(['transferring', 'transfer_failed', 'transferred'] as const)
]
/** A stream is tried again soon, so that the page shows it. */
const STREAM_AGAIN_MS = 5000

export class Person extends Emitter<PersonEvents> {
  readonly name: string
  readonly hue: number
  readonly network: Network
  readonly healing = new Healing()
  readonly transfers = new Transfers(this)
  readonly client: Signalpost
  wantsCamera: boolean
  /** The current call, or the last one. */
  call: Call | null = null
  picture: Picture | null = null
  muted = { audio: false, video: false }
  readonly lines: ChatLine[] = []
  /** The last failure, for the user of the page. */
  problem = ''
  /** Whom the last call or transfer did not reach, because no device of theirs is connected. */
  unreachable = ''
  resets = 0
  isAway = false
  #dialing: AbortController | null = null
  readonly #followed = new WeakSet<Call>()

  constructor({ name, device, hue, wantsCamera, wire, token }: PersonOptions) {
    super()
    this.name = name
    this.hue = hue
    this.wantsCamera = wantsCamera
    this.network = new Network({ person: name, wire, healing: this.healing, changed: () => this.#change() })
    this.client = new Signalpost({
      ...{ url: SERVER_URL, token, device, tabs: false, fetch: this.network.fetch },
      times: { streamMs: STREAM_AGAIN_MS },
      mediasoup: () => import('mediasoup-client')
    })
    this.client.on('connection', state => {
      this.healing.connection(state)
      this.#change()
    })
    this.client.on('incoming', call => this.#dialing ?? this.show(call))
    this.client.on('resumable', call => this.#resume(call))
    this.client.on('reset', () => {
      this.resets++
      this.healing.reset()
    })
    this.client.on('event', () => this.#change())
    this.client.on('error', error => this.fail(error))
    this.client.on('closed', ({ reason, problem }) => this.fail(problem ?? new Error(`Disconnected: ${reason}`)))
  }

  get connection(): ConnectionState {
    return this.client.connection
  }

  get isDialing(): boolean {
    return this.#dialing !== null
  }

  /** The call, unless it has ended. */
  get liveCall(): Call | null {
    return this.call && this.call.state !== 'ended' ? this.call : null
  }

  connect(): Promise<unknown> {
    this.problem = ''
    return this.client.connect().catch(error => this.fail(error))
  }

  // ── Acting ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** `names`: a user, or several with commas. */
  dial(names: string, more: CallOptions = {}): Promise<boolean> {
    const users = names.split(',').map(name => name.trim())
    const [user = ''] = users
    return this.act(async () => {
      const dialing = new AbortController()
      this.#dialing = dialing
      this.#change()
      try {
        const { stream } = await this.openPicture()
        const options = { ...more, media: stream, signal: dialing.signal }
        if (!dialing.signal.aborted) this.show(await this.client.call(users.length > 1 ? users : user, options))
      } finally {
        this.#dialing = null
        this.#closeIdlePicture()
      }
    }, user)
  }

  answer(): Promise<boolean> {
    return this.act(async () => {
      const { liveCall } = this
      const { stream } = await this.openPicture()
      await liveCall?.accept({ media: stream })
      this.#closeIdlePicture()
    })
  }

  /** The page was reloaded in a call. */
  #resume(call: Call): void {
    this.show(call)
    void this.act(async () => {
      const { stream } = await this.openPicture()
      await call.resume({ media: stream })
      this.#closeIdlePicture()
    })
  }

  async hangUp(): Promise<void> {
    this.#dialing?.abort()
    // The call that waits for a consultation goes on.
    if (this.#dialing && this.transfers.isConsulting) return
    await this.act(async () => this.liveCall?.hangup())
  }

  toggleCamera(): void {
    this.wantsCamera = !this.wantsCamera
    this.#change()
  }

  mute(kind: 'audio' | 'video'): Promise<boolean> {
    return this.act(async () => {
      this.muted = { ...this.muted, [kind]: !this.muted[kind] }
      await this.liveCall?.mute(this.muted)
    })
  }

  /** Resolves to whether it was sent. */
  say(text: string): Promise<boolean> {
    return this.act(async () => {
      await this.liveCall?.send(text)
      this.lines.push({ from: this.name, text })
    })
  }

  /** Does it, and shows why it failed, also that `callee` has no device. Resolves to whether it succeeded. */
  async act(what: () => Promise<unknown>, callee = ''): Promise<boolean> {
    this.problem = ''
    this.unreachable = ''
    try {
      await what()
      return true
    } catch (error) {
      if (error instanceof Problem && error.code === 'callee_unreachable') this.unreachable = callee
      this.fail(error)
      return false
    } finally {
      this.#change()
    }
  }

  async openPicture(): Promise<Picture> {
    this.picture ??= await openPicture(this)
    this.#change()
    return this.picture
  }

  closePicture(): void {
    this.picture?.stop()
    this.picture = null
  }

  /** Set while a room uses the picture. */
  isInRoom = false

  #closeIdlePicture(): void {
    if (!this.liveCall && !this.isInRoom) this.closePicture()
  }

  // ── What happens ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Makes it the call of the card. */
  show(call: Call): void {
    if (this.call === call) return
    this.call = call
    this.#follow(call)
    this.#onCall(call)
  }

  #follow(call: Call): void {
    if (this.#followed.has(call)) return
    this.#followed.add(call)
    this.muted = { audio: false, video: false }
    this.isAway = false
    this.lines.length = 0
    this.transfers.follow(call)
    for (const type of CALL_EVENTS) call.on(type, () => this.#onCall(call))
    call.on('peer_away', () => this.#setAway(true))
    call.on('peer_back', () => this.#setAway(false))
    call.on('message', ({ content, from }) => this.lines.push({ from: from.user, text: content }))
    call.on('error', error => this.fail(error))
    call.on('ended', () => {
      this.#closeIdlePicture()
      this.#onCall(call)
    })
  }

  #setAway(isAway: boolean): void {
    this.isAway = isAway
    this.#change()
  }

  #onCall(call: Call): void {
    this.emit('call', call)
    this.#change()
  }

  fail(error: unknown): void {
    const isCancel = error instanceof Problem && error.code === 'aborted'
    if (!isCancel) this.problem = error instanceof Error ? error.message : String(error)
    this.#change()
  }

  #change(): void {
    this.emit('changed', {})
  }
}
