// Whole calls, from create to hangup: several at a time, or at a fixed rate.
import { setTimeout as sleep } from 'node:timers/promises'
import { candidatesJson, serialsIn } from '../fixtures.mjs'
import { quantile } from './quantile.mjs'

const CANDIDATES_EACH_WAY = 10
const TICK_MS = 1

let nextSerial = 1

/** Sends ten candidates to the other side, `batch` in a message. Resolves when all are answered and have arrived. */
async function trickle(callId, { from, to, side, batch }) {
  let missing = CANDIDATES_EACH_WAY
  const arrived = new Promise(resolve => {
    to.onCandidates(data => {
      missing -= serialsIn(data).length
      if (missing <= 0) resolve()
    })
  })
  const acts = []
  for (let i = 0; i < CANDIDATES_EACH_WAY; i += batch) {
    acts.push(from.act('candidates', callId, `"candidates":${candidatesJson(side, nextSerial, batch)}`))
    nextSerial += batch
  }
  await Promise.all([...acts, arrived])
}

/** Three requests, with the ten candidates of each side beside its description. */
async function callInThree(pair) {
  await pair.connectAtOnce({ firstSerial: nextSerial, count: CANDIDATES_EACH_WAY })
  nextSerial += CANDIDATES_EACH_WAY
  await pair.hangup()
}

async function call(pair, batch) {
  const { caller, callee } = pair
  const callId = await pair.connect()
  if (batch > 0) {
    await Promise.all([
      trickle(callId, { from: caller, to: callee, side: 'caller', batch }),
      trickle(callId, { from: callee, to: caller, side: 'callee', batch })
    ])
    await pair.reportConnected()
  }
  await pair.hangup()
}

/** Makes `total` calls, `width` at a time; pairs take turns. With `batch` 0 they skip candidates and connected; `inThree`: three requests. The pair of a failed call is not used again. */
export async function makeCalls({ pairs, total, width, batch, inThree = false }) {
  const idle = [...pairs]
  const durations = []
  const failures = {}
  let begun = 0
  const startedAt = performance.now()

  async function work() {
    while (begun < total && idle.length > 0) {
      begun++
      const pair = idle.shift()
      const callStartedAt = performance.now()
      try {
        await (inThree ? callInThree(pair) : call(pair, batch))
        durations.push(performance.now() - callStartedAt)
        idle.push(pair)
      } catch (error) {
        failures[error.message] = (failures[error.message] ?? 0) + 1
      }
    }
  }

  await Promise.all(Array.from({ length: width }, work))
  const elapsedMs = performance.now() - startedAt
  durations.sort((a, b) => a - b)
  return { elapsedMs, completed: durations.length, failures, p50: durations[Math.floor(durations.length / 2)] }
}

/**
 * Makes `total` calls, `rate` a second, even if the server is slow. Resolves to quantiles of the time from the moment a call was due until
 * both sides had the other's description, in milliseconds.
 */
export async function startCalls({ pairs, total, rate, inThree = false }) {
  const idle = [...pairs]
  const durations = []
  const startedAt = performance.now()

  async function oneCall(dueAt) {
    const pair = idle.shift()
    if (!pair) throw new Error('no pair is idle: the server is far behind')
    await (inThree ? pair.connectAtOnce({ firstSerial: 1, count: CANDIDATES_EACH_WAY }) : pair.connect())
    durations.push(pair.describedAt - dueAt)
    await pair.hangup()
    idle.push(pair)
  }

  const calls = []
  while (calls.length < total) {
    const due = Math.min(total, Math.ceil(((performance.now() - startedAt) * rate) / 1000))
    while (calls.length < due) {
      const call = oneCall(startedAt + (calls.length / rate) * 1000)
      call.catch(() => {}) // Thrown by the Promise.all below.
      calls.push(call)
    }
    await sleep(TICK_MS)
  }
  await Promise.all(calls)
  durations.sort((a, b) => a - b)
  return { p50: quantile(durations, 0.5), p99: quantile(durations, 0.99) }
}

/** Each pair creates one call, one after the other. Resolves to the times until the replies, in milliseconds. */
export async function createEach(pairs) {
  const times = []
  for (const pair of pairs) {
    const startedAt = performance.now()
    await pair.create()
    times.push(performance.now() - startedAt)
  }
  return times
}
