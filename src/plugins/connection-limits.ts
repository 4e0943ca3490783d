// Sets up how the server treats connections. Bounds what they cost a node: their number, their number from one address, pipelined requests, and the time that a reply waits
// for a client that does not read it.
import { BlockList, isIP, type Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '../clock.js'
import type { Config } from '../config.js'
import { isStream } from '../delivery/sse.js'
import { networkOf } from './network.js'
import { limitPipelining } from './pipelining.js'

type Limits = Pick<Config, 'maxConnections' | 'maxConnectionsPerAddress' | 'trustProxy' | 'requestTimeoutMs'>

export function limitConnections(app: FastifyInstance, { config, clock }: { config: Limits; clock: Clock }): void {
  // A client that half-closes its connection gets its reply. Node does not document this property.
  Object.assign(app.server, { httpAllowHalfOpen: true })
  // Node closes further connections as soon as it has accepted them.
  app.server.maxConnections = config.maxConnections
  const open = limitAddresses(app, config)
  limitPipelining(app.server)
  closeUnreadReplies(app, { open, clock, timeoutMs: config.requestTimeoutMs })
}

/** The open connections of one network. */
interface Network {
  readonly name: string
  count: number
}

/** Returns the open connections, each with the network it is counted for. All sockets share one listener: an idle stream holds no closure. */
function limitAddresses(app: FastifyInstance, { maxConnectionsPerAddress, trustProxy }: Limits) {
  const isProxy = proxyCheck(trustProxy)
  const networks = new Map<string, Network>()
  const open = new Map<Socket, Network | null>()

  /** Null: a trusted proxy. All its clients have its address, and it has to limit them itself. */
  function networkOfPeer({ remoteAddress = '', remoteFamily }: Socket): Network | null {
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
    const network = networkOfPeer(socket)
    if (network && network.count >= maxConnectionsPerAddress) return void socket.destroy()
    if (network && network.count++ === 0) networks.set(network.name, network)
    open.set(socket.on('close', uncount), network)
  })
  return open
}

function proxyCheck(ranges: readonly string[]): (address: string, family: string | undefined) => boolean {
  // BlockList.check() allocates an object for each address.
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
 * Destroys a connection whose reply has not left this process in time: its client does not read, or reads so slowly that the reply would
 * be held for minutes. Streams are exempt, because delivery/stream.ts limits their backlog.
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
