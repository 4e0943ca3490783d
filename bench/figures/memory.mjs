// What an idle stream keeps resident in its server, by the difference that many of them make.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { withFleets } from '../harness/fleet.mjs'
import { residentKiB, settledKiB } from '../harness/meters.mjs'
import { inRounds, valuesOf } from '../harness/rounds.mjs'

const WARM_UP_STREAMS = 200
const SPARE_DESCRIPTORS = 1_000

function openFilesLimit() {
  return Number(/Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))[1])
}

async function measureStreams(name, { count, restMs }) {
  return withFleets([{ name, nodes: 1 }], async ([fleet]) => {
    const [{ pid }] = fleet.servers
    await fleet.openIdle({ count: WARM_UP_STREAMS, prefix: 'warm' })
    await fleet.closeIdle()
    await sleep(restMs)
    const before = await settledKiB(pid)
    const redisBefore = residentKiB(fleet.redis.pids[0])
    await fleet.openIdle({ count: count / 2, prefix: 'first' })
    await sleep(restMs)
    const halfway = await settledKiB(pid)
    await fleet.openIdle({ count: count / 2, prefix: 'second' })
    await sleep(restMs)
    const after = await settledKiB(pid)
    return {
      server: (after - before) / count,
      further: (after - halfway) / (count / 2),
      redis: (residentKiB(fleet.redis.pids[0]) - redisBefore) / count
    }
  })
}

export async function memory({ contenders, rounds, quick }) {
  const options = {
    count: Math.min(quick ? 2_000 : 10_000, openFilesLimit() - SPARE_DESCRIPTORS),
    restMs: quick ? 500 : 2_000
  }
  const measurements = Object.fromEntries(contenders.map(name => [name, () => measureStreams(name, options)]))
  const results = await inRounds(rounds, measurements)
  const pick = key => valuesOf(results, contenders, { key })
  return [
    {
      figure: `KiB resident per idle stream, ${options.count} open`,
      digits: 2,
      values: pick('server'),
      target: 4
    },
    { figure: '  each of the second half', digits: 2, values: pick('further') },
    { figure: '  Redis, KiB per stream', digits: 2, values: pick('redis') }
  ]
}
