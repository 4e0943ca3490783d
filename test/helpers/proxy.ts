// A TCP proxy that can make connections deaf: open, writable, and nothing comes back, as behind a broken middlebox. Or slow.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Proxy {
  readonly port: number
  /** From now on nothing comes back over the present connections that have sent this word; their number. */
  deafen(word: string): number
  /** From now on whoever sends this word waits for what comes back, until the returned function is called. */
  delay(word: string): () => void
  /** How many are waiting. */
  readonly waiting: number
  close(): Promise<void>
}

interface Pair {
  readonly client: Socket
  readonly server: Socket
  sent: string
  isDeaf: boolean
  readonly kept: Buffer[]
}

export async function startProxy(targetPort: number): Promise<Proxy> {
  const pairs = new Set<Pair>()
  let delayed: string | null = null
  const proxy = createServer(client => {
    const pair: Pair = { client, server: connect(targetPort, '127.0.0.1'), sent: '', isDeaf: false, kept: [] }
    pairs.add(pair)
    client.on('data', data => {
      pair.sent += data.toString('latin1').toLowerCase()
      pair.server.write(data)
    })
    pair.server.on('data', data => {
      if (delayed !== null && pair.sent.includes(delayed)) pair.kept.push(data)
      else if (!pair.isDeaf) client.write(data)
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
    delay(word) {
      delayed = word
      return () => {
        delayed = null
        for (const { client, kept } of pairs) for (const data of kept.splice(0)) client.write(data)
      }
    },
    get waiting() {
      return [...pairs].filter(({ kept }) => kept.length > 0).length
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
