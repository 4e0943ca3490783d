// Rules of calls: each is tried on one node in memory, and on two nodes with Redis.
import type { Test } from 'tap'
import type { Call, Signalpost } from '../../packages/client/src/index.js'
import { LAYOUTS, nameOf } from '../helpers/servers.js'
import { until } from '../helpers/until.js'
import { type Connect, incoming, startPeople, withChannel } from './people.js'

export type Rule = (t: Test, connect: Connect) => Promise<void>

interface Connected {
  readonly alice: Signalpost
  readonly bob: Signalpost
  /** Of alice. */
  readonly call: Call
  /** Of bob. */
  readonly answered: Call
}

export async function ring(connect: Connect): Promise<Connected> {
  const [alice, bob] = await Promise.all([connect('alice'), connect('bob', { device: 'laptop' })])
  const rings = incoming(bob)
  const call = await alice.call('bob', withChannel)
  return { alice, bob, call, answered: await rings }
}

export async function connected(connect: Connect): Promise<Connected> {
  const parties = await ring(connect)
  await parties.answered.accept()
  await areConnected(parties.call, parties.answered)
  return parties
}

export const areConnected = (...calls: readonly Call[]) =>
  until('all are connected', () =>
    calls.every(({ state, peerConnection }) => state === 'connected' && peerConnection?.connectionState === 'connected')
  )

export const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    error => error.code
  )

export function testRules(t: Test, rules: Readonly<Record<string, Rule>>): void {
  for (const layout of LAYOUTS) {
    for (const [name, rule] of Object.entries(rules)) {
      t.test(`${name}, ${nameOf(layout)}`, async t => rule(t, await startPeople(t, layout)))
    }
  }
}
