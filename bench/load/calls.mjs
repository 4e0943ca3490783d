// Whole calls, from create to hangup, as many at a time as asked for.
import { candidatesJson, serialsIn } from '../fixtures.mjs'

const CANDIDATES_EACH_WAY = 10

let nextSerial = 1

/** Ten candidates from one side to the other, in messages of `batch`; resolves when acknowledged and arrived. */
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

async function call(pair, batch) {
  const { caller, callee } = pair
  const callId = await pair.connect()
  await Promise.all([
    trickle(callId, { from: caller, to: callee, side: 'caller', batch }),
    trickle(callId, { from: callee, to: caller, side: 'callee', batch })
  ])
  await pair.hangup()
}

/** `total` calls, `width` at a time, pairs taking turns. A failed call is counted and its pair retired. */
export async function makeCalls({ pairs, total, width, batch }) {
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
        await call(pair, batch)
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
