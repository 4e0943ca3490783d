// One contender as it would be deployed: a Redis of its own and any number of nodes, each a process; and one load
// generator, a process too, which is not counted.
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CONTENDERS } from './contenders.mjs'
import { cpuMicros } from './meters.mjs'
import { freePort, keepDirectory, probeHttp, probePort, remember, start, stop, untilReady } from './processes.mjs'

const WORKER = fileURLToPath(new URL('../load/worker.mjs', import.meta.url))
const COLLECT_GARBAGE = new URL('../servers/collect-garbage.mjs', import.meta.url).href
const SETTLE_MS = 300
const JOB_LIMIT_MS = 180_000

async function startRedis() {
  const directory = await mkdtemp(join(tmpdir(), 'signalpost-bench-'))
  const removeDirectory = keepDirectory(directory)
  const port = await freePort()
  const args = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory]
  const child = start('redis', 'redis-server', { args: args.map(String), env: process.env })
  await untilReady(child, () => probePort(port))
  const stopRedis = async () => {
    await stop(child)
    removeDirectory()
  }
  return { pid: child.pid, url: `redis://127.0.0.1:${port}`, stop: stopRedis }
}

async function startNode({ main, ready, title, env: extra }, { redisUrl, secret, nodeArgs }) {
  const port = await freePort()
  const env = {
    PATH: process.env.PATH,
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: String(port),
    REDIS_URL: redisUrl,
    JWT_SECRET: secret,
    LOG_LEVEL: 'warn',
    // All load comes from this machine.
    MAX_CONNECTIONS_PER_ADDRESS: '1000000',
    ...extra
  }
  const child = start(title, process.execPath, { args: ['--import', COLLECT_GARBAGE, ...nodeArgs, main], env })
  await untilReady(child, () => probeHttp(`http://127.0.0.1:${port}${ready}`))
  return { child, pid: child.pid, port }
}

function startLoad() {
  const child = remember(fork(WORKER, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }))
  const waiting = new Map()
  let lastId = 0
  child.on('message', ({ id, result, error }) => {
    const { resolve, reject } = waiting.get(id)
    waiting.delete(id)
    if (error) reject(new Error(error))
    else resolve(result)
  })
  child.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('the load generator ended'))
  })
  const ask = (job, options) =>
    new Promise((resolve, reject) => {
      waiting.set(++lastId, { resolve, reject })
      child.send({ id: lastId, job, options })
      setTimeout(() => reject(new Error(`${job}: no end after ${JOB_LIMIT_MS} ms`)), JOB_LIMIT_MS).unref()
    })
  return { ask, stop: () => stop(child) }
}

/** Starts one after the other, so that no two choose the same free port; runs `work` with all; ends all whatever happens. */
export async function withFleets(wanted, work) {
  const fleets = []
  try {
    for (const { name, ...options } of wanted) fleets.push(await startFleet(name, options))
    return await work(fleets)
  } finally {
    await Promise.all(fleets.map(fleet => fleet.stop()))
  }
}

/** `nodeArgs` are further arguments to each server's node, such as --cpu-prof. */
export async function startFleet(name, { nodes, nodeArgs = [] }) {
  const contender = CONTENDERS[name]
  const secret = randomBytes(32).toString('hex')
  const redis = await startRedis()
  const options = { redisUrl: redis.url, secret, nodeArgs }
  const servers = await Promise.all(Array.from({ length: nodes }, () => startNode(contender, options)))
  const load = startLoad()
  const ports = servers.map(server => server.port)
  const shared = { protocol: contender.protocol, secret }

  return {
    name,
    nodes,
    servers,
    redis,

    openPairs: options => load.ask('pairs', { ...shared, ports, ...options }),
    openIdle: options => load.ask('idle', { ...shared, port: ports[0], ...options }),
    closeIdle: () => load.ask('closeIdle', {}),
    openRoom: options => load.ask('crowd', { secret, ...options }),
    openBurst: options => load.ask('openBurst', { secret, ports, ...options }),

    /** Runs a job of the load generator; adds the processor time it took each server and Redis, in microseconds. */
    async measure(job, options) {
      await sleep(SETTLE_MS)
      const pids = [...servers.map(server => server.pid), redis.pid]
      const before = pids.map(cpuMicros)
      const result = await load.ask(job, options)
      const cpu = pids.map((pid, i) => cpuMicros(pid) - before[i])
      return { ...result, serverCpu: cpu.slice(0, -1), redisCpu: cpu.at(-1), cpu: cpu.reduce((a, b) => a + b) }
    },

    async stop() {
      await load.stop()
      await Promise.all(servers.map(server => stop(server.child)))
      await redis.stop()
    }
  }
}
