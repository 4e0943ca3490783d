// What a node holds for its connections is bounded: how many there are, how many come from one address, how many requests are sent
// ahead on one, and how long a reply waits for a client that does not read it.
import { BlockList, isIP, type Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '../clock.js'
import type { Config } from '../config.js'
import { isStream } from '../delivery/sse.js'
import { admitInTurn } from './admission.js'
import { networkOf } from './network.js'
import { limitPipelining } from './pipelining.js'

type Limits = Pick<Config, 'maxConnections' | 'maxConnectionsPerAddress' | 'trustProxy' | 'requestTimeoutMs'>

/** Fastify closes the server's connections; the timer ends with it. */
export function limitConnections(app: FastifyInstance, { config, clock }: { config: Limits; clock: Clock }): void {
  // Beyond this Node closes a connection as soon as it has accepted it.
  admitInTurn(app.server)
  app.server.maxConnections = config.maxConnections
  limitAddresses(app, config)
  limitPipelining(app.server)
  closeUnreadReplies(app, clock, config.requestTimeoutMs)
}

function limitAddresses(app: FastifyInstance, { maxConnectionsPerAddress, trustProxy }: Limits): void {
  const proxies = listOf(trustProxy)
  const counts = new Map<string, number>()
  app.server.on('connection', socket => {
    const { remoteAddress = '', remoteFamily } = socket
    // The clients of a proxy all come from its address; it has to bound them itself.
    if (proxies.check(remoteAddress, remoteFamily === 'IPv6' ? 'ipv6' : 'ipv4')) return
    const network = networkOf(remoteAddress)
    const count = (counts.get(network) ?? 0) + 1
    if (count > maxConnectionsPerAddress) return void socket.destroy()
    counts.set(network, count)
    socket.once('close', () => {
      const left = (counts.get(network) ?? 1) - 1
      if (left === 0) counts.delete(network)
      else counts.set(network, left)
    })
  })
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

/**
 * A reply that has not left this process in time goes with its connection: the client does not read, or so slowly that its reply
 * would be held for minutes. Streams are not concerned: they have a queue of their own (delivery/tail.ts).
 */
function closeUnreadReplies(app: FastifyInstance, clock: Clock, timeoutMs: number): void {
  const open = new Set<Socket>()
  const unreadSince = new WeakMap<Socket, number>()

  function check(socket: Socket, now: number): void {
    if (socket.writableLength === 0 || isStream(socket)) return void unreadSince.delete(socket)
    const since = unreadSince.get(socket)
    if (since === undefined) unreadSince.set(socket, now)
    else if (now - since >= timeoutMs) socket.destroy()
  }

  app.server.on('connection', socket => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  const stop = clock.every(Math.ceil(timeoutMs / 20), () => {
    const now = clock.now()
    for (const socket of open) check(socket, now)
  })
  app.addHook('onClose', async () => stop())
}
