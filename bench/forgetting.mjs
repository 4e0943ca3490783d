// npm run bench:forgetting -- [--streams 1000] [--seconds 5]
// The cost of lost writes: time and processor time until all streams are reset after a failover, and the cost of a 2xx that waits for a
// replica (REDIS_WAIT_REPLICAS). One node, one primary, one replica, all on this machine.
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { cpuMicros } from './harness/meters.mjs'
import { freePort, keepDirectory, probePort, start, stop, untilReady } from './harness/processes.mjs'
import { createToken } from './harness/tokens.mjs'

const LIMIT_MS = 3 * 60_000
const WIDTHS = [1, 8]
const SECRET = 'the-secret-of-this-benchmark-is-32-bytes-long'
const MAIN = new URL('../dist/main.js', import.meta.url).pathname
const LIMITS = ['ADDRESS', 'CALLS', 'SIGNALS', 'READS'].map(name => [`RATE_LIMIT_${name}`, '1000000'])

const { values: options } = parseArgs({
  options: { streams: { type: 'string', default: '1000' }, seconds: { type: 'string', default: '5' } }
})

setTimeout(() => {
  console.error(`Not done after ${LIMIT_MS / 60_000} minutes: giving up.`)
  process.exit(1)
}, LIMIT_MS).unref()

async function startRedis(primary) {
  const port = await freePort()
  const dir = mkdtempSync(join(tmpdir(), 'signalpost-bench-'))
  keepDirectory(dir)
  const plain = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', dir, '--logfile', join(dir, 'log')]
  const more = primary ? ['--replicaof', '127.0.0.1', `${primary}`] : []
  const args = [...plain, '--enable-debug-command', 'local', '--repl-diskless-sync-delay', '0', ...more]
  const child = start('redis', 'redis-server', { args, env: process.env })
  await untilReady(child, () => probePort(port))
  return { child, port }
}

async function startNode(redisPort, replicas) {
  const port = await freePort()
  const env = {
    ...process.env,
    ...Object.fromEntries(LIMITS),
    ...{ NODE_ENV: 'production', HOST: '127.0.0.1', PORT: `${port}`, LOG_LEVEL: 'error', JWT_SECRET: SECRET },
    ...{ REDIS_URL: `redis://127.0.0.1:${redisPort}`, REDIS_WAIT_REPLICAS: `${replicas}`, OFFLINE_CALLS: 'ring' }
  }
  const child = start('node', process.execPath, { args: [MAIN], env })
  await untilReady(child, () => probePort(port))
  return { child, port }
}

const headersOf = user => ({ authorization: `Bearer ${createToken(SECRET, { sub: user })}`, 'x-device-id': 'd' })

function openStream(port, user, onEvent) {
  return new Promise((resolve, reject) => {
    const sent = request({ port, path: '/v1/events', headers: headersOf(user), agent: false })
    sent.once('error', reject)
    sent.once('response', response => {
      response.setEncoding('utf8')
      response.on('data', text => {
        for (const [, type] of text.matchAll(/^event: (.+)$/gm)) onEvent(type)
      })
      resolve(() => sent.destroy())
    })
    sent.end()
  })
}

async function measureResets({ redis, node }, count) {
  const counts = new Map()
  const onEvent = type => counts.set(type, (counts.get(type) ?? 0) + 1)
  const closes = []
  for (let i = 0; i < count; i += 50) {
    const some = Array.from({ length: Math.min(50, count - i) }, (_, n) => openStream(node.port, `s${i + n}`, onEvent))
    closes.push(...(await Promise.all(some)))
  }
  while ((counts.get('hello') ?? 0) < count) await sleep(20)
  const client = connect({ port: redis.port, host: '127.0.0.1' })
  await once(client, 'connect')
  const before = [cpuMicros(node.child.pid), cpuMicros(redis.child.pid)]
  const startedAt = performance.now()
  client.write('DEBUG CHANGE-REPL-ID\r\n')
  while ((counts.get('reset') ?? 0) < count) await sleep(5)
  const ms = performance.now() - startedAt
  await sleep(500)
  const after = [cpuMicros(node.child.pid), cpuMicros(redis.child.pid)]
  client.destroy()
  for (const close of closes) close()
  return { ms, resets: counts.get('reset'), micros: after.map((each, i) => (each - before[i]) / count) }
}

