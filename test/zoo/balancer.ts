// A load balancer for TCP. It passes new connections to one node, and can break those that are open.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Balancer {
  readonly url: string
  /** Passes connections to this node from now on. */
  passTo(nodeUrl: string): void
  /** Closes the next connection at once, as if it were passed to a node that is gone. */
  refuseNext(): void
  /** Resets all open connections, as a network that fails. */
  reset(): void
  close(): Promise<void>
}

export async function startBalancer(nodeUrl: string): Promise<Balancer> {
  let target = new URL(nodeUrl)
  let refusesNext = false
  const open = new Set<Socket>()

  const server = createServer(client => {
    if (refusesNext) {
      refusesNext = false
      client.destroy()
      return
    }
    const node = connect(Number(target.port), target.hostname)
    client.pipe(node)
    node.pipe(client)
    for (const [socket, other] of [
      [client, node],
      [node, client]
    ] as const) {
      open.add(socket)
      socket.setNoDelay()
      socket.on('error', () => other.destroy())
      socket.on('close', () => open.delete(socket))
    }
    // A connection that the client has given up is of no use to the node.
    client.on('close', () => node.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passTo(url) {
      target = new URL(url)
      refusesNext = false
    },
    refuseNext() {
      refusesNext = true
    },
    reset() {
      for (const socket of open) socket.resetAndDestroy()
    },
    async close() {
      server.close()
      for (const socket of open) socket.destroy()
      await once(server, 'close')
    }
  }
}
