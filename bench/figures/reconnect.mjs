// A node is killed, and all of its idle streams connect to the other node at the same moment, each with its cursor. How long until the
// last has caught up, and how long others wait for their replies meanwhile: pairs on the surviving node, driven by another process.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildsAmong } from '../harness/contenders.mjs'
import { withFleets } from '../harness/fleet.mjs'
import { inRounds, valuesOf } from '../harness/rounds.mjs'

const SPARE_DESCRIPTORS = 1_000
const BYSTANDERS = 10
const EVERY_MS = 10
const CALM_MS = 1_000

const openFilesLimit = () => Number(/Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))[1])

async function measure(name, count) {
  return withFleets([{ name, nodes: 2 }], async ([fleet]) => {
    const { port } = fleet.servers[1]
    await fleet.openIdle({ count, prefix: 'idle' })
    await fleet.openBystanders({ count: BYSTANDERS, ports: [port], connected: true })
    await fleet.askBystanders('startRequests', { everyMs: EVERY_MS })
    await sleep(CALM_MS)
    const calm = await fleet.askBystanders('stopRequests', {})
    await fleet.askBystanders('startRequests', { everyMs: EVERY_MS })
    await fleet.kill(0)
    const { elapsedMs, answers, resets } = await fleet.ask('resumeIdle', { port })
    const storm = await fleet.askBystanders('stopRequests', {})
    if ((answers['caught-up'] ?? 0) < count) throw new Error(`${name}: ${JSON.stringify(answers)}`)
    return { seconds: elapsedMs / 1000, p99: storm.p99, calmP99: calm.p99, resets }
  })
}

export async function reconnect({ contenders, rounds, quick }) {
  const builds = buildsAmong(contenders)
  const count = Math.min(quick ? 2_000 : 10_000, openFilesLimit() - SPARE_DESCRIPTORS)
  const results = await inRounds(rounds, Object.fromEntries(builds.map(name => [name, () => measure(name, count)])))
  const values = key => valuesOf(results, builds, { key })
  return [
    { figure: `${count} streams reconnect, s until all caught up`, digits: 2, values: values('seconds'), target: 3 },
    { figure: '  other pairs’ requests meanwhile, p99 ms', digits: 0, values: values('p99'), target: 150 },
    { figure: '  the same before, p99 ms', digits: 0, values: values('calmP99') },
    { figure: '  connections reset and tried again', digits: 0, values: values('resets') }
  ]
}
