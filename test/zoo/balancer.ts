// A load balancer for TCP. It passes new connections to one node, and can break one in the middle of an event.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Balancer {
  readonly url: string
  /** Passes new connections to this node from now on. */
  passTo(nodeUrl: string): void
  /** Closes the next connection at once, as if it were passed to a node that is gone. */
  refuseNext(): void
  /** Resets the connection that receives the next event of a mailbox, after half of the event. */
  cutNextEvent(): void
  close(): Promise<void>
}

const MAILBOX_EVENT = 'event: call.'

export async function startBalancer(nodeUrl: string): Promise<Balancer> {
  let target = new URL(nodeUrl)
  let refusesNext = false
  let cutsNextEvent = false
  const open = new Set<Socket>()

  function pass(client: Socket, node: Socket, data: Buffer): void {
    const start = cutsNextEvent ? data.indexOf(MAILBOX_EVENT) : -1
    if (start < 0) return void client.write(data)
    cutsNextEvent = false
    const end = data.indexOf('\n\n', start)
    node.destroy()
    client.write(data.subarray(0, (start + end) >> 1), () => client.resetAndDestroy())
  }

  const server = createServer(client => {
    if (refusesNext) {
      refusesNext = false
      client.destroy()
      return
    }
    const node = connect(Number(target.port), target.hostname)
    client.on('data', data => node.write(data)).on('close', () => node.destroy())
    node.on('data', data => pass(client, node, data)).on('end', () => client.end())
    for (const [socket, other] of [
      [client, node],
      [node, client]
    ] as const) {
      open.add(socket)
      socket.setNoDelay().on('error', () => other.destroy())
      socket.on('close', () => open.delete(socket))
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passTo(url) {
      target = new URL(url)
      refusesNext = false
      cutsNextEvent = false
    },
    refuseNext() {
      refusesNext = true
    },
    cutNextEvent() {
      cutsNextEvent = true
    },
    async close() {
      server.close()
      for (const socket of open) socket.destroy()
      await once(server, 'close')
    }
  }
}
