// Lets one of several nodes make a number of its writes about a case, and no further one: what it has done by then is what a node has done that
// dies between two writes. It recognizes the connections of that node by their user of Redis. All servers of a Cluster share the counts.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Redis } from 'ioredis'
import { until } from './until.js'

/** The user of Redis of the node whose writes are counted, as in a URL. */
export const VICTIM = 'victim:secret'
const [USER, PASSWORD] = VICTIM.split(':') as [string, string]
const isLogin = (command: string) => /^\*\d+\r\n\$\d+\r\n(?:auth|hello)\r\n/i.test(command) && command.includes(USER)
const WRITES = /^\*\d+\r\n\$\d+\r\n(?:evalsha|eval|xadd|zadd|set|hset|hdel|del|zrem)\r\n/i
/** Redis answers it with an error, so each command has a reply, and the next ones keep theirs. */
const WITHHELD = '*1\r\n$8\r\nWITHHELD\r\n'
/** The node has answered, and makes no write any more, unless one of its timers fires. */
const QUIET_MS = 50

interface Count {
  left: number
  lastAt: number
  readonly shut: () => void
}

export class WriteGate {
  readonly #servers: ReturnType<typeof createServer>[] = []
  readonly #sockets = new Set<Socket>()
  /** By the part of a name that only the names of a case have. */
  readonly #counts = new Map<string, Count>()

  /** In front of the servers on these ports. */
  static async open(ports: readonly number[]): Promise<WriteGate> {
    const gate = new WriteGate()
    for (const port of ports) {
      await withClient(port, client => client.call('ACL', 'SETUSER', USER, 'on', `>${PASSWORD}`, '~*', '&*', '+@all'))
      const server = createServer(client => gate.#pass(client, connect(port, '127.0.0.1'))).listen(0, '127.0.0.1')
      await once(server, 'listening')
      gate.#servers.push(server)
    }
    return gate
  }

  /** Of each server, in their order. */
  get ports(): number[] {
    return this.#servers.map(server => (server.address() as AddressInfo).port)
  }

  /** The servers of a Cluster tell their clients the ports of the gate. */
  async announce(ports: readonly number[]): Promise<void> {
    for (const [i, port] of ports.entries())
      await withClient(port, client => client.config('SET', 'cluster-announce-port', String(this.ports[i])))
    for (const port of ports)
      await withClient(port, client =>
        until('all servers announce the ports of the gate', async () => {
          const slots = JSON.stringify(await client.call('CLUSTER', 'SLOTS'))
          return this.ports.every(each => slots.includes(`${each}`))
        })
      )
  }

  /** From now on `count` writes pass that have this part of a name in them. Resolves when one was withheld. */
  passOnly(count: number, name: string): Promise<void> {
    return new Promise(resolve => this.#counts.set(name, { left: count, lastAt: Date.now(), shut: resolve }))
  }

  isShut(name: string): boolean {
    return (this.#counts.get(name)?.left ?? 0) < 0
  }

  /** Resolves when a write was withheld, or none came for a while. */
  untilQuiet(name: string): Promise<void> {
    const lastAt = () => this.#counts.get(name)?.lastAt ?? 0
    return until('the node has made its writes', () => this.isShut(name) || Date.now() - lastAt() > QUIET_MS)
  }

  #pass(client: Socket, server: Socket): void {
    let isVictim = false
    let rest = Buffer.alloc(0)
    client.on('data', data => {
      rest = Buffer.concat([rest, data])
      for (let end = endOfCommand(rest); end > 0; end = endOfCommand(rest)) {
        const command = rest.toString('latin1', 0, end)
        isVictim ||= isLogin(command)
        server.write(isVictim && this.#withholds(command) ? WITHHELD : rest.subarray(0, end))
        rest = rest.subarray(end)
      }
    })
    server.on('data', data => client.write(data))
    const end = () => {
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', end).on('close', end)
    }
  }

  #withholds(command: string): boolean {
    if (!WRITES.test(command)) return false
    for (const [name, count] of this.#counts) {
      if (!command.includes(name)) continue
      count.lastAt = Date.now()
      if (--count.left >= 0) return false
      count.shut()
      return true
    }
    return false
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    for (const server of this.#servers) {
      server.close()
      await once(server, 'close')
    }
  }
}

/** Of the first command in the protocol of Redis: an array of strings. 0: it is not complete. */
function endOfCommand(bytes: Buffer): number {
  let at = bytes.indexOf('\r\n')
  if (at < 0) return 0
  const count = Number(bytes.toString('latin1', 1, at))
  at += 2
  for (let i = 0; i < count; i++) {
    const line = bytes.indexOf('\r\n', at)
    if (line < 0) return 0
    at = line + 2 + Number(bytes.toString('latin1', at + 1, line)) + 2
  }
  return at <= bytes.length ? at : 0
}

async function withClient(port: number, use: (client: Redis) => Promise<unknown>): Promise<void> {
  const client = new Redis(port)
  try {
    await use(client)
  } finally {
    client.disconnect()
  }
}
