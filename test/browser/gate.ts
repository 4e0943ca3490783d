// A TCP proxy between a browser and the servers. It can lead to another node, as a load balancer does, break all connections, and buffer
// streams.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

export interface Gate {
  readonly url: string
  /** The heads of all requests for a stream so far. */
  readonly streams: readonly string[]
  /** New connections lead to this server. */
  leadTo(url: string): void
  /** Breaks all connections, and refuses new ones until the next leadTo. */
  cut(): void
  /** True: buffers the bytes of all streams. False: passes them on. */
  bufferStreams(buffers: boolean): void
}

interface Pair {
  readonly client: Socket
  readonly server: Socket
  isStream: boolean
}

export async function openGate(t: Test, url: string): Promise<Gate> {
  const streams: string[] = []
  const pairs = new Set<Pair>()
  let target: number | null = portOf(url)
  let isBuffering = false

  const listener = createServer(client => {
    if (target === null) return void client.destroy()
    const pair: Pair = { client, server: connect(target, '127.0.0.1'), isStream: false }
    pairs.add(pair)
    client.on('data', (data: Buffer) => {
      detectStream(pair, data.toString('latin1'))
      pair.server.write(data)
    })
    pair.server.on('data', data => client.write(data))
    const end = () => {
      pairs.delete(pair)
      client.destroy()
      pair.server.destroy()
    }
    for (const socket of [client, pair.server]) socket.on('error', end).on('close', end)
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')

  function detectStream(pair: Pair, text: string): void {
    if (!text.startsWith('GET /v1/events?')) return
    streams.push(text.toLowerCase())
    pair.isStream = true
    if (isBuffering) pair.server.pause()
  }

  function cut(): void {
    target = null
    for (const { client } of pairs) client.destroy()
  }

  t.teardown(async () => {
    cut()
    listener.close()
    await once(listener, 'close')
  })
  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    streams,
    cut,
    leadTo(other) {
      target = portOf(other)
    },
    bufferStreams(buffers) {
      isBuffering = buffers
      for (const { server, isStream } of pairs) {
        if (isStream && buffers) server.pause()
        else server.resume()
      }
    }
  }
}

const portOf = (url: string) => Number(new URL(url).port)
