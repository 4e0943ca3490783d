// The chat service of examples/services, which a test may kill and bring back: what it kept it still has, as a database would.
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Kept {
  readonly messageId: string
  readonly content: string
  readonly version: number
}

type Create = (options: {
  readonly kept: Map<string, Map<string, Kept>>
  readonly refuses: (message: Kept) => string | null
}) => Server

const EXAMPLE = new URL('../../examples/services/chat-service.mjs', import.meta.url).href

export class ChatHost {
  readonly #server: Server
  readonly #kept: Map<string, Map<string, Kept>>
  #isDead = false

  private constructor(server: Server, kept: Map<string, Map<string, Kept>>) {
    this.#server = server
    this.#kept = kept
    server.on('connection', socket => {
      if (this.#isDead) socket.destroy()
    })
  }

  static async open(): Promise<ChatHost> {
    const { createChatService } = (await import(EXAMPLE)) as { createChatService: Create }
    const kept = new Map<string, Map<string, Kept>>()
    const refuses = ({ content }: Kept) => (content.startsWith('spam') ? 'no spam' : null)
    const server = createChatService({ kept, refuses }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new ChatHost(server, kept)
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  returns(): void {
    this.#isDead = false
  }

  /** With all that is under way. The port stays its own: another process would take a free one. */
  dies(): void {
    this.#isDead = true
    this.#server.closeAllConnections()
  }

  async close(): Promise<void> {
    this.dies()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** What it has of a room, in the order in which it came. */
  of(roomId: string): Kept[] {
    return [...(this.#kept.get(roomId)?.values() ?? [])]
  }
}
