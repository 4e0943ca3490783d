// @signalpost/client: calls and rooms on top of the core.
import type { Snapshot } from './api.js'
import type { Call } from './call.js'
import type { Client } from './call-requests.js'
import { type CallOptions, Calls, type CallTo } from './calls.js'
import { type CoreEvents, type CoreOptions, SignalpostCore } from './core.js'
import type { MediasoupLoader } from './mediasoup.js'
import { problemFrom } from './requests.js'
import type { JoinOptions, Room } from './room.js'
import type { RoomEvents } from './room-state.js'
import type { Rooms } from './rooms.js'

export type { CallEvents, EndReason } from './call-events.js'
export type { MediaOptions } from './call-media.js'
export * from './core.js'
export type { Publication, PublishOptions, Source } from './publication.js'
/** @internal */
export * from './shared.js'
export type { RemoteTrack } from './streams.js'
export type { Call, CallOptions, CallTo, JoinOptions, Room, RoomEvents }

export interface Options extends CoreOptions {
  /** Where the platform has none, or another one is wanted. Null: calls and rooms without media, for a stack of your own. */
  readonly RTCPeerConnection?: typeof RTCPeerConnection | null
  /** For rooms in mode sfu: `() => import('mediasoup-client')`. */
  readonly mediasoup?: MediasoupLoader
  /** Near which this device is, by a name that the operator of the server has given: its TURN servers come first. */
  readonly region?: string
}

export interface Events extends CoreEvents {
  /** A call rings for you. */
  incoming: Call
  /**
   * A call that this device is in, and no tab: its page was reloaded or has crashed. `call.resume()` goes on with it, `call.hangup()` ends it.
   * Without a listener calls are hung up: when the page is closed, and at the next start.
   */
  resumable: Call
}

export class Signalpost extends SignalpostCore<Events> {
  /** @internal */
  declare readonly options: Options
  readonly #calls: Calls
  /** The rooms that this tab is in, by id. */
  readonly rooms: ReadonlyMap<string, Room> = new Map()
  /** Null before the first `join`. */
  #rooms: Rooms | null = null
  #ice: RTCConfiguration = {}
  #iceUntil = 0

  constructor(options: Options) {
    super(options)
    this.#calls = new Calls(this)
    this.on('event', event => {
      this.#calls.receive(event)
      this.#rooms?.receive(event)
    })
    this.on('own', act => {
      this.#calls.onOwn(act as object)
      this.#rooms?.onOwn(act as object)
    })
  }

  /** Calls that have not ended, by id. */
  get calls(): ReadonlyMap<string, Call> {
    return this.#calls.live
  }

  /** Resolves when the server rings the user, or the first of several. @throws Problem, such as `callee_busy` */
  call(to: CallTo, options: CallOptions = {}): Promise<Call> {
    return this.#calls.create(to, options)
  }

  /** Joins the room, and creates it if there is none. Of a device one tab is in a room: it replaces another one. @throws Problem */
  async join(roomId: string, options: JoinOptions = {}): Promise<Room> {
    const { Rooms } = await import('./rooms.js').catch(error => {
      throw problemFrom(error)
    })
    this.#rooms ??= new Rooms(this, this.rooms as Map<string, Room>)
    return this.#rooms.join(roomId, options)
  }

  /** @internal Tells the other tabs, if the reply shows a call or a participation: the acting device receives no event. */
  async requestAndShare<T>(...request: Parameters<Client['requestAndShare']>): Promise<T> {
    const reply = (await this.request(...request)) as { call?: object; participantId?: string } | null
    if (reply?.call || reply?.participantId) this.share(reply)
    return reply as T
  }

  protected override onSnapshot(snapshot: Snapshot): void {
    this.#calls.onSnapshot(snapshot).catch(error => this.onError(error))
    this.#rooms?.onSnapshot()
  }

  /** @internal */
  async prepare(rtc: RTCConfiguration = {}): Promise<(() => RTCPeerConnection) | null> {
    const { RTCPeerConnection: Connection = globalThis.RTCPeerConnection } = this.options
    if (!Connection) return null
    const configuration = { ...(await this.iceConfig()), ...rtc }
    return () => new Connection(configuration)
  }

  /** @internal What the server says about ICE. */
  async iceConfig(): Promise<RTCConfiguration> {
    if (this.#iceUntil < Date.now()) {
      const { region = '' } = this.options
      const { expiresInMs, ...ice } = await this.request('GET', `/ice-servers?region=${encodeURIComponent(region)}`)
      this.#ice = ice as RTCConfiguration
      // Half of the time: a connection uses them for a while.
      this.#iceUntil = Date.now() + (expiresInMs ?? Number.POSITIVE_INFINITY) / 2
    }
    return this.#ice
  }
}
