// All rooms of this tab: which room an event belongs to.
import type { SignalpostEvent } from './core.js'
import { type JoinOptions, Room } from './room.js'
import type { RoomClient } from './room-state.js'
import { listen } from './shared.js'

export class Rooms {
  readonly live: Map<string, Room>
  readonly #client: RoomClient

  /** `live`: the rooms that this tab is in, by id. */
  constructor(client: RoomClient, live: Map<string, Room>) {
    this.#client = client
    this.live = live
    // Without this the others would see a frozen picture until the server counts this device as lost.
    listen('pagehide', () => {
      for (const room of this.live.values()) room.leave({ keepalive: true }).catch(() => {})
    })
  }

  async join(id: string, options: JoinOptions): Promise<Room> {
    this.live.get(id)?.finishAs('replaced')
    const room = new Room(this.#client, id, options)
    // Before it has joined: events may arrive before the reply.
    this.live.set(id, room)
    room.once('closed', () => {
      if (this.live.get(id) === room) this.live.delete(id)
    })
    try {
      await room.beforeListening(() => room.join())
    } catch (error) {
      room.finishAs('failed')
      throw error
    }
    return room
  }

  receive(event: SignalpostEvent): void {
    if ('roomId' in event.data) this.live.get(event.data.roomId)?.receive(event)
  }

  /** Another tab of this device has joined: the device is another participant now. */
  onOwn({ room, participantId }: { room?: { roomId: string }; participantId?: string }): void {
    const known = room && this.live.get(room.roomId)
    if (participantId && known?.participantId && known.participantId !== participantId) known.finishAs('replaced')
  }

  /** At the start, and after a reset: events may be missing. */
  onSnapshot(): void {
    for (const room of this.live.values()) void room.rejoin()
  }
}
