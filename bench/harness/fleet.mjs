// One contender as it would be deployed: a Redis of its own and any number of nodes, each a process. The load generators are
// processes too; their CPU is not counted.
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CONTENDERS } from './contenders.mjs'
import { cpuMicros } from './meters.mjs'
import { freePort, probeHttp, remember, start, stop, untilReady } from './processes.mjs'
import { startCluster, startRedis } from './redis.mjs'
import { startSlowLink } from './slow-link.mjs'

const WORKER = fileURLToPath(new URL('../load/worker.mjs', import.meta.url))
const COLLECT_GARBAGE = new URL('../servers/collect-garbage.mjs', import.meta.url).href
const SETTLE_MS = 300
const JOB_LIMIT_MS = 180_000

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

/** A load generator that starts with its first job. */
function createLoad() {
  let load = null
  return {
    ask(job, options) {
      load ??= startLoad()
      return load.ask(job, options)
    },
    stop: () => load?.stop()
  }
}

/** Starts the fleets one after the other, so that no two choose the same free port, and runs `work` with them. Always stops them. */
export async function withFleets(wanted, work) {
  const fleets = []
  try {
    for (const { name, ...options } of wanted) fleets.push(await startFleet(name, options))
    return await work(fleets)
  } finally {
    await Promise.all(fleets.map(fleet => fleet.stop()))
  }
}

/**
 * `nodeArgs` are further arguments to the `node` of each server, such as --cpu-prof; `env` are further settings. With `cluster` its Redis is a
 * Cluster of three primaries; with `slowLink` its nodes reach Redis through a proxy that can delay replies.
 */
export async function startFleet(name, { nodes, nodeArgs = [], env = {}, cluster = false, slowLink = false }) {
  const contender = CONTENDERS[name]
  const secret = randomBytes(32).toString('hex')
  const redis = cluster ? await startCluster() : await startRedis()
  const link = slowLink ? await startSlowLink(redis.ports[0]) : null
  const redisUrl = link ? `redis://127.0.0.1:${link.port}` : redis.url
  const deployed = { ...contender, env: { ...contender.env, ...env } }
  const options = { redisUrl, secret, nodeArgs }
  const servers = await Promise.all(Array.from({ length: nodes }, () => startNode(deployed, options)))
  // The second one measures requests while the first is busy, so its times do not contain the load of the first.
  const [load, bystanders] = [createLoad(), createLoad()]
  const ports = servers.map(server => server.port)
  const shared = { protocol: contender.protocol, secret }

  return {
    name,
    nodes,
    secret,
    servers,
    redis,
    link,

    openPairs: options => load.ask('pairs', { ...shared, ports, ...options }),
    openBystanders: options => bystanders.ask('pairs', { ...shared, ...options }),
    openIdle: options => load.ask('idle', { ...shared, port: ports[0], ...options }),
    closeIdle: () => load.ask('closeIdle', {}),
    openRoom: options => load.ask('crowd', { secret, ...options }),
    openConference: options => load.ask('openConference', { secret, ports, ...options }),
    openBurst: options => load.ask('openBurst', { secret, ports, ...options }),

    /** Runs a job of a load generator, without counting CPU. */
    ask: (job, options) => load.ask(job, options),
    askBystanders: (job, options) => bystanders.ask(job, options),

    /** Runs a job of the load generator. Adds the processor time of each server and of Redis to the result, in microseconds. */
    async measure(job, options) {
      await sleep(SETTLE_MS)
      const serverPids = servers.map(server => server.pid)
      const count = () => [...serverPids, ...redis.pids].map(cpuMicros)
      const before = count()
      const result = await load.ask(job, options)
      const cpu = count().map((micros, i) => micros - before[i])
      const sum = values => values.reduce((a, b) => a + b, 0)
      const [serverCpu, redisCpu] = [cpu.slice(0, servers.length), sum(cpu.slice(servers.length))]
      return { ...result, serverCpu, redisCpu, cpu: sum(cpu) }
    },

    /** Kills one node, as a crash does. */
    kill(index) {
      const [{ child }] = servers.splice(index, 1)
      child.kill('SIGKILL')
      return once(child, 'exit')
    },

    async stop() {
      await Promise.all([load.stop(), bystanders.stop()])
      await Promise.all(servers.map(server => stop(server.child)))
      link?.stop()
      await redis.stop()
    }
  }
}
