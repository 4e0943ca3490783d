// Explores the lease protocol as it is, and with each of its rules broken once.
import t from 'tap'
import { explore, RULES, SCENARIOS } from './leases.mjs'

/** The scenario in which a broken rule violates an invariant, and that invariant. */
const VIOLATIONS: Readonly<Record<string, readonly [scenario: string, invariant: string]>> = {
  'release-without-tombstone': ['crossing', 'I3'],
  'take-over-without-tombstone': ['sameId', 'I3'],
  'accept-before-upgrade': ['answering', 'I1'],
  'downgrade-after-conflict': ['devices', 'I3'],
  'keep-on-other-caller': ['sameId', 'I2'],
  'keep-on-other-callee': ['twoCallees', 'I2'],
  'holder-without-caller': ['sameId', 'I3'],
  'merge-without-upgrade': ['merging', 'I3'],
  'accept-keeps-retaken': ['answering', 'I2'],
  'merge-keeps-retaken': ['crossing', 'I2'],
  'check-keeps-retaken': ['checking', 'I2'],
  'next-attempt-keeps-leases': ['retryingElsewhere', 'I2'],
  'failure-is-final': ['retrying', 'I4'],
  'closed-attempt-commits': ['retrying', 'I3'],
  'holder-without-attempt': ['retrying', 'I3'],
  'accept-keeps-others': ['several', 'I2'],
  'reject-keeps-lease': ['several', 'I2'],
  'loser-keeps-retaken': ['several', 'I2'],
  'left-out-rings': ['severalCrossing', 'I3'],
  'ring-before-lease': ['sequence', 'I3'],
  'waiting-is-stale': ['sequenceBusy', 'I3'],
  'turn-keeps-retaken': ['sequence', 'I2']
}

t.test('the protocol holds in every scenario', async t => {
  for (const name of Object.keys(SCENARIOS)) {
    const { states, attempts, violation } = explore(name)
    t.equal(violation, null, `${name}, ${states} states`)
    t.ok(states > 500, `${name} has more than 500 states`)
    if (name.startsWith('retrying')) t.ok(attempts > 1, `a retry creates its call in ${name}`)
  }
})

t.test('each broken rule violates an invariant', async t => {
  t.strictSame(Object.keys(VIOLATIONS), Object.keys(RULES))
  for (const [rule, [scenario, invariant]] of Object.entries(VIOLATIONS)) {
    t.equal(explore(scenario, rule).violation?.slice(0, 2), invariant, `${rule} in ${scenario}`)
  }
})
