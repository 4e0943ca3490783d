// Explores the transfer protocol as it is, and with each of its rules broken once.
import t from 'tap'
import { explore, RULES, SCENARIOS } from './transfers.mjs'

/** The scenario in which a broken rule violates an invariant, and that invariant. */
const VIOLATIONS: Readonly<Record<string, readonly [scenario: string, invariant: string]>> = {
  'holder-without-number': ['loop', 'I3'],
  'take-over-without-fence': ['blind', 'I3'],
  'accept-before-upgrade': ['blind', 'I2'],
  'limit-plus-one': ['attended', 'I1'],
  'end-other-regardless': ['crossing', 'I5'],
  'end-other-of-both': ['left', 'I1'],
  'end-forgets-other': ['attended', 'I4'],
  'leave-keeps-lease': ['blind', 'I2'],
  'swap-keeps-lease': ['blind', 'I2'],
  'end-keeps-target': ['blind', 'I2'],
  'accept-keeps-retaken': ['blind', 'I2']
}

t.test('the protocol holds in every scenario', async t => {
  for (const name of Object.keys(SCENARIOS)) {
    const { states, swaps, violation } = explore(name)
    t.equal(violation, null, `${name}, ${states} states`)
    t.ok(states > 500, `${name} has more than 500 states`)
    t.ok(swaps >= (name === 'loop' ? 2 : 1), `a transfer succeeds in ${name}`)
  }
})

t.test('each broken rule violates an invariant', async t => {
  t.strictSame(Object.keys(VIOLATIONS), Object.keys(RULES))
  for (const [rule, [scenario, invariant]] of Object.entries(VIOLATIONS)) {
    t.equal(explore(scenario, rule).violation?.slice(0, 2), invariant, `${rule} in ${scenario}`)
  }
})
