// G11: one user, and one address without a token, at every limit at once, on a Redis of 64 MB that refuses writes when it is full. Other
// people's calls go on as if nothing were, memory levels off, and what is left goes by itself. Real time, real processes: it takes
// ABUSE_SECONDS and is run by `npm run test:abuse`, not by `npm test`.
import { execFileSync, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import t from 'tap'
import { timersKey } from '../../src/store/redis/keys.js'
import { TIMER_CLASSES } from '../../src/store/timers.js'
import { DEFAULT_LIMITS, Fleet } from '../helpers/fleet.js'
import { startRedis } from '../helpers/redis.js'
import { candidate, sdp } from '../helpers/sdp.js'
import { TestClient } from '../helpers/test-client.js'

const ATTACKER = fileURLToPath(new URL('./attacker.js', import.meta.url))

const SECONDS = Number(process.env.ABUSE_SECONDS ?? 60)
const IDLE_SECONDS = Math.max(5, SECONDS / 4)
/** Enough pairs that each stays within what one caller may ask of one callee. */
const PAIRS = 16
const RETENTION_MS = 5_000

const redis = await startRedis()
const admin = new Redis(redis.port)
await admin.config('SET', 'maxmemory', '64mb')
await admin.config('SET', 'maxmemory-policy', 'noeviction')
const fleet = await Fleet.launch(1, redis, {
  LOG_LEVEL: 'info',
  RETENTION_MS: String(RETENTION_MS),
  PRESENCE_TTL_MS: '3000',
  HEARTBEAT_MS: '1000',
  ...DEFAULT_LIMITS,
  ROOM_LINGER_MS: '1000',
  OFFLINE_CALLS: 'ring'
})
t.teardown(async () => {
  admin.disconnect()
  await fleet.sink()
})

// ── Honest people ──

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
/** The pair whose turn it is, from one phase of the test to the next. */
let turn = 0

/** A whole call, as its two people live it. Resolves to how long it took, in milliseconds. Throws when anything is refused. */
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

/** Calls among the pairs in turn for so long: each pair once in 15 s at most. */
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

// ── The one who does not behave, in a process of their own ──

/** Resolves, once it is told to end, to the statuses that each attack was answered with. */
function startAttacker(): () => Promise<Record<string, Record<string, number>>> {
  const child = spawn(process.execPath, [ATTACKER, fleet.urlOf(0)], {
    stdio: ['pipe', 'pipe', 'inherit']
  })
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

// ── What it costs the server ──

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

t.test('one user at every limit disturbs nobody, and leaves nothing for long', async t => {
  const pairs = await makePairs()
  // Whom the attacker calls. Their phone may ring, so they are in none of the pairs, who expect one call at a time.
  await (await TestClient.create(fleet, { user: 'target', device: 'phone', node: 0 })).openStream()
  await holdCalls(pairs, 3)
  const idle = median(await holdCalls(pairs, IDLE_SECONDS))

  let over = false
  const endAttack = startAttacker()
  const sampling = sampleMemory(() => over)
  const busy = await holdCalls(pairs, SECONDS).finally(() => {
    over = true
  })
  for (const [name, answers] of Object.entries(await endAttack())) t.comment(`${name}: ${JSON.stringify(answers)}`)
  t.comment(
    `a call took ${idle.toFixed(1)} ms when idle and ${median(busy).toFixed(1)} ms meanwhile (medians, ${busy.length} calls)`
  )
  t.ok(median(busy) <= 3 * idle, 'calls of others keep their median within three times of idle; none was refused')

  const samples = await sampling
  const half = Math.floor(samples.length / 2)
  for (const of of ['nodeMb', 'redisMb'] as const) {
    const [early, late] = [highest(samples.slice(0, half), of), highest(samples.slice(half), of)]
    t.comment(`${of}: at most ${early.toFixed(1)} in the first half, ${late.toFixed(1)} in the second`)
    t.ok(late <= 1.25 * early + 5, `${of} levels off`)
  }

  t.strictSame(await keysWithoutEnd(), [], 'what the attack left goes by itself')
})

/** Families of keys that stay for as long as the server is used, a fixed number of each. */
const LASTING = /:(epoch|pending|timers:\w+)$/
/** A room that was made ahead of time and never joined is the longest that anything is kept. */
const END_WITHIN_MS = 3_700_000

/** Keys that neither an expiry nor a deadline takes away within an hour, once what is under way has come to rest. */
async function keysWithoutEnd(): Promise<string[]> {
  let found = await lookForKeys()
  for (const until = Date.now() + 40_000; found.length > 0 && Date.now() < until; found = await lookForKeys())
    await sleep(1000)
  return found
}

async function lookForKeys(): Promise<string[]> {
  const found: string[] = []
  for await (const keys of admin.scanStream({ count: 1000 }) as AsyncIterable<string[]>) {
    for (const key of keys) if (!LASTING.test(key) && !(await ends(key))) found.push(key)
  }
  return found
}

/** Live state has no expiry but a deadline in the index. */
async function ends(key: string): Promise<boolean> {
  const ttl = await admin.pttl(key)
  if (ttl !== -1) return ttl <= 2 * END_WITHIN_MS
  const [, prefix = '', family = '', rest = ''] = /^(sp:\{\w+\}:)(\w+):(.*)$/.exec(key) ?? []
  const member = family === 'state' || family === 'outbox' ? rest : `room:${rest}`
  const deadlines = await Promise.all(
    TIMER_CLASSES.map(name => admin.zscore(timersKey(null, name), `${prefix}state:${member}`))
  )
  return deadlines.some(at => at !== null && Number(at) < Date.now() + END_WITHIN_MS)
}
