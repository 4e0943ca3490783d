// A TCP proxy between the C client and a node. It counts what passes, and breaks connections in the ways that networks and proxies do.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Counts {
  connections: number
  requests: number
  /** Bytes of TCP payload from the client, and to it. */
  sent: number
  received: number
}

interface Cut {
  readonly request: RegExp
  /** Called for each request that matches. */
  readonly after: () => number
}

interface Link {
  readonly client: Socket
  node: Socket
  /** What the client has sent since the last byte that it received. */
  request: string
  /** Replies that have begun. */
  replies: number
  /** Bytes of the current reply that have passed. */
  passed: number
  /** The number of bytes of the reply, and of the request, after which the connection is cut. */
  cutAfter: number
  cutRequestAfter: number
  isFrozen: boolean
}

const METHOD = /^(GET|POST|PUT|DELETE) /

export class WireProxy {
  readonly counts: Counts = { connections: 0, requests: 0, sent: 0, received: 0 }
  /** Holds back replies that match, as a proxy does that passes on whole bodies only. */
  buffers: RegExp | null = null
  /** How many bytes of the next reply to a request that matches pass before the connection is cut. Null: all. */
  cutReply: Cut | null = null
  /** The same for the request itself. */
  cutRequest: Cut | null = null
  /** Closes a connection at its second request, as if the server had closed it just before. */
  closesOnReuse = false
  /** Answers the next requests that match in place of the node. */
  readonly answers: { readonly request: RegExp; readonly reply: string }[] = []
  /** Each request line, in order. */
  readonly lines: string[] = []
  readonly #links = new Set<Link>()
  #nodeUrl: URL
  #server = createServer(client => this.#accept(client))

  private constructor(nodeUrl: string) {
    this.#nodeUrl = new URL(nodeUrl)
  }

  static async start(nodeUrl: string): Promise<WireProxy> {
    const proxy = new WireProxy(nodeUrl)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Passes new connections to this node. */
  passTo(nodeUrl: string): void {
    this.#nodeUrl = new URL(nodeUrl)
  }

  /** Closes all connections. */
  cut(): void {
    for (const { client } of this.#links) client.end()
  }

  /** Passes nothing to the client any more on the connections that are open, and does not close them. */
  freeze(): void {
    for (const link of this.#links) link.isFrozen = true
  }

  /** Sends a chunk to the clients of event streams. */
  inject(text: string): void {
    const chunk = `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
    for (const { client, request } of this.#links) if (request.includes('/v1/events?')) client.write(chunk)
  }

  async close(): Promise<void> {
    this.#server.close()
    for (const { client, node } of this.#links) {
      client.destroy()
      node.destroy()
    }
    await once(this.#server, 'close')
  }

  #accept(client: Socket): void {
    this.counts.connections++
    const node = connect(Number(this.#nodeUrl.port), this.#nodeUrl.hostname)
    const link: Link = {
      client,
      node,
      request: '',
      replies: 0,
      passed: 0,
      cutAfter: Number.POSITIVE_INFINITY,
      cutRequestAfter: Number.POSITIVE_INFINITY,
      isFrozen: false
    }
    this.#links.add(link)
    client.on('data', data => this.#take(link, data))
    node.on('data', data => this.#pass(link, data))
    for (const [socket, other] of [
      [client, node],
      [node, client]
    ] as const) {
      socket.setNoDelay().on('error', () => other.destroy())
      socket.on('close', () => {
        this.#links.delete(link)
        if (!link.isFrozen) other.end()
      })
    }
  }

  #take(link: Link, data: Buffer): void {
    const text = data.toString('latin1')
    if (METHOD.test(text) && !this.#begin(link, text)) return
    link.request += text
    this.counts.sent += data.length
    const excess = link.request.length - link.cutRequestAfter
    if (excess <= 0) return void link.node.write(data)
    link.node.write(data.subarray(0, Math.max(0, data.length - excess)))
    link.client.destroy()
  }

  /** Returns whether the request is passed on. */
  #begin(link: Link, text: string): boolean {
    this.counts.requests++
    const [line = ''] = text.split('\r\n')
    this.lines.push(line)
    link.request = ''
    link.passed = 0
    const cutAfter = (cut: Cut | null) => (cut?.request.test(line) ? cut.after() : Number.POSITIVE_INFINITY)
    link.cutAfter = cutAfter(this.cutReply)
    link.cutRequestAfter = cutAfter(this.cutRequest)
    if (this.closesOnReuse && link.replies > 0) {
      link.client.destroy()
      return false
    }
    link.replies++
    const at = this.answers.findIndex(({ request }) => request.test(line))
    if (at < 0) return true
    link.client.write(this.answers.splice(at, 1)[0]?.reply ?? '')
    return false
  }

  #pass(link: Link, data: Buffer): void {
    if (link.isFrozen || this.buffers?.test(link.request)) return
    const left = link.cutAfter - link.passed
    const passed = data.subarray(0, Math.max(0, left))
    this.counts.received += passed.length
    link.passed += passed.length
    link.client.write(passed)
    if (link.passed < link.cutAfter) return
    // Both ways in which a connection may end: FIN, and RST.
    if (link.cutAfter % 2 === 0) link.client.end()
    else link.client.resetAndDestroy()
    link.node.destroy()
  }
}
