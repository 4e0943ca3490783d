// Callers send candidates, callees receive them. Either at a given rate, even if the server is slow (an open loop: waiting counts
// as latency), or with a given number of messages in flight at any time (a closed loop, which finds the peak).
import { candidatesJson, serialsIn } from '../fixtures.mjs'
import { quantile } from './quantile.mjs'

const TICK_MS = 1

let nextSerial = 1_000_000

/**
 * Sends `total` messages of `batch` candidates each, `rate` a second or, if `width` is not 0, `width` at a time, and waits for all of them.
 * Without `acknowledged`, Socket.IO users send without waiting for a reply.
 */
export function relay({ pairs, total, rate, width, batch, acknowledged, limitMs }) {
  const firstSerial = nextSerial
  nextSerial += total * batch
  const sentAt = new Float64Array(total)
  const missing = new Uint8Array(total).fill(batch)
  const seen = new Uint8Array(total * batch)
  const latencies = []
  const refused = {}
  let sent = 0
  let settled = 0
  let delivered = 0
  let duplicates = 0
  let lost = 0

  return new Promise(resolve => {
    const startedAt = performance.now()
    const timer = setTimeout(finish, limitMs)

    function finish() {
      clearTimeout(timer)
      const elapsedMs = performance.now() - startedAt
      latencies.sort((a, b) => a - b)
      sent = total
      resolve({
        elapsedMs,
        delivered,
        duplicates,
        lost: total - delivered,
        refused,
        p50: quantile(latencies, 0.5),
        p99: quantile(latencies, 0.99)
      })
    }

    function finishWhenDone() {
      if (delivered + lost >= total && settled === total) finish()
    }

    function arrive(data, onArrival) {
      const now = performance.now()
      for (const serial of serialsIn(data)) {
        const at = serial - firstSerial
        const message = Math.floor(at / batch)
        if (at < 0) continue
        if (seen[at]++) duplicates++
        else if (--missing[message] === 0) {
          delivered++
          latencies.push(now - sentAt[message])
          onArrival?.()
        }
      }
      finishWhenDone()
    }

    function settle(status) {
      settled++
      if (status !== 202) {
        refused[status] = (refused[status] ?? 0) + 1
        lost++
      }
      finishWhenDone()
      return status
    }

    async function send({ caller, callId }) {
      const message = sent++
      const fields = `"candidates":${candidatesJson('caller', firstSerial + message * batch, batch)}`
      sentAt[message] = performance.now()
      if (!acknowledged) {
        caller.user.send('candidates', callId, fields)
        return settle(202)
      }
      try {
        const { status } = await caller.user.act('candidates', callId, fields)
        return settle(status)
      } catch {
        return settle('lost')
      }
    }

    function pump() {
      const due = Math.min(total, Math.ceil(((performance.now() - startedAt) * rate) / 1000))
      while (sent < due) send(pairs[sent % pairs.length])
      if (sent < total) setTimeout(pump, TICK_MS)
    }

    const idle = [...pairs]

    async function loop() {
      while (sent < total) {
        const pair = idle.shift()
        const arrived = new Promise(resolve => pair.callee.onCandidates(data => arrive(data, resolve)))
        if ((await send(pair)) === 202) await arrived
        idle.push(pair)
      }
    }

    if (width > 0) {
      for (let i = 0; i < width; i++) loop()
    } else {
      for (const pair of pairs) pair.callee.onCandidates(data => arrive(data))
      pump()
    }
  })
}
