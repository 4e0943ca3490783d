// G11: one user, and one address without a token, at every limit at once, on a Redis of 64 MB that refuses writes when it is full. Calls of
// other users keep their latency, memory stops growing, and what the attack leaves expires. With real time and real processes: it takes
// ABUSE_SECONDS and runs with `npm run test:abuse`, not with `npm test`.
import { execFileSync, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import t from 'tap'
import { timersKey } from '../../src/store/redis/keys.js'
import { TIMER_CLASSES } from '../../src/store/timers.js'
import { guard } from '../helpers/child-process.js'
import { DEFAULT_LIMITS, Fleet } from '../helpers/fleet.js'
import { PUSH_KEY } from '../helpers/push.js'
import { startRedis } from '../helpers/redis.js'
import { candidate, sdp } from '../helpers/sdp.js'
import { TestClient } from '../helpers/test-client.js'

const ATTACKER = fileURLToPath(new URL('./attacker.js', import.meta.url))

const SECONDS = Number(process.env.ABUSE_SECONDS ?? 60)
const IDLE_SECONDS = Math.max(5, SECONDS / 4)
/** Enough pairs that each stays below RATE_LIMIT_CALLS_PER_PAIR. */
const PAIRS = 16
const RETENTION_MS = 5_000

const redis = await startRedis()
const admin = new Redis(redis.port)
await admin.config('SET', 'maxmemory', '64mb')
await admin.config('SET', 'maxmemory-policy', 'noeviction')
const fleet = await Fleet.launch(1, redis, {
  LOG_LEVEL: 'info',
  // With a free choice the heap grows for minutes before it is collected. A node that leaks ends soon, and refuses the calls of the others.
  NODE_OPTIONS: '--max-old-space-size=128 --max-semi-space-size=8',
  RETENTION_MS: String(RETENTION_MS),
  PRESENCE_TTL_MS: '3000',
  HEARTBEAT_MS: '1000',
  ...DEFAULT_LIMITS,
  ROOM_LINGER_MS: '1000',
  OFFLINE_CALLS: 'ring',
  SIGNING_KEYS: Buffer.alloc(32, 1).toString('base64url'),
  PUSH_KEY
})
t.teardown(async () => {
  admin.disconnect()
  await fleet.stop()
})

// ── Honest users ──

interface Pair {
  readonly caller: TestClient
  readonly callee: TestClient
}

async function makePairs(): Promise<Pair[]> {
  const pairs: Pair[] = []
  for (let i = 0; i < PAIRS; i++) {
    const caller = await TestClient.create(fleet, { user: `caller${i}`, device: 'phone', node: 0 })
    const callee = await TestClient.create(fleet, { user: `callee${i}`, device: 'phone', node: 0 })
    for (const client of [caller, callee]) await client.openStream()
    pairs.push({ caller, callee })
  }
  return pairs
}

let calls = 0
/** The number of the next pair; it continues from one phase of the test to the next. */
let turn = 0

/** A whole call of two users. Resolves to its duration in milliseconds. Throws if a request is refused. */
async function holdCall({ caller, callee }: Pair): Promise<number> {
  const callId = `honest-${calls++}`
  const startedAt = performance.now()
  await caller.post('calls', { callId, to: callee.user, offer: { sdp: sdp('caller') } })
  await callee.expectEvent('call.incoming')
  await callee.post(`calls/${callId}/accept`)
  await callee.post(`calls/${callId}/answer`, { sdp: sdp('callee') })
  await caller.expectEvents('call.accepted', 'signal.answer')
  await caller.post(`calls/${callId}/candidates`, { candidates: [candidate(1, 'caller')] })
  await callee.expectEvent('signal.candidates')
  await callee.post(`calls/${callId}/hangup`)
  await caller.expectEvent('call.ended')
  return performance.now() - startedAt
}

/** Calls of the pairs in turn, for this time: each pair at most once in 15 s. Resolves to the durations. */
async function holdCalls(pairs: readonly Pair[], seconds: number): Promise<number[]> {
  const until = performance.now() + seconds * 1000
  const took: number[] = []
  const pauseMs = 15_000 / PAIRS
  while (performance.now() < until) {
    const next = performance.now() + pauseMs
    took.push(await holdCall(pairs[turn++ % PAIRS] as Pair))
    await sleep(Math.max(0, next - performance.now()))
  }
  return took
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

// ── The attacker, in a process of its own ──

/** The returned function ends it and resolves to the number of replies by status, for each attack. */
function startAttacker(): () => Promise<Record<string, Record<string, number>>> {
  const child = guard(spawn(process.execPath, [ATTACKER, fleet.urlOf(0)], { stdio: ['pipe', 'pipe', 'inherit'] }))
  const report = new Promise<string>((resolve, reject) => {
    let text = ''
    child.stdout.on('data', chunk => {
      text += chunk
    })
    child.once('close', code => (code === 0 ? resolve(text) : reject(new Error(`the attacker ended with ${code}`))))
  })
  t.teardown(() => child.kill('SIGKILL'))
  return async () => {
    child.stdin.end()
    return JSON.parse(await report)
  }
}

// ── The memory of the server ──

const residentMb = () => Number(execFileSync('ps', ['-o', 'rss=', '-p', String(fleet.pidOf(0))]).toString()) / 1024

async function redisMb(): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1]) / 1024 / 1024
}

