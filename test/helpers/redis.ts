// Real Redis servers for tests, on free ports and without persistence.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'
import { guard } from './child-process.js'
import { until } from './until.js'

export interface RedisServer {
  readonly url: string
  readonly port: number
  /** Stops the process without closing connections, as a machine that hangs. */
  pause(): void
  resume(): void
  /** Ends it with SIGKILL. `restart` uses the same port. */
  kill(): Promise<void>
  /** Starts it without data on the same port. */
  restart(): Promise<void>
  stop(): Promise<void>
}

interface Ports {
  readonly port: number
  readonly busPort: number
}

interface Kind {
  readonly cluster?: boolean
  /** Makes it a replica of the server on this port. */
  readonly primary?: number
}

const ATTEMPTS = 5

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

function argumentsOf({ port, busPort }: Ports, dir: string, { cluster = false, primary }: Kind): string[] {
  const plain = [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    dir,
    '--enable-debug-command',
    'local'
  ]
  const bus = ['--cluster-port', `${busPort}`, '--cluster-announce-ip', '127.0.0.1', '--cluster-node-timeout', '1500']
  if (cluster) plain.push('--cluster-enabled', 'yes', ...bus)
  if (primary) plain.push('--replicaof', '127.0.0.1', `${primary}`)
  // A primary does not wait for more replicas before it syncs the first one.
  return [...plain, '--repl-diskless-sync-delay', '0']
}

/** Resolves when it accepts connections. Rejects if the port is in use. */
export function launch(args: readonly string[]): Promise<ChildProcess> {
  const child = guard(spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] }))
  return new Promise((resolve, reject) => {
    child.once('error', error => reject(new Error('these tests require redis-server on the PATH', { cause: error })))
    child.once('exit', code => reject(new Error(`redis-server ended with ${code}`)))
    createInterface(child.stdout).on('line', line => {
      if (/Ready to accept connections|Sentinel ID is/.test(line)) resolve(child)
    })
  })
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGCONT')
  child.kill('SIGKILL')
  await once(child, 'exit')
}

export async function startServer(kind: Kind = {}): Promise<RedisServer & Ports> {
  const dir = mkdtempSync(join(tmpdir(), 'signalpost-redis-'))
  for (let attempt = 1; ; attempt++) {
    const ports = { port: await freePort(), busPort: await freePort() }
    try {
      return control(await launch(argumentsOf(ports, dir, kind)), ports, dir, kind)
    } catch (error) {
      if (attempt < ATTEMPTS && !(error instanceof Error && error.cause)) continue
      rmSync(dir, { recursive: true, force: true })
      throw error
    }
  }
}

function control(first: ChildProcess, ports: Ports, dir: string, kind: Kind): RedisServer & Ports {
  let child = first
  return {
    ...ports,
    url: `redis${kind.cluster ? '-cluster' : ''}://127.0.0.1:${ports.port}`,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill: () => end(child),
    async restart() {
      await end(child)
      child = await launch(argumentsOf(ports, dir, kind))
    },
    async stop() {
      await end(child)
      rmSync(dir, { recursive: true, force: true })
    }
  }
}

/** One server; with `cluster` a Cluster of one node, which reports CROSSSLOT as a larger one does. */
export async function startRedis({ cluster = false }: { cluster?: boolean } = {}): Promise<RedisServer> {
  const server = await startServer({ cluster })
  if (cluster) {
    await withClient(server.port, async client => {
      await client.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
      await until('the Cluster is up', () => serves(client, 1))
    })
  }
  return server
}

export interface RedisCluster {
  readonly url: string
  /** Primaries first, then replicas, in the order they were started. */
  readonly nodes: readonly RedisServer[]
  stop(): Promise<void>
}

const SLOTS = 16_384

/** A real Cluster. `replicas` is the number for each primary. */
export async function startCluster(primaries: number, replicas: number): Promise<RedisCluster> {
  const nodes = await Promise.all(
    Array.from({ length: primaries * (1 + replicas) }, () => startServer({ cluster: true }))
  )
  const clients = nodes.map(({ port }) => new Redis(port))
  try {
    await assemble(nodes, clients, primaries)
  } finally {
    for (const client of clients) client.disconnect()
  }
  return {
    url: `redis-cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    nodes,
    async stop() {
      await Promise.all(nodes.map(node => node.stop()))
    }
  }
}

async function assemble(nodes: readonly Ports[], clients: readonly Redis[], primaries: number): Promise<void> {
  const [first, ...others] = clients
  if (!first) throw new Error('a Cluster has at least one primary')
  for (const [i, client] of clients.slice(0, primaries).entries()) {
    const from = Math.floor((SLOTS * i) / primaries)
    await client.call('CLUSTER', 'ADDSLOTSRANGE', from, Math.floor((SLOTS * (i + 1)) / primaries) - 1)
    // Different epochs from the start, as redis-cli sets them: they decide between two nodes that claim a slot.
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)
  }
  for (const [i, client] of others.entries()) {
    const { port, busPort } = nodes[0] ?? { port: 0, busPort: 0 }
    await client.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort)
    await until(`node ${i + 1} has met the first`, async () => (await knownNodes(first)) >= i + 2)
  }
  for (const client of clients)
    await until('all nodes know each other', async () => (await knownNodes(client)) === nodes.length)
  const ids = await Promise.all(clients.map(client => client.call('CLUSTER', 'MYID')))
  for (const [i, client] of clients.slice(primaries).entries()) {
    await client.call('CLUSTER', 'REPLICATE', String(ids[i % primaries]))
  }
  for (const client of clients) await until('the Cluster is up', () => serves(client, primaries))
  for (const client of clients.slice(primaries)) {
    await until('the replica is in sync', async () =>
      (await client.info('replication')).includes('master_link_status:up')
    )
  }
}

const knownNodes = async (client: Redis) => Number(/cluster_known_nodes:(\d+)/.exec(await clusterInfo(client))?.[1])

async function serves(client: Redis, primaries: number): Promise<boolean> {
  const info = await clusterInfo(client)
  return info.includes('cluster_state:ok') && info.includes(`cluster_size:${primaries}`)
}

const clusterInfo = async (client: Redis) => String(await client.call('CLUSTER', 'INFO'))

async function withClient(port: number, use: (client: Redis) => Promise<void>): Promise<void> {
  const client = new Redis(port)
  try {
    await use(client)
  } finally {
    client.disconnect()
  }
}
