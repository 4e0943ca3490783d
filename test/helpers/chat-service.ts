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
  readonly #create: Create
  readonly #kept = new Map<string, Map<string, Kept>>()
  #server: Server | null = null
  #port = 0

  private constructor(create: Create) {
    this.#create = create
  }

  static async open(): Promise<ChatHost> {
    const host = new ChatHost(((await import(EXAMPLE)) as { createChatService: Create }).createChatService)
    await host.returns()
    return host
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Where it was before. */
  async returns(): Promise<void> {
    const refuses = ({ content }: Kept) => (content.startsWith('spam') ? 'no spam' : null)
    this.#server = this.#create({ kept: this.#kept, refuses }).listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** With all that is under way. */
  async dies(): Promise<void> {
    const server = this.#server
    if (!server?.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }

  /** What it has of a room, in the order in which it came. */
  of(roomId: string): Kept[] {
    return [...(this.#kept.get(roomId)?.values() ?? [])]
  }
}
