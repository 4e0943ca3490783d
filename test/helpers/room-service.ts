// The room service of examples/services as a server: its rooms, the requests it got, and whether it replies.
import { once } from 'node:events'
import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Example {
  createRoomService(options: { rooms: Map<string, object>; secret: string }): Server
}

export class RoomService {
  readonly rooms = new Map<string, object>()
  readonly #server: Server
  readonly #asked: string[] = []
  #port = 0
  #mayReply: Promise<void> = Promise.resolve()

  private constructor(example: Example, secret: string) {
    this.#server = example.createRoomService({ rooms: this.rooms, secret })
    const [listener] = this.#server.listeners('request') as RequestListener[]
    this.#server.removeAllListeners('request').on('request', async (request, reply) => {
      this.#asked.push(String(request.url))
      await this.#mayReply
      listener?.(request, reply)
    })
  }

  static async start(secret: string): Promise<RoomService> {
    const example: Example = await import(new URL('../../examples/services/room-service.mjs', import.meta.url).href)
    const service = new RoomService(example, secret)
    await service.restart()
    return service
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** The number of requests for a room. */
  askedFor(roomId: string): number {
    return this.#asked.filter(url => url === `/internal/rooms/${encodeURIComponent(roomId)}`).length
  }

  /** From now on requests are not replied to, until the returned function is called. */
  holdReplies(): () => void {
    let release = () => {}
    this.#mayReply = new Promise(resolve => {
      release = resolve
    })
    return release
  }

  async stop(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }

  async restart(): Promise<void> {
    await once(this.#server.listen(this.#port, '127.0.0.1'), 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }
}
