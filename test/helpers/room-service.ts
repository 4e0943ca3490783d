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
  #isStopped = false
  #mayReply: Promise<void> = Promise.resolve()

  private constructor(example: Example, secret: string) {
    this.#server = example.createRoomService({ rooms: this.rooms, secret })
    this.#server.on('connection', socket => {
      if (this.#isStopped) socket.destroy()
    })
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
    await once(service.#server.listen(0, '127.0.0.1'), 'listening')
    return service
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
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

  restart(): void {
    this.#isStopped = false
  }

  /** Closes all connections and refuses new ones. The server goes on listening, so that no other process takes its port. */
  stop(): void {
    this.#isStopped = true
    this.#server.closeAllConnections()
  }

  async close(): Promise<void> {
    this.stop()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
