// npm run bench -- [--quick] [--rounds 5] [--only candidate,calls] [--json results.json]
// Measures Signalpost beside two Socket.IO servers and prints one table. What is measured, and how: README.md.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { calls } from './figures/calls.mjs'
import { candidate } from './figures/candidate.mjs'
import { cluster } from './figures/cluster.mjs'
import { idle } from './figures/idle.mjs'
import { latency } from './figures/latency.mjs'
import { memory } from './figures/memory.mjs'
import { nodes } from './figures/nodes.mjs'
import { reconnect } from './figures/reconnect.mjs'
import { room } from './figures/room.mjs'
import { setup } from './figures/setup.mjs'
import { trips } from './figures/trips.mjs'
import { presentContenders } from './harness/contenders.mjs'
import { printTable } from './harness/table.mjs'

const FIGURES = { calls, candidate, trips, idle, setup, latency, reconnect, room, memory, cluster, nodes }
const FIGURE_LIMIT_MS = 15 * 60_000

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    json: { type: 'string' }
  }
})

function describeMachine() {
  const versionOf = name =>
    JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), 'utf8')).version
  const redis = /v=(\S+)/.exec(spawnSync('redis-server', ['--version'], { encoding: 'utf8' }).stdout ?? '')
  if (!redis) throw new Error('redis-server is not on the PATH')
  return [
    `Node ${process.version}, Redis ${redis[1]}, ${cpus().length} × ${cpus()[0].model}`,
    ['socket.io', '@socket.io/redis-adapter', '@socket.io/redis-streams-adapter', 'redis']
      .map(name => `${name} ${versionOf(name)}`)
      .join(', ')
  ].join('\n')
}

/** A figure's rows; ends this process, and with it all that it started, when they take too long. */
async function measure(name, options, giveUp) {
  const timer = setTimeout(() => giveUp(`${name}: not done after ${FIGURE_LIMIT_MS / 60_000} minutes`), FIGURE_LIMIT_MS)
  try {
    return await FIGURES[name](options)
  } finally {
    clearTimeout(timer)
  }
}

async function main() {
  const names = options.only?.split(',') ?? Object.keys(FIGURES)
  const unknown = names.filter(name => !FIGURES[name])
  if (unknown.length > 0) throw new Error(`no figure ${unknown}; there are ${Object.keys(FIGURES)}`)

  const contenders = presentContenders()
  if (!contenders.includes('signalpost')) throw new Error('Signalpost is not built: npm run build')
  const rounds = Number(options.rounds ?? (options.quick ? 2 : 5))
  console.log(`${describeMachine()}\n${rounds} rounds\n`)

  const rows = []
  const print = () => {
    printTable(rows, contenders)
    if (options.json) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`)
  }
  const giveUp = message => {
    print()
    console.error(message)
    process.exit(1)
  }
  for (const name of names) {
    console.error(`${new Date().toISOString().slice(11, 19)} ${name} …`)
    rows.push(...(await measure(name, { contenders, rounds, quick: options.quick }, giveUp)))
  }
  print()
}

await main()
process.exit()