function post(agent, port, path, user, body) {
  const text = JSON.stringify(body)
  const headers = { ...headersOf(user), 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  return new Promise((resolve, reject) => {
    const startedAt = performance.now()
    const sent = request({ agent, port, path, method: 'POST', headers }, response => {
      response.resume()
      response.once('end', () => resolve({ status: response.statusCode, ms: performance.now() - startedAt }))
    })
    sent.once('error', reject)
    sent.end(text)
  })
}

let calls = 0

/** Creates and cancels calls, each between two users of its own, for `seconds`. */
async function measureActions({ redis, replica, node }, { width, seconds }) {
  const agent = new Agent({ keepAlive: true, maxSockets: width })
  const latencies = []
  const refused = new Map()
  const endAt = performance.now() + seconds * 1000
  const pids = [node, redis, replica].map(({ child }) => child.pid)
  const before = pids.map(cpuMicros)
  const work = async () => {
    while (performance.now() < endAt) {
      const n = ++calls
      for (const [path, body] of [
        ['/v1/calls', { callId: `c${n}`, to: `b${n}` }],
        [`/v1/calls/c${n}/cancel`, {}]
      ]) {
        const { status, ms } = await post(agent, node.port, path, `a${n}`, body)
        if (status < 300) latencies.push(ms)
        else refused.set(status, (refused.get(status) ?? 0) + 1)
      }
    }
  }
  await Promise.all(Array.from({ length: width }, work))
  const micros = pids.map((pid, i) => (cpuMicros(pid) - before[i]) / latencies.length)
  agent.destroy()
  latencies.sort((a, b) => a - b)
  const at = share => latencies[Math.floor(share * (latencies.length - 1))] ?? Number.NaN
  return { count: latencies.length, p50: at(0.5), p99: at(0.99), micros, refused: [...refused] }
}

const redis = await startRedis()
const replica = await startRedis(redis.port)
await sleep(1500)
const round = values => values.map(value => Math.round(value)).join(' / ')

console.log('waits for  at once  actions   p50 ms   p99 ms   CPU µs an action: node / primary / replica')
for (const replicas of [0, 1, 0, 1]) {
  const node = await startNode(redis.port, replicas)
  await measureActions({ redis, replica, node }, { width: 8, seconds: 1 })
  for (const width of WIDTHS) {
    const found = await measureActions({ redis, replica, node }, { width, seconds: Number(options.seconds) })
    const { count, p50, p99, micros, refused } = found
    const cells = [`${replicas}`.padStart(9), `${width}`.padStart(8), `${count}`.padStart(8)]
    const times = [p50, p99].map(ms => ms.toFixed(2).padStart(8))
    const more = refused.length > 0 ? `   refused ${JSON.stringify(refused)}` : ''
    console.log(`${[...cells, ...times].join(' ')}   ${round(micros)}${more}`)
  }
  await stop(node.child)
}

console.log('\nstreams   resets   ms until all are reset   CPU µs a stream: node / Redis')
const node = await startNode(redis.port, 0)
const { ms, resets, micros } = await measureResets({ redis, node }, Number(options.streams))
console.log(
  `${options.streams.padStart(7)} ${`${resets}`.padStart(8)} ${ms.toFixed(0).padStart(24)}   ${round(micros)}`
)
for (const { child } of [node, replica, redis]) await stop(child)
await Promise.all(
  [node, replica, redis].map(({ child }) =>
    child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null
  )
)
process.exit(0)
