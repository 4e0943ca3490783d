// What lies between a browser and the servers: a load balancer that can send everybody to another node, a network that can break,
// a proxy that can hold streams back.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

export interface Gate {
  readonly url: string
  /** The heads of all requests for a stream so far. */
  readonly streams: readonly string[]
  /** New connections go there. */
  leadTo(url: string): void
  /** All connections break, and new ones do until the gate leads somewhere again. */
  cut(): void
  /** Whether what comes over streams stays here for now. */
  holdStreams(isHeld: boolean): void
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
  let isHolding = false

  const listener = createServer(client => {
    if (target === null) return void client.destroy()
    const pair: Pair = { client, server: connect(target, '127.0.0.1'), isStream: false }
    pairs.add(pair)
    client.on('data', (data: Buffer) => {
      lookAt(pair, data.toString('latin1'))
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

  function lookAt(pair: Pair, text: string): void {
    if (!text.startsWith('GET /v1/events?')) return
    streams.push(text.toLowerCase())
    pair.isStream = true
    if (isHolding) pair.server.pause()
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
    holdStreams(isHeld) {
      isHolding = isHeld
      for (const { server, isStream } of pairs) {
        if (isStream && isHeld) server.pause()
        else server.resume()
      }
    }
  }
}

const portOf = (url: string) => Number(new URL(url).port)
