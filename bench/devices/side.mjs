// What the clients in Node have in common: the descriptions, and the lines for the benchmark. URL, TOKEN, CALL_ID, TRANSPORT, FLOW and ROLE are variables.
import { AUDIO_SDP, deviceCandidates } from '../fixtures.mjs'

const startedAt = performance.now()

/** Awaitable events: `arrive(type, data)` resolves `next(type)`, whichever is first. */
export function createInbox() {
  const inbox = new Map()
  const of = type => {
    if (!inbox.has(type)) inbox.set(type, withResolvers())
    return inbox.get(type)
  }
  return { arrive: (type, data) => of(type).resolve(data), next: type => of(type).promise }
}

function withResolvers() {
  const deferred = {}
  deferred.promise = new Promise(resolve => {
    deferred.resolve = resolve
  })
  return deferred
}

export function signalOf(side) {
  const candidates = deviceCandidates(side).map(candidate => ({ candidate, sdpMid: '0', sdpMLineIndex: 0 }))
  return { sdp: AUDIO_SDP[side], candidates }
}

export const printReady = () => process.stdout.write('ready\n')

/** The caller has the answer and the candidates. */
export const printAnswered = () =>
  process.stdout.write(`answered ${Math.round((performance.now() - startedAt) * 1000)}\n`)

/** The call is over. The benchmark reads the memory of the process before it closes stdin. */
export async function awaitEnd() {
  process.stdout.write('over\n')
  for await (const _ of process.stdin);
}
