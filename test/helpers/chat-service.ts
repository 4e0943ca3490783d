// The chat service of examples/services, which a test can stop and restart. It keeps its messages, as a database would.
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface StoredMessage {
  readonly messageId: string
  readonly content: string
  readonly version: number
}

type Create = (options: {
  readonly kept: Map<string, Map<string, StoredMessage>>
  readonly refuses: (message: StoredMessage) => string | null
}) => Server

const EXAMPLE = new URL('../../examples/services/chat-service.mjs', import.meta.url).href

export class ChatService {
  readonly #server: Server
  readonly #kept: Map<string, Map<string, StoredMessage>>
  #isStopped = false

  private constructor(server: Server, kept: Map<string, Map<string, StoredMessage>>) {
    this.#server = server
    this.#kept = kept
    server.on('connection', socket => {
      if (this.#isStopped) socket.destroy()
    })
  }

  static async open(): Promise<ChatService> {
    const { createChatService } = (await import(EXAMPLE)) as { createChatService: Create }
    const kept = new Map<string, Map<string, StoredMessage>>()
    const refuses = ({ content }: StoredMessage) => (content.startsWith('spam') ? 'no spam' : null)
    const server = createChatService({ kept, refuses }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new ChatService(server, kept)
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
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

  /** The messages of a room, in the order in which they arrived. */
  messagesOf(roomId: string): StoredMessage[] {
    return [...(this.#kept.get(roomId)?.values() ?? [])]
  }
}