interface Sample {
  readonly nodeMb: number
  readonly redisMb: number
}

async function sampleMemory(isOver: () => boolean): Promise<Sample[]> {
  const samples: Sample[] = []
  while (!isOver()) {
    samples.push({ nodeMb: residentMb(), redisMb: await redisMb() })
    await sleep(1000)
  }
  return samples
}

const highest = (samples: readonly Sample[], of: keyof Sample) => Math.max(...samples.map(sample => sample[of]))

t.test(
  'calls of other users keep their latency while one user is at every limit, and all keys of the attack expire',
  async t => {
    const pairs = await makePairs()
    // The user whom the attacker calls. The pairs expect one call at a time, so this user is in none of them.
    await (await TestClient.create(fleet, { user: 'target', device: 'phone', node: 0 })).openStream()
    await holdCalls(pairs, 3)
    const idle = median(await holdCalls(pairs, IDLE_SECONDS))

    let over = false
    const endAttack = startAttacker()
    const sampling = sampleMemory(() => over)
    const busy = await holdCalls(pairs, SECONDS).finally(() => {
      over = true
    })
    for (const [name, counts] of Object.entries(await endAttack())) t.comment(`${name}: ${JSON.stringify(counts)}`)
    t.comment(
      `a call took ${idle.toFixed(1)} ms before the attack and ${median(busy).toFixed(1)} ms during it (medians, ${busy.length} calls)`
    )
    t.ok(
      median(busy) <= 3 * idle,
      'the median during the attack is at most three times the median before it, and no request is refused'
    )

    const samples = await sampling
    const half = Math.floor(samples.length / 2)
    for (const of of ['nodeMb', 'redisMb'] as const) {
      const [early, late] = [highest(samples.slice(0, half), of), highest(samples.slice(half), of)]
      t.comment(`${of}: at most ${early.toFixed(1)} in the first half, ${late.toFixed(1)} in the second`)
      t.ok(late <= 1.25 * early + 5, `${of} stops growing`)
    }

    t.strictSame(await keysWithoutExpiry(), [], 'all keys of the attack expire')
  }
)

/** Families of keys that do not expire: a fixed number of each. */
const PERMANENT = /:(epoch|pending|timers:\w+)$/
/** What a user sets on purpose is bounded in number, and expires after months. */
const LONG_LIVED = /^push$/
/** Nothing else is kept longer than a room that no device has joined: one hour. */
const END_WITHIN_MS = 3_700_000

/** Keys without an expiry or a deadline within about an hour. Waits up to 40 s for running work to end. */
async function keysWithoutExpiry(): Promise<string[]> {
  let found = await findKeysWithoutExpiry()
  for (const until = Date.now() + 40_000; found.length > 0 && Date.now() < until; found = await findKeysWithoutExpiry())
    await sleep(1000)
  return found
}

async function findKeysWithoutExpiry(): Promise<string[]> {
  const found: string[] = []
  for await (const keys of admin.scanStream({ count: 1000 }) as AsyncIterable<string[]>) {
    for (const key of keys) if (!PERMANENT.test(key) && !(await expires(key))) found.push(key)
  }
  return found
}

/** A live state has a deadline in the timer index instead of an expiry. */
async function expires(key: string): Promise<boolean> {
  const ttl = await admin.pttl(key)
  const [, prefix = '', family = '', rest = ''] = /^(sp:\{\w+\}:)(\w+):(.*)$/.exec(key) ?? []
  if (ttl !== -1) return LONG_LIVED.test(family) || ttl <= 2 * END_WITHIN_MS
  const member = family === 'state' || family === 'outbox' ? rest : `room:${rest}`
  const deadlines = await Promise.all(
    TIMER_CLASSES.map(name => admin.zscore(timersKey(null, name), `${prefix}state:${member}`))
  )
  return deadlines.some(at => at !== null && Number(at) < Date.now() + END_WITHIN_MS)
}
