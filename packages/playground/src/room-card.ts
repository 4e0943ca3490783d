// A person in the room of the page: the pictures of the others, the mode of the room, and its chat.
import type { Participant } from '../../client/src/api.js'
import type { RemoteTrack, Room } from '../../client/src/index.js'
import { button, el, setText } from './dom.js'
import type { Person } from './person.js'

interface RoomCardOptions {
  readonly person: Person
  readonly roomId: () => string
  /** Whether the room can be in mode sfu. Its host, who came first, may change the mode. */
  readonly hasSfu: boolean
}

export function roomCard({ person, roomId, hasSfu }: RoomCardOptions): HTMLElement {
  const { name } = person
  const title = el('h2', { id: `room-${name}` }, name)
  const status = el('span', { class: 'badge', role: 'status' })
  const problem = el('p', { class: 'problem', role: 'alert' })
  const tiles = el('div', { class: 'tiles' })
  const lines = el('ol', { class: 'lines', role: 'log', 'aria-label': `Messages of ${name} in the room` })
  const visit = new Visit(person, { tiles, lines, changed: () => render() })
  const join = button('Join', () => visit.join(roomId()), { class: 'primary' })
  const leave = button('Leave', () => visit.leave(), { class: 'danger' })
  const mode = button('', () => visit.switchMode())
  const chat = chatForm(name, text => visit.say(text))
  const render = () => {
    const { room, isJoining } = visit
    const count = room ? `${room.participants.size} in the room, ${room.mode}` : ''
    setText(status, isJoining ? 'joining' : count || 'not in the room')
    status.dataset.state = room ? 'live' : 'idle'
    join.hidden = room !== null
    join.disabled = isJoining
    for (const each of [leave, chat]) each.hidden = room === null
    mode.hidden = room?.role !== 'host' || !hasSfu
    setText(mode, room?.mode === 'sfu' ? 'Switch to p2p' : 'Switch to sfu')
    setText(problem, visit.problem)
  }
  const card = el('section', { class: `card person hue-${person.hue}`, 'aria-labelledby': title.id })
  card.append(
    el('header', {}, title, status),
    tiles,
    el('div', { class: 'row' }, join, mode, leave),
    lines,
    chat,
    problem
  )
  render()
  return card
}

function chatForm(name: string, send: (text: string) => void): HTMLFormElement {
  const input = el('input', {
    placeholder: 'Message',
    'aria-label': `Message of ${name} to the room`,
    autocomplete: 'off'
  })
  const form = el('form', { class: 'row' }, input, el('button', {}, 'Send'))
  form.addEventListener('submit', event => {
    event.preventDefault()
    if (input.value !== '') send(input.value)
    input.value = ''
  })
  return form
}

interface VisitOptions {
  readonly tiles: HTMLElement
  readonly lines: HTMLElement
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

  join(roomId: string): Promise<void> {
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

  leave(): Promise<void> {
    return this.#act(async () => this.room?.leave())
  }

  switchMode(): Promise<void> {
    return this.#act(async () => this.room?.setMode(this.room.mode === 'sfu' ? 'p2p' : 'sfu'))
  }

  say(text: string): Promise<void> {
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
    this.#options.lines.append(el('li', {}, el('b', {}, from), ` ${text}`))
  }

  #end(): void {
    for (const id of [...this.#tiles.keys()]) this.#remove(id)
    this.room = null
    this.#person.isInRoom = false
    if (!this.#person.liveCall) this.#person.closePicture()
    this.#options.changed()
  }

  async #act(what: () => Promise<unknown>): Promise<void> {
    this.problem = ''
    await what().catch(error => this.#fail(error))
    this.#options.changed()
  }

  #fail(error: unknown): void {
    this.problem = error instanceof Error ? error.message : String(error)
    this.#options.changed()
  }
}
