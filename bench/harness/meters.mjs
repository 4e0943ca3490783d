// Processor time and memory of a process, as the kernel reports them.
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Processor time of all its threads so far, in microseconds; the kernel counts it in nanoseconds. */
export function cpuMicros(pid) {
  let nanos = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    nanos += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
  }
  return nanos / 1000
}

/** `peak`: the most that was resident; `own`: what is resident now and is not of a file, such as a shared library. KiB. */
export function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const read = name => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)[1])
  return { peak: read('VmHWM'), own: read('RssAnon') }
}

export function residentKiB(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1])
}

/** Resident memory of a server that preloaded collect-garbage.mjs, once nothing more can be freed. */
export async function settledKiB(pid) {
  const samples = []
  for (let i = 0; i < 3; i++) {
    process.kill(pid, 'SIGWINCH')
    await sleep(500)
    samples.push(residentKiB(pid))
  }
  return Math.min(...samples)
}
