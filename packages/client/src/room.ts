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
import type { Method, RequestOptions, SignalpostEvent } from './core.js'
import { type Mode, Publication, type PublishOptions } from './publication.js'
import { type RoomClient, RoomState } from './room-state.js'
import type { RemoteTrack } from './streams.js'

export interface JoinOptions extends Omit<JoinRoomRequest, 'replace'> {
  /** Tracks to publish at once. They stay yours: stop them when you have left. */
  readonly media?: MediaStream
  /** The mode that the room gets, if it has another one. You need the grant `manage`. */
  readonly mode?: Mode
  readonly rtc?: RTCConfiguration
}

export class Room extends RoomState {
  #isEntering = false
  readonly #options: JoinOptions

  constructor(client: RoomClient, id: string, options: JoinOptions) {
    super(client, id, options.rtc)
    this.#options = options
  }

  /** Any request beneath `/rooms/{roomId}`: `request('GET', '/bans')`. */
  // biome-ignore lint/complexity/useMaxParams: as the request of the client.
  request<T>(method: Method, path: string, body?: object, options?: RequestOptions): Promise<T> {
    return this.client.requestAndShare(method, `/rooms/${encodeURIComponent(this.id)}${path}`, body, options)
  }

  // ── Joining and leaving ─────────────────────────────────────────────────────────────────────────────────────────────

  /** @internal */
  async join(): Promise<void> {
    const { media, mode } = this.#options
    await this.#enterOnce()
    for (const track of media?.getTracks() ?? []) await this.publish(track)
    if (mode && mode !== this.mode) await this.setMode(mode)
  }

  async #enterOnce(): Promise<void> {
    this.#isEntering = true
    await this.during(() => this.#enter()).finally(() => {
      this.#isEntering = false
    })
  }

  /** Joins as a new participant, and replaces an earlier one of this device, whose media is gone. */
  async #enter(): Promise<void> {
    this.endMedia()
    const { metadata } = this.#options
    const connect = await this.client.prepare(this.rtc)
    const body = { replace: true, metadata }
    const joined = await this.request<JoinRoomReply>('POST', '/participants', body)
    const { participantId, participants, room, sfu, producers } = joined
    // It was left meanwhile.
    if (this.isClosed) return this.request('DELETE', `/participants/${participantId}`)
    const order = participants.map(each => each.participantId)
    this.participantId = participantId
    this.settings = room
    for (const id of this.participants.keys())
      if (!order.includes(id)) this.dropParticipant({ participantId: id, reason: 'left' })
    for (const each of participants) this.set(each)
    this.connect = connect
    const state = { ...sfu, producers }
    this.begin(order, state)
    this.setAvailable(state)
  }

  /** @internal This device was lost, or events were missed, among them signals, which are in no snapshot. */
  async rejoin(): Promise<void> {
    if (this.isClosed || this.#isEntering) return
    try {
      await this.#enterOnce()
      this.emit('rejoined', {})
    } catch (error) {
      this.emit('error', error)
      this.finishAs('failed')
    }
  }

  /** Leaves on this device at once. */
  async leave(options?: RequestOptions): Promise<void> {
    if (this.isClosed) return
    const { participantId } = this
    this.finishAs('left')
    if (participantId) await this.request('DELETE', `/participants/${participantId}`, undefined, options)
  }

  // ── Acting ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Sends a track to all others, in either mode. */
  async publish(track: MediaStreamTrack, options: PublishOptions = {}): Promise<Publication> {
    const publication = new Publication(each => this.#sync(each), track, options)
    this.publications.add(publication)
    await this.#sync(publication)
    return publication
  }

  async #sync(publication: Publication): Promise<void> {
    if (publication.isClosed) this.publications.delete(publication)
    await this.flow?.sync(publication)
  }

  update(changes: RoomRequest): Promise<void> {
    // Signals of the new mode may arrive before the reply.
    return this.during(async () => {
      const { room, offerOrder } = await this.request<RoomReply>('PUT', '', changes)
      // The acting device gets no event.
      this.applySettings(room, offerOrder)
    })
  }

  setMode(mode: Mode): Promise<void> {
    return this.update({ mode })
  }

  /** Changes your metadata, or the role of another participant, or asks one to mute. */
  async updateParticipant(changes: UpdateParticipantRequest, participantId = this.participantId): Promise<void> {
    const { participant } = await this.request<ParticipantReply>('PATCH', `/participants/${participantId}`, changes)
    this.set(participant)
  }

  async remove(participantId: string, { ban = false } = {}): Promise<void> {
    await this.request('DELETE', `/participants/${participantId}${ban ? '?ban=true' : ''}`)
    this.dropParticipant({ participantId, reason: 'removed' })
  }

  /** As a moderator, in mode sfu: pauses or closes what another participant sends. Only that participant can resume it. */
  async moderate({ participant, producerId }: RemoteTrack, what: 'paused' | 'closed'): Promise<void> {
    const { participantId } = participant
    const path = `/sfu/participants/${participantId}/producers/${producerId}`
    await (what === 'paused' ? this.request('PATCH', path, { paused: true }) : this.request('DELETE', path))
    // The acting device gets no event.
    this.receive({ type: `sfu.producer_${what}`, data: { participantId, producerId } } as unknown as SignalpostEvent)
  }

  async chat(content: string, messageId?: string): Promise<ChatMessage> {
    return (await this.request<{ message: ChatMessage }>('POST', '/messages', { content, messageId })).message
  }

  /** The last messages, or those before a page: `history({ before: page.before })`. */
  history(query: Record<string, string | number> = {}): Promise<MessagesReply> {
    return this.request('GET', `/messages?${new URLSearchParams(query as Record<string, string>)}`)
  }

  invite(users: readonly string[], options?: Omit<InviteUsersRequest, 'users'>): Promise<object> {
    return this.request('POST', '/invitations', { users, ...options })
  }
}
