// A person in the room of the page: the pictures of the others, the mode of the room, and its chat.
import type { Participant } from '../../client/src/api.js'
import type { RemoteTrack, Room } from '../../client/src/index.js'
import { button, el, setText } from '../../page-parts/src/dom.js'
import { type Chat, createChat } from './chat.js'
import type { Person } from './person.js'

interface RoomCardOptions {
  readonly person: Person
  readonly roomId: () => string
  /** Whether the room can be in mode sfu. Its host, who came first, may change the mode. */
  readonly hasSfu: boolean
}

export function roomCard({ person, roomId, hasSfu }: RoomCardOptions): HTMLElement {
  const { name } = person
  const title = el('h2', { id: `room-${encodeURIComponent(name)}` }, name)
  const status = el('span', { class: 'badge', role: 'status' })
  const problem = el('p', { class: 'problem', role: 'alert' })
  const tiles = el('div', { class: 'tiles' })
  const labels = { lines: `Messages of ${name} in the room`, field: `Message of ${name} to the room` }
  const chat = createChat({ labels, send: text => visit.say(text) })
  const visit: Visit = new Visit(person, { tiles, chat, changed: () => render() })
  const join = button('Join', () => visit.join(roomId()), { class: 'primary' })
  const leave = button('Leave', () => visit.leave(), { class: 'danger' })
  const mode = button('', () => visit.switchMode())
  const render = () => {
    const { room, isJoining } = visit
    const count = room ? `${room.participants.size} in the room, ${room.mode}` : ''
    setText(status, isJoining ? 'joining' : count || 'not in the room')
    status.dataset.state = room ? 'live' : 'idle'
    join.hidden = room !== null
    join.disabled = isJoining
    for (const each of [leave, chat.form]) each.hidden = room === null
    mode.hidden = room?.role !== 'host' || !hasSfu
    setText(mode, room?.mode === 'sfu' ? 'Switch to p2p' : 'Switch to sfu')
    setText(problem, visit.problem)
  }
  const card = el('section', { class: `card person hue-${person.hue}`, 'aria-labelledby': title.id })
  card.append(
    el('header', {}, title, status),
    tiles,
    el('div', { class: 'row' }, join, mode, leave),
    chat.list,
    chat.form,
    problem
  )
  render()
  return card
}

interface VisitOptions {
  readonly tiles: HTMLElement
  readonly chat: Chat
  changed(): void
}

/** The time of a person in the room. */
class Visit {
  room: Room | null = null
  isJoining = false
  problem = ''
  readonly #person: Person
  readonly #options: VisitOptions
  readonly #tiles = new Map<string, HTMLElement>()

  constructor(person: Person, options: VisitOptions) {
    this.#person = person
    this.#options = options
  }

  join(roomId: string): Promise<boolean> {
    return this.#act(async () => {
      this.isJoining = true
      this.#person.isInRoom = true
      this.#options.changed()
      try {
        const { stream } = await this.#person.openPicture()
        const room = await this.#person.client.join(roomId, { media: stream })
        this.#enter(room, stream)
      } finally {
        this.isJoining = false
        if (!this.room) this.#end()
      }
    })
  }

  leave(): Promise<boolean> {
    return this.#act(async () => this.room?.leave())
  }

  switchMode(): Promise<boolean> {
    return this.#act(async () => this.room?.setMode(this.room.mode === 'sfu' ? 'p2p' : 'sfu'))
  }

  say(text: string): Promise<boolean> {
    return this.#act(async () => {
      await this.room?.chat(text)
      this.#addLine(this.#person.name, text)
    })
  }

  #enter(room: Room, stream: MediaStream): void {
    this.room = room
    this.#tile('own', this.#person.name).srcObject = stream
    for (const each of room.participants.values()) this.#show(each)
    room.on('participant_joined', each => this.#show(each))
    room.on('participant_left', ({ participant }) => this.#remove(participant.participantId))
    room.on('track', received => this.#onTrack(received))
    room.on('updated', () => this.#options.changed())
    room.on('message', ({ from, content }) => this.#addLine(from.user, content))
    room.on('error', error => this.#fail(error))
    room.on('closed', () => this.#end())
  }

  #show({ participantId, user }: Participant): void {
    if (participantId !== this.room?.participantId) this.#tile(participantId, user)
    this.#options.changed()
  }

  #onTrack({ participant, attach, track }: RemoteTrack): void {
    if (track.kind === 'video') attach(this.#tile(participant.participantId, participant.user))
  }

  #tile(id: string, user: string): HTMLVideoElement {
    const known = this.#tiles.get(id)?.querySelector('video')
    if (known) return known
    const video = el('video', {
      autoplay: true,
      playsinline: true,
      'aria-label': `${user}, as ${this.#person.name} sees it`
    })
    // Two people on one page would hear each other through the loudspeaker.
    video.muted = true
    const tile = el('div', { class: 'tile' }, video, el('span', { class: 'owner' }, id === 'own' ? 'you' : user))
    this.#tiles.set(id, tile)
    this.#options.tiles.append(tile)
    return video
  }

  #remove(id: string): void {
    this.#tiles.get(id)?.remove()
    this.#tiles.delete(id)
    this.#options.changed()
  }

  #addLine(from: string, text: string): void {
    this.#options.chat.add(from, text)
  }

  #end(): void {
    for (const id of [...this.#tiles.keys()]) this.#remove(id)
    this.room = null
    this.#person.isInRoom = false
    if (!this.#person.liveCall) this.#person.closePicture()
    this.#options.changed()
  }

  /** Resolves to whether it succeeded. */
  async #act(what: () => Promise<unknown>): Promise<boolean> {
    this.problem = ''
    try {
      await what()
      return true
    } catch (error) {
      this.#fail(error)
      return false
    } finally {
      this.#options.changed()
    }
  }

  #fail(error: unknown): void {
    this.problem = error instanceof Error ? error.message : String(error)
    this.#options.changed()
  }
}
