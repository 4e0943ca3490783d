// A TCP proxy that can silence connections (open and writable, but no reply arrives, as behind a broken middlebox), delay their replies,
// cut them (what was sent up to a point arrives, and nothing after it), or hold what is sent until the test releases it.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Proxy {
  readonly port: number
  /** Drops all further replies on the open connections that have sent this word. Returns their number. */
  silence(word: string): number
  /** Delays the replies to connections that have sent this word, until the returned function is called. */
  delay(word: string): () => void
  /** Passes this word `count` times on a connection from now on, and then nothing. Resolves when a connection is cut. */
  cutAfter(count: number, word: string): Promise<void>
  /** Holds what a connection sends from the first match on. Resolves when it begins. */
  hold(what: string | RegExp): Promise<Held>
  /** The number of connections with delayed replies. */
  readonly waiting: number
  close(): Promise<void>
}

/** Bytes that were sent and have not arrived. */
export interface Held {
  release(): void
  /** Drops them and closes the connection. */
  drop(): void
}

interface Pair {
  readonly client: Socket
  readonly server: Socket
  sent: string
  isSilent: boolean
  isCut: boolean
  /** The bytes that are held; null: nothing is held. */
  held: Buffer[] | null
  /** Delayed replies. */
  readonly delayed: Buffer[]
}

interface Hold {
  readonly what: string | RegExp
  /** The number of characters that each connection had sent before. */
  readonly since: ReadonlyMap<Pair, number>
  readonly done: (held: Held) => void
}

interface Cut {
  readonly count: number
  readonly word: string
  /** The number of characters that each connection had sent before. */
  readonly since: ReadonlyMap<Pair, number>
  readonly done: () => void
}

const isSent = ({ what, since }: Hold, pair: Pair): boolean => pair.sent.slice(since.get(pair) ?? 0).search(what) >= 0

const sentSoFar = (pairs: Iterable<Pair>) => new Map([...pairs].map(pair => [pair, pair.sent.length]))

/** The index of the first word that must not pass; -1: there is none yet. */
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
  let delayedWord: string | null = null
  let cut: Cut | null = null
  let holding: Hold | null = null
  const proxy = createServer(client => {
    const pair: Pair = {
      client,
      server: connect(targetPort, '127.0.0.1'),
      sent: '',
      isSilent: false,
      isCut: false,
      held: null,
      delayed: []
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
      if (delayedWord !== null && pair.sent.includes(delayedWord)) pair.delayed.push(data)
      else if (!pair.isSilent) client.write(data)
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
    silence(word) {
      const chosen = [...pairs].filter(pair => pair.sent.includes(word))
      for (const pair of chosen) pair.isSilent = true
      return chosen.length
    },
    delay(word) {
      delayedWord = word
      return () => {
        delayedWord = null
        for (const { client, delayed } of pairs) for (const data of delayed.splice(0)) client.write(data)
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
      return [...pairs].filter(({ delayed }) => delayed.length > 0).length
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
