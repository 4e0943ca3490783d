// A TCP proxy that can make connections deaf: open, writable, and nothing comes back, as behind a broken middlebox.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Proxy {
  readonly port: number
  /** From now on nothing comes back over the present connections that have sent this word; their number. */
  deafen(word: string): number
  close(): Promise<void>
}

interface Pair {
  readonly client: Socket
  readonly server: Socket
  sent: string
  isDeaf: boolean
}

export async function startProxy(targetPort: number): Promise<Proxy> {
  const pairs = new Set<Pair>()
  const proxy = createServer(client => {
    const pair: Pair = { client, server: connect(targetPort, '127.0.0.1'), sent: '', isDeaf: false }
    pairs.add(pair)
    client.on('data', data => {
      pair.sent += data.toString('latin1').toLowerCase()
      pair.server.write(data)
    })
    pair.server.on('data', data => {
      if (!pair.isDeaf) client.write(data)
    })
    const end = () => {
      pairs.delete(pair)
      client.destroy()
      pair.server.destroy()
    }
    for (const socket of [client, pair.server]) socket.on('error', end).on('close', end)
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return {
    port: (proxy.address() as AddressInfo).port,
    deafen(word) {
      const chosen = [...pairs].filter(pair => pair.sent.includes(word))
      for (const pair of chosen) pair.isDeaf = true
      return chosen.length
    },
    async close() {
      proxy.close()
      for (const { client, server } of pairs) {
        client.destroy()
        server.destroy()
      }
      await once(proxy, 'close')
    }
  }
}
