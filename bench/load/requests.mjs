// Requests at a fixed interval until stopped, pairs taking turns: how a busy server delays users who did not cause the load.
import { candidatesJson } from '../fixtures.mjs'
import { quantile } from './quantile.mjs'

const FIRST_SERIAL = 1_000

/** Sends a candidate every `everyMs`, even if the server is slow. `stop` of the result resolves to quantiles of the reply times, in milliseconds. */
export function repeatRequests(pairs, { everyMs }) {
  const times = []
  const replies = []
  const startedAt = performance.now()

  async function send(number) {
    const pair = pairs[number % pairs.length]
    const fields = `"candidates":${candidatesJson('caller', FIRST_SERIAL + number, 1)}`
    await pair.caller.act('candidates', pair.callId, fields)
    times.push(performance.now() - startedAt - number * everyMs)
  }

  const timer = setInterval(() => {
    while (replies.length * everyMs <= performance.now() - startedAt) {
      const reply = send(replies.length)
      reply.catch(() => {}) // Thrown by stop.
      replies.push(reply)
    }
  }, 1)
  return {
    async stop() {
      clearInterval(timer)
      await Promise.all(replies)
      times.sort((a, b) => a - b)
      return { count: times.length, p50: quantile(times, 0.5), p99: quantile(times, 0.99), most: times.at(-1) }
    }
  }
}
