// A room that this device is in: its participants, its chat and its media. rooms.ts hands it the events.
import type {
  ChatMessage,
  InviteUsersRequest,
  JoinRoomReply,
  JoinRoomRequest,
  MessagesReply,
  ParticipantReply,
  RoomReply,
  RoomRequest,
  UpdateParticipantRequest
} from './api.js'
import type { Method, RequestOptions } from './core.js'
import type { MediasoupLoader } from './mediasoup.js'
import { randomId } from './platform.js'
import type { Mode, Publication, PublishOptions } from './room-media.js'
import { RoomState } from './room-state.js'

export interface JoinOptions extends Omit<JoinRoomRequest, 'replace'> {
  /** Tracks to publish at once. They stay yours: stop them when you have left. */
  readonly media?: MediaStream
  /** The mode that the room gets, if it has another one. You need the grant `manage`. */
  readonly mode?: Mode
  readonly rtc?: RTCConfiguration
}

/** What a room needs of the client. */
export interface RoomHost {
  readonly mediasoup: MediasoupLoader | undefined
  request<T>(method: Method, path: string, body?: object, options?: RequestOptions): Promise<T>
  share(act: object): void
  iceServers(): Promise<RTCIceServer[]>
  /** Resolves to what creates connections; null without RTCPeerConnection. */
  prepare(rtc?: RTCConfiguration): Promise<(() => RTCPeerConnection) | null>
}

export class Room extends RoomState {
  readonly #host: RoomHost
  readonly #options: JoinOptions

  constructor(host: RoomHost, id: string, options: JoinOptions) {
    super(id)
    this.#host = host
    this.#options = options
  }

  get publications(): ReadonlySet<Publication> {
    return this.flow.publications
  }

  /** Any request beneath `/rooms/{roomId}`: `request('GET', '/bans')`. */
  // biome-ignore lint/complexity/useMaxParams: as the request of the client.
  request<T>(method: Method, path: string, body?: object, options?: RequestOptions): Promise<T> {
    return this.#host.request(method, `/rooms/${encodeURIComponent(this.id)}${path}`, body, options)
  }

  // ── Joining and leaving ─────────────────────────────────────────────────────────────────────────────────────────────

  async join(): Promise<void> {
    const { media, mode } = this.#options
    await this.#enter()
    for (const track of media?.getTracks() ?? []) await this.publish(track)
    if (mode && mode !== this.mode) await this.setMode(mode)
  }

  /** Joins as a new participant, and replaces an earlier one of this device, whose media is gone. */
  async #enter(): Promise<void> {
    this.waiting ??= []
    const { metadata, rtc } = this.#options
    const [connect, iceServers] = await Promise.all([this.#host.prepare(rtc), this.#host.iceServers()])
    const body = { replace: true, ...(metadata && { metadata }) }
    const joined = await this.request<JoinRoomReply>('POST', '/participants', body)
    this.#host.share(joined)
    const { participantId, participants, room, sfu, producers } = joined
    // It was left meanwhile.
    if (this.isClosed) return this.request('DELETE', `/participants/${participantId}`)
    this.participantId = participantId
    this.settings = room
    this.replaceParticipants(participants)
    const state = { sessionId: sfu?.sessionId ?? null, available: sfu?.available ?? true, producers }
    const { mediasoup } = this.#host
    this.flow.start(
      {
        own: participantId,
        connect,
        iceServers,
        mediasoup,
        ...this.callbacks,
        request: (method, path, body) => this.request(method, `/${path}`, body)
      },
      room.mode,
      {
        order: [...this.participants.keys()],
        state
      }
    )
    this.goOn()
  }

  protected override onLost(): void {
    void this.rejoin()
  }

  /** This device was lost, or events were missed, among them signals, which are in no snapshot. */
  async rejoin(): Promise<void> {
    if (this.waiting) return
    try {
      await this.#enter()
      this.emit('rejoined', {})
    } catch (error) {
      this.emit('error', error)
      this.finish('failed')
    }
  }

  /** Leaves on this device at once. */
  async leave(options?: RequestOptions): Promise<void> {
    if (this.isClosed) return
    const { participantId } = this
    this.finish('left')
    if (participantId) await this.request('DELETE', `/participants/${participantId}`, undefined, options)
  }

  // ── Acting ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Sends a track to all others, in either mode. */
  publish(track: MediaStreamTrack, options: PublishOptions = {}): Promise<Publication> {
    return this.flow.publish(track, options)
  }

  async update(changes: RoomRequest): Promise<void> {
    // Signals of the new mode may arrive before the reply.
    this.waiting ??= []
    try {
      const { room, offerOrder } = await this.request<RoomReply>('PUT', '', changes)
      // The acting device gets no event.
      this.applySettings(room, offerOrder)
    } finally {
      this.goOn()
    }
  }

  setMode(mode: Mode): Promise<void> {
    return this.update({ mode })
  }

  /** Changes your metadata, or the role of another participant, or asks one to mute. */
  async updateParticipant(changes: UpdateParticipantRequest, participantId = this.participantId): Promise<void> {
    const { participant } = await this.request<ParticipantReply>('PATCH', `/participants/${participantId}`, changes)
    this.updated(participant)
  }

  async remove(participantId: string, { ban = false } = {}): Promise<void> {
    await this.request('DELETE', `/participants/${participantId}${ban ? '?ban=true' : ''}`)
    this.leftById({ participantId, reason: 'removed', by: null })
  }

  async chat(content: string, messageId: string = randomId()): Promise<ChatMessage> {
    const body = { content, messageId }
    return (await this.request<{ message: ChatMessage }>('POST', '/messages', body)).message
  }

  /** The last messages, or those before a page: `history({ before: page.before })`. */
  history(query: Record<string, string> = {}): Promise<MessagesReply> {
    return this.request('GET', `/messages?${new URLSearchParams(query)}`)
  }

  typing(typing: boolean): Promise<null> {
    return this.request('POST', '/typing', { typing })
  }

  invite(users: readonly string[], options?: Omit<InviteUsersRequest, 'users'>): Promise<object> {
    return this.request('POST', '/invitations', { users, ...options })
  }

  close(): Promise<void> {
    this.finish('closed')
    return this.request('DELETE', '')
  }
}
