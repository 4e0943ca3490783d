// A TCP proxy between clients and nodes, which does what networks do: breaks connections, holds streams back, loses replies.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

export interface ClientProxy {
  readonly url: string
  /** The heads of all requests so far, in lower case. */
  readonly heads: readonly string[]
  /** What streams have sent so far, chunks and all; also what did not get through. */
  readonly streamed: string
  /** Open connections of clients, and the most that there were at one time. */
  readonly open: number
  readonly most: number
  /** Those that are streams. */
  readonly openStreams: number
  /** New connections lead to this node. */
  passTo(url: string): void
  /** Breaks all connections, and refuses new ones until the next passTo. */
  refuse(): void
  /** Breaks all connections. */
  cut(): void
  /** True: what streams send does not get through, now and later. False: it does, with what was held. */
  holdStreams(holds: boolean): void
  /** Open streams send nothing more, as behind a network that is gone. */
  killStreams(): void
  /** The next reply to a request whose head has this text breaks the connection instead. Resolves when it has. */
  loseReplyTo(text: string): Promise<void>
}

interface Pair {
  readonly client: Socket
  readonly node: Socket
  /** Of the last request. */
  head: string
  isDead: boolean
}

const isStream = ({ head }: Pair) => head.startsWith('get /v1/events?')

export async function startClientProxy(t: Test, nodeUrl: string): Promise<ClientProxy> {
  const pairs = new Set<Pair>()
  const heads: string[] = []
  let target: number | null = portOf(nodeUrl)
  let streamed = ''
  let most = 0
  let holds = false
  let lost: { readonly text: string; readonly done: () => void } | null = null

  function request(pair: Pair, data: Buffer): void {
    const text = data.toString('latin1')
    if (/^[A-Z]+ \//.test(text)) {
      pair.head = (text.split('\r\n\r\n')[0] ?? '').toLowerCase()
      heads.push(pair.head)
    }
    if (isStream(pair) && holds) pair.node.pause()
    else pair.node.resume()
    pair.node.write(data)
  }

  function reply(pair: Pair, data: Buffer): void {
    if (isStream(pair)) streamed += data.toString('latin1')
    if (lost && pair.head.includes(lost.text)) {
      pair.client.destroy()
      lost.done()
      lost = null
    } else if (!pair.isDead) pair.client.write(data)
  }

  const server = createServer(client => {
    if (target === null) return void client.destroy()
    const pair: Pair = { client, node: connect(target, '127.0.0.1'), head: '', isDead: false }
    pairs.add(pair)
    most = Math.max(most, pairs.size)
    client.on('data', data => request(pair, data))
    pair.node.on('data', data => reply(pair, data))
    const end = () => {
      pairs.delete(pair)
      client.destroy()
      pair.node.destroy()
    }
    for (const socket of [client, pair.node]) socket.setNoDelay().on('error', end).on('close', end)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  const cut = () => {
    for (const { client } of pairs) client.destroy()
  }
  t.teardown(async () => {
    server.close()
    cut()
    await once(server, 'close')
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heads,
    get streamed() {
      return streamed
    },
    get open() {
      return pairs.size
    },
    get most() {
      return most
    },
    get openStreams() {
      return [...pairs].filter(isStream).length
    },
    passTo(url) {
      target = portOf(url)
    },
    refuse() {
      target = null
      cut()
    },
    cut,
    holdStreams(isHeld) {
      holds = isHeld
      for (const pair of pairs) {
        if (holds && isStream(pair)) pair.node.pause()
        else pair.node.resume()
      }
    },
    killStreams() {
      for (const pair of pairs) pair.isDead ||= isStream(pair)
    },
    loseReplyTo(text) {
      return new Promise(done => {
        lost = { text, done }
      })
    }
  }
}

const portOf = (url: string) => Number(new URL(url).port)
