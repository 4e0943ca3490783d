// npm run profile -- [signalpost|hardened|streams|bare|other] [--calls] [--in-three] [--sfu consume] [--batch 8] [--count 40000] [--rows 40]
// Relays candidates from one node to the other (or makes whole calls, or calls in three requests, or takes one step of the figure sfu) under
// node --cpu-prof, and prints the CPU time of each node by function and the commands of Redis. The first node takes the POSTs of the
// candidates, the second writes to the streams.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createClient } from 'redis'
import { measureCalls } from './figures/calls.mjs'
import { measureRelay, PAIRS, WIDTH, warmUp } from './figures/relay.mjs'
import { holdConference, openConference, STEPS, takeStep, withMediaFleets } from './figures/sfu.mjs'
import { withFleets } from './harness/fleet.mjs'
import { keepDirectory } from './harness/processes.mjs'
import { monotonicMicros, printTop, readProfile } from './harness/profiles.mjs'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    calls: { type: 'boolean', default: false },
    'in-three': { type: 'boolean', default: false },
    sfu: { type: 'string' },
    batch: { type: 'string', default: '1' },
    count: { type: 'string' },
    rows: { type: 'string', default: '40' }
  }
})
const name = positionals[0] ?? 'signalpost'
const isSfu = options.sfu !== undefined
const PARTICIPANTS = 200
const count = isSfu
  ? countOf(options.sfu)
  : Number(options.count ?? (options.calls || options['in-three'] ? 1_000 : 40_000))
const batch = Number(options.batch)
const rows = Number(options.rows)

/** The requests of one step. */
function countOf(step) {
  if (!STEPS[step]) throw new Error(`no step ${step}; there are ${Object.keys(STEPS)}`)
  return PARTICIPANTS * STEPS[step].each
}

/** Takes the steps before the one to profile. */
async function prepareConference(fleet) {
  const size = PARTICIPANTS
  await holdConference(fleet, { size })
  await openConference(fleet, { size })
  for (const step of Object.keys(STEPS)) {
    if (step === options.sfu) break
    await takeStep(fleet, { step, size })
  }
  return () => takeStep(fleet, { step: options.sfu, size })
}

/** Opens users, warms up, and returns the function to profile. */
async function prepare(fleet) {
  if (isSfu) return prepareConference(fleet)
  const inThree = options['in-three']
  const makesCalls = options.calls || inThree
  await fleet.openPairs({ count: 2 * PAIRS, connected: !makesCalls, oneWay: !makesCalls })
  if (makesCalls) {
    await measureCalls(fleet, { total: 300, batch, inThree })
    return () => measureCalls(fleet, { total: count, batch, inThree })
  }
  await warmUp(fleet, { quick: true, batch })
  return () => measureRelay(fleet, { total: count, width: WIDTH, batch })
}

async function countCommands(url, work) {
  const redis = await createClient({ url }).connect()
  await redis.configResetStat()
  await work()
  const stats = await redis.info('commandstats')
  redis.destroy()
  return [...stats.matchAll(/cmdstat_(\S+?):calls=(\d+),usec=(\d+)/g)]
}

function printCommands(commands) {
  console.log('\n──── Redis: commands, inside scripts too ────')
  for (const [, command, calls, micros] of commands.sort((a, b) => b[3] - a[3])) {
    if (calls / count < 0.005) continue
    console.log(`${(calls / count).toFixed(2).padStart(7)} × ${command.padEnd(18)} ${(micros / count).toFixed(2)} µs`)
  }
}

const directory = mkdtempSync(join(tmpdir(), 'signalpost-profile-'))
keepDirectory(directory)
const nodeArgs = ['--cpu-prof', '--cpu-prof-dir', directory]
let commands
const withFleet = work =>
  isSfu ? withMediaFleets([name], { nodeArgs }, work) : withFleets([{ name, nodes: 2, nodeArgs }], work)
const { pids, window } = await withFleet(async ([fleet]) => {
  const work = await prepare(fleet)
  const from = monotonicMicros()
  commands = await countCommands(fleet.redis.url, async () => console.log(name, await work()))
  return { pids: fleet.servers.map(server => server.pid), window: { from, to: monotonicMicros() } }
})

for (const [i, pid] of pids.entries()) {
  const { modules, functions, inclusive, total } = readProfile(directory, pid, window)
  console.log(`\n──── node ${i + 1}, busy for ${(total / 1e6).toFixed(1)} s ────`)
  printTop('by module', { table: modules, total, messages: count, limit: rows / 2 })
  printTop('by function, self time', { table: functions, total, messages: count, limit: rows })
  printTop('by function, with all that it calls', { table: inclusive, total, messages: count, limit: 2 * rows })
}
printCommands(commands)
process.exit()
