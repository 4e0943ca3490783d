// npm run bench -- [--quick] [--rounds 5] [--only candidate,latency,memory,calls,nodes] [--json results.json]
// Measures Signalpost beside Socket.IO and prints one table. What is measured, and how: README.md.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { calls } from './figures/calls.mjs'
import { candidate } from './figures/candidate.mjs'
import { latency } from './figures/latency.mjs'
import { memory } from './figures/memory.mjs'
import { nodes } from './figures/nodes.mjs'
import { presentContenders } from './harness/contenders.mjs'
import { printTable } from './harness/table.mjs'

const FIGURES = { candidate, latency, memory, calls, nodes }
const LIMIT_MS = 45 * 60_000

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
    `socket.io ${versionOf('socket.io')}, @socket.io/redis-streams-adapter ${versionOf('@socket.io/redis-streams-adapter')}`
  ].join('\n')
}

async function main() {
  setTimeout(() => {
    console.error(`Not done after ${LIMIT_MS / 60_000} minutes: giving up.`)
    process.exit(1)
  }, LIMIT_MS).unref()

  const names = options.only?.split(',') ?? Object.keys(FIGURES)
  const unknown = names.filter(name => !FIGURES[name])
  if (unknown.length > 0) throw new Error(`no figure ${unknown}; there are ${Object.keys(FIGURES)}`)

  const contenders = presentContenders()
  if (!contenders.includes('signalpost'))
    console.error('Signalpost is not built (npm run build): its column stays empty.')
  const rounds = Number(options.rounds ?? (options.quick ? 2 : 5))
  console.log(`${describeMachine()}\n${rounds} rounds\n`)

  const rows = []
  const shortList = contenders.filter(name => name !== 'bare')
  for (const name of names) {
    console.error(`${new Date().toISOString().slice(11, 19)} ${name} …`)
    const those = options.quick && name !== 'candidate' ? shortList : contenders
    rows.push(...(await FIGURES[name]({ contenders: those, rounds, quick: options.quick })))
  }
  printTable(rows)
  if (options.json) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`)
}

await main()
process.exit()
