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
import { sfu } from './figures/sfu.mjs'
import { trips } from './figures/trips.mjs'
import { presentContenders } from './harness/contenders.mjs'
import { printTable } from './harness/table.mjs'

const FIGURES = { calls, candidate, trips, idle, setup, latency, reconnect, room, sfu, memory, cluster, nodes }
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

async function main() {
  const names = options.only?.split(',') ?? Object.keys(FIGURES)
  const unknown = names.filter(name => !FIGURES[name])
  if (unknown.length > 0) throw new Error(`no figure ${unknown}; there are ${Object.keys(FIGURES)}`)

  const contenders = presentContenders()
  if (!contenders.includes('signalpost')) throw new Error('Signalpost is not built: npm run build')
  const rounds = Number(options.rounds ?? (options.quick ? 2 : 5))
  console.log(`${describeMachine()}\n${rounds} rounds\n`)

  const rows = []
  // Prints the finished figures however the run ends.
  process.on('exit', () => {
    if (rows.length > 0) printTable(rows, contenders)
    if (options.json) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`)
  })
  for (const name of names) {
    console.error(`${new Date().toISOString().slice(11, 19)} ${name} …`)
    const timer = setTimeout(() => {
      console.error(`${name}: not done after ${FIGURE_LIMIT_MS / 60_000} minutes`)
      process.exit(1)
    }, FIGURE_LIMIT_MS)
    rows.push(...(await FIGURES[name]({ contenders, rounds, quick: options.quick })))
    clearTimeout(timer)
  }
}

await main()
process.exit()
