// The lease protocol, explored state by state: as it is, and with each of its rules broken once.
import t from 'tap'
import { explore, RULES, SCENARIOS } from './leases.mjs'

/** Where the exploration finds what a broken rule leads to, and which invariant that breaks. */
const FOUND: Readonly<Record<string, readonly [scenario: string, invariant: string]>> = {
  'plain-rollback': ['crossing', 'I3'],
  'no-fence': ['sameId', 'I3'],
  'commit-first': ['answering', 'I1'],
  'give-back': ['devices', 'I3'],
  'leak-on-throw': ['sameId', 'I2'],
  'leak-on-callee': ['twoCallees', 'I2'],
  'id-only': ['sameId', 'I3'],
  'merge-unlocked': ['merging', 'I3'],
  'keep-retaken': ['answering', 'I2'],
  'keep-merged': ['crossing', 'I2'],
  'keep-checked': ['checking', 'I2'],
  'keep-passed': ['retryingElsewhere', 'I2'],
  'final-throw': ['retrying', 'I4'],
  'late-commit': ['retrying', 'I3'],
  'attempt-unnamed': ['retrying', 'I3']
}

t.test('the protocol holds in every scenario', async t => {
  for (const name of Object.keys(SCENARIOS)) {
    const { states, attempts, violation } = explore(name)
    t.equal(violation, null, `${name}, ${states} states`)
    t.ok(states > 500, `${name} goes somewhere`)
    if (name.startsWith('retrying')) t.ok(attempts > 1, `a retry makes its call in ${name}`)
  }
})

t.test('each rule is needed: without it an invariant breaks', async t => {
  t.strictSame(Object.keys(FOUND), Object.keys(RULES))
  for (const [rule, [scenario, invariant]] of Object.entries(FOUND)) {
    t.equal(explore(scenario, rule).violation?.slice(0, 2), invariant, `${rule} in ${scenario}`)
  }
})
