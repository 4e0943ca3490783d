// What a node holds for its connections is bounded: how many there are, how many come from one address, how many requests are sent
// ahead on one, and how long a reply waits for a client that does not read it.
import { BlockList, isIP, type Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '../clock.js'
import type { Config } from '../config.js'
import { isStream } from '../delivery/sse.js'
import { networkOf } from './network.js'
import { limitPipelining } from './pipelining.js'

type Limits = Pick<Config, 'maxConnections' | 'maxConnectionsPerAddress' | 'trustProxy' | 'requestTimeoutMs'>

/** Fastify closes the server's connections; the timer ends with it. */
export function limitConnections(app: FastifyInstance, { config, clock }: { config: Limits; clock: Clock }): void {
  // Beyond this Node closes a connection as soon as it has accepted it.
  app.server.maxConnections = config.maxConnections
  const open = limitAddresses(app, config)
  limitPipelining(app.server)
  closeUnreadReplies(app, { open, clock, timeoutMs: config.requestTimeoutMs })
}

/** How many connections one network has open. */
interface Network {
  readonly name: string
  count: number
}

/** Returns the open connections, each with the network it is counted for. One listener for all: an idle stream keeps no closure of its own. */
function limitAddresses(app: FastifyInstance, { maxConnectionsPerAddress, trustProxy }: Limits) {
  const isProxy = proxyCheck(trustProxy)
  const networks = new Map<string, Network>()
  const open = new Map<Socket, Network | null>()

  /** The clients of a proxy all come from its address; it has to bound them itself. */
  function networkBehind({ remoteAddress = '', remoteFamily }: Socket): Network | null {
    if (isProxy(remoteAddress, remoteFamily)) return null
    const name = networkOf(remoteAddress)
    return networks.get(name) ?? { name, count: 0 }
  }

  function uncount(this: Socket): void {
    const network = open.get(this)
    open.delete(this)
    if (network && --network.count === 0) networks.delete(network.name)
  }

  app.server.on('connection', socket => {
    const network = networkBehind(socket)
    if (network && network.count >= maxConnectionsPerAddress) return void socket.destroy()
    if (network && network.count++ === 0) networks.set(network.name, network)
    open.set(socket.on('close', uncount), network)
  })
  return open
}

function proxyCheck(ranges: readonly string[]): (address: string, family: string | undefined) => boolean {
  // The list makes an object of each address that it is asked for.
  if (ranges.length === 0) return () => false
  const proxies = listOf(ranges)
  return (address, family) => proxies.check(address, family === 'IPv6' ? 'ipv6' : 'ipv4')
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return list
}

interface Replies {
  readonly open: ReadonlyMap<Socket, unknown>
  readonly clock: Clock
  readonly timeoutMs: number
}

/**
 * A reply that has not left this process in time goes with its connection: the client does not read, or so slowly that its reply
 * would be held for minutes. Streams are not concerned: they have a queue of their own (delivery/stream-writer.ts).
 */
function closeUnreadReplies(app: FastifyInstance, { open, clock, timeoutMs }: Replies): void {
  const unreadSince = new WeakMap<Socket, number>()

  function check(socket: Socket, now: number): void {
    if (socket.writableLength === 0 || isStream(socket)) return void unreadSince.delete(socket)
    const since = unreadSince.get(socket)
    if (since === undefined) unreadSince.set(socket, now)
    else if (now - since >= timeoutMs) socket.destroy()
  }

  const stop = clock.every(Math.ceil(timeoutMs / 20), () => {
    const now = clock.now()
    for (const socket of open.keys()) check(socket, now)
  })
  app.addHook('onClose', async () => stop())
}
