// A TCP proxy that can make connections deaf: open, writable, and nothing comes back, as behind a broken middlebox. Or slow. Or
// cut: what was sent up to a point arrives, and nothing after it. Or it holds what is sent until the test has prepared the server for it.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Proxy {
  readonly port: number
  /** From now on nothing comes back over the present connections that have sent this word; their number. */
  deafen(word: string): number
  /** From now on whoever sends this word waits for what comes back, until the returned function is called. */
  delay(word: string): () => void
  /** Of what is sent over one connection from now on, the first `count` of this word go through, and then nothing. Resolves when it is so. */
  cutAfter(count: number, word: string): Promise<void>
  /** Resolves when something like this is sent: it, and what follows over that connection, is held. */
  hold(what: string | RegExp): Promise<Held>
  /** How many are waiting. */
  readonly waiting: number
  close(): Promise<void>
}

/** What was sent and has not arrived. */
export interface Held {
  release(): void
  /** It never arrives, and the connection ends. */
  drop(): void
}

interface Pair {
  readonly client: Socket
  readonly server: Socket
  sent: string
  isDeaf: boolean
  isCut: boolean
  /** What was sent and is held; null while nothing is. */
  held: Buffer[] | null
  readonly kept: Buffer[]
}

interface Hold {
  readonly what: string | RegExp
  /** How much each connection had sent before. */
  readonly since: ReadonlyMap<Pair, number>
  readonly done: (held: Held) => void
}

interface Cut {
  readonly count: number
  readonly word: string
  /** How much each connection had sent before. */
  readonly since: ReadonlyMap<Pair, number>
  readonly done: () => void
}

const isSent = ({ what, since }: Hold, pair: Pair): boolean => pair.sent.slice(since.get(pair) ?? 0).search(what) >= 0

const sentSoFar = (pairs: Iterable<Pair>) => new Map([...pairs].map(pair => [pair, pair.sent.length]))

/** Where the first word begins that must not go through; -1 while there is none. */
function endOf({ count, word, since }: Cut, pair: Pair): number {
  let at = (since.get(pair) ?? 0) - 1
  for (let n = 0; n <= count; n++) {
    at = pair.sent.indexOf(word, at + 1)
    if (at < 0) break
  }
  return at
}

export async function startProxy(targetPort: number): Promise<Proxy> {
  const pairs = new Set<Pair>()
  let delayed: string | null = null
  let cut: Cut | null = null
  let holding: Hold | null = null
  const proxy = createServer(client => {
    const pair: Pair = {
      client,
      server: connect(targetPort, '127.0.0.1'),
      sent: '',
      isDeaf: false,
      isCut: false,
      held: null,
      kept: []
    }
    pairs.add(pair)
    client.on('data', data => {
      const before = pair.sent.length
      pair.sent += data.toString('latin1').toLowerCase()
      if (pair.isCut) return
      if (holding !== null && isSent(holding, pair)) {
        pair.held ??= []
        holding.done({
          release() {
            for (const each of pair.held?.splice(0) ?? []) pair.server.write(each)
            pair.held = null
          },
          drop: () => void client.destroy()
        })
        holding = null
      }
      if (pair.held) return void pair.held.push(data)
      const end = cut ? endOf(cut, pair) : -1
      pair.isCut = end >= 0
      pair.server.write(pair.isCut ? data.subarray(0, Math.max(0, end - before)) : data)
      if (!pair.isCut) return
      cut?.done()
      cut = null
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
    cutAfter(count, word) {
      const since = sentSoFar(pairs)
      return new Promise(done => {
        cut = { count, word, since, done }
      })
    },
    hold(what) {
      const since = sentSoFar(pairs)
      return new Promise(done => {
        holding = { what, since, done }
      })
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
