// Starts and ends all processes of the benchmark. None outlives it: each is ended by its own pid, and where setpriv exists the
// kernel ends it even if the benchmark itself is killed.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const START_LIMIT_MS = 60_000
const STOP_LIMIT_MS = 5_000

const children = new Set()
const directories = new Set()
const hasSetpriv = spawnSync('setpriv', ['--version']).status === 0

/** Registers a temporary directory. It is removed by the returned function, or at exit. */
export function keepDirectory(path) {
  directories.add(path)
  return () => {
    directories.delete(path)
    rmSync(path, { recursive: true, force: true })
  }
}

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
  for (const path of directories) rmSync(path, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1))

export function remember(child) {
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

/** The command line of a program that ends with its parent, where the system can do that. */
export const endingWithParent = (command, args) =>
  hasSetpriv ? ['setpriv', '--pdeathsig', 'KILL', command, ...args] : [command, ...args]

/** Starts a program; what it writes to stderr is shown under `name`. */
export function start(name, command, { args, env, cwd }) {
  const [program, ...rest] = endingWithParent(command, args)
  const child = spawn(program, rest, { env, cwd, stdio: ['ignore', 'ignore', 'pipe'] })
  child.stderr.on('data', bytes => process.stderr.write(`[${name}] ${bytes}`))
  return remember(child)
}

/** Ends a process by its pid: with SIGTERM, and after STOP_LIMIT_MS with SIGKILL. */
export async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
  await gone
  clearTimeout(timer)
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** Resolves when `probe` no longer throws. @throws Error if the process has ended, or after START_LIMIT_MS */
export async function untilReady(child, probe) {
  for (const startedAt = Date.now(); Date.now() - startedAt < START_LIMIT_MS; await sleep(50)) {
    if (child.exitCode !== null) throw new Error(`ended at once with code ${child.exitCode}`)
    try {
      return await probe()
    } catch {}
  }
  throw new Error(`not ready after ${START_LIMIT_MS} ms`)
}

export async function probePort(port) {
  const socket = connect({ port, host: '127.0.0.1' })
  await once(socket, 'connect')
  socket.destroy()
}

export async function probeHttp(url) {
  const response = await fetch(url, { headers: { connection: 'close' } })
  await response.arrayBuffer()
  if (!response.ok) throw new Error(`${response.status}`)
}
