// The Redis servers of a fleet: one, or a real Cluster of three primaries. No persistence.
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, keepDirectory, probePort, start, stop, untilReady } from './processes.mjs'

const SLOTS = 16_384
const PRIMARIES = 3
const ASSEMBLE_LIMIT_MS = 30_000

async function startServer(more = []) {
  const directory = await mkdtemp(join(tmpdir(), 'signalpost-bench-'))
  const removeDirectory = keepDirectory(directory)
  const port = await freePort()
  const plain = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory]
  const child = start('redis', 'redis-server', { args: [...plain, ...more].map(String), env: process.env })
  await untilReady(child, () => probePort(port))
  return {
    pid: child.pid,
    port,
    async stop() {
      await stop(child)
      removeDirectory()
    }
  }
}

/** `url` is for the nodes; `pids` and `ports` are those of all servers. */
export async function startRedis() {
  const server = await startServer()
  return { url: `redis://127.0.0.1:${server.port}`, pids: [server.pid], ports: [server.port], stop: server.stop }
}

/** Sends one command to one server over a connection of its own. Resolves to the reply as RESP text. */
export async function askServer(port, command) {
  const socket = connect({ port, host: '127.0.0.1' }).setEncoding('latin1')
  socket.write(`${command}\r\nQUIT\r\n`)
  let text = ''
  socket.on('data', data => {
    text += data
  })
  await once(socket, 'close')
  if (text.startsWith('-')) throw new Error(`${command}: ${text}`)
  return text
}

async function untilServes(ports) {
  for (const startedAt = Date.now(); Date.now() - startedAt < ASSEMBLE_LIMIT_MS; await sleep(100)) {
    const infos = await Promise.all(ports.map(port => askServer(port, 'CLUSTER INFO')))
    const serves = info => info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${PRIMARIES}`)
    if (infos.every(serves)) return
  }
  throw new Error(`the Cluster does not serve after ${ASSEMBLE_LIMIT_MS} ms`)
}

export async function startCluster() {
  const servers = []
  for (let i = 0; i < PRIMARIES; i++) {
    const bus = ['--cluster-port', await freePort(), '--cluster-announce-ip', '127.0.0.1']
    servers.push({ ...(await startServer(['--cluster-enabled', 'yes', ...bus])), busPort: bus[1] })
  }
  const ports = servers.map(({ port }) => port)
  const slotAt = i => Math.floor((SLOTS * i) / PRIMARIES)
  for (const [i, port] of ports.entries()) {
    await askServer(port, `CLUSTER ADDSLOTSRANGE ${slotAt(i)} ${slotAt(i + 1) - 1}`)
    await askServer(port, `CLUSTER SET-CONFIG-EPOCH ${i + 1}`)
    if (i > 0) await askServer(port, `CLUSTER MEET 127.0.0.1 ${ports[0]} ${servers[0].busPort}`)
  }
  await untilServes(ports)
  return {
    url: `redis-cluster://${ports.map(each => `127.0.0.1:${each}`).join(',')}`,
    pids: servers.map(({ pid }) => pid),
    ports,
    stop: () => Promise.all(servers.map(server => server.stop()))
  }
}

/** Number of commands that these servers have processed so far, those inside scripts included. */
export async function countProcessed(ports) {
  const infos = await Promise.all(ports.map(port => askServer(port, 'INFO stats')))
  return infos.reduce((sum, info) => sum + Number(/total_commands_processed:(\d+)/.exec(info)[1]), 0)
}
