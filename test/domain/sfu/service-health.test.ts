import t from 'tap'
import { type HealthReport, hasLost, recordHealth, UNKNOWN_HEALTH } from '../../../src/domain/sfu/service-health.js'

const T0 = 1_000_000
const ok = (instance = 'i1'): HealthReport => ({ of: 'check', instance, load: 0.5 })
const lost: HealthReport = { of: 'check', failedSince: T0 }
const failed: HealthReport = { of: 'request', failed: true }
const done: HealthReport = { of: 'request', failed: false }

/** Reports, each with the milliseconds since the one before it; 0 if left out. */
type Step = HealthReport | readonly [afterMs: number, report: HealthReport]

/** The changes, and the status in the end. */
function follow(...steps: readonly Step[]): string {
  let health = UNKNOWN_HEALTH
  let now = T0
  const changes: string[] = []
  for (const step of steps) {
    const [afterMs, report] = 'of' in step ? [0, step] : step
    now += afterMs
    const { after, change } = recordHealth(health, report, now)
    health = after
    if (change !== null) changes.push(change)
  }
  return [...changes, `→ ${health.status}`].join(' ')
}

const CASES: readonly [name: string, expected: string, ...steps: Step[]][] = [
  ['a service that was not checked is unknown', '→ unknown'],
  ['a first check that succeeds', 'up → up', ok()],
  ['two failed checks at the start decide nothing', '→ unknown', lost, lost],
  ['the third failed check at the start', 'down → down', lost, lost, lost],
  ['two failed checks', 'up → up', ok(), lost, lost],
  ['three failed checks', 'up down → down', ok(), lost, lost, lost],
  ['a check that succeeds in between', 'up → up', ok(), lost, lost, ok(), lost, lost],
  ['three failed requests', 'up down → down', ok(), failed, failed, failed],
  ['a request that succeeds in between', 'up → up', ok(), failed, failed, done, failed, failed],
  ['a check does not forgive failed requests', 'up down → down', ok(), failed, failed, ok(), failed],
  ['recovery after failed checks', 'up down up → up', ok(), lost, lost, lost, ok()],
  ['recovery after failed requests waits', 'up down → down', ok(), failed, failed, failed, [999, ok()]],
  ['recovery after failed requests', 'up down up → up', ok(), failed, failed, failed, [1000, ok()]],
  ['half open: the first failure', 'up down up down → down', ok(), failed, failed, failed, [1000, ok()], failed],
  ['half open: a success closes', 'up down up → up', ok(), failed, failed, failed, [1000, ok()], done, failed, failed],
  [
    'the second trip is held for twice as long',
    'up down up down → down',
    ...([ok(), failed, failed, failed, [1000, ok()], failed, [1999, ok()]] as const)
  ],
  [
    'a trip after two minutes is the first again',
    'up down up down up → up',
    ...([ok(), failed, failed, failed, [1000, ok()], [120_000, failed], [1000, ok()]] as const)
  ],
  ['another instance', 'up restarted → up', ok('i1'), ok('i2')],
  ['another instance while down', 'up down restarted → up', ok('i1'), lost, lost, lost, ok('i2')],
  ['another instance while held', 'up down restarted → up', ok('i1'), failed, failed, failed, ok('i2')],
  ['more failures while down', 'up down → down', ok(), lost, lost, lost, lost, failed, failed, failed]
]

for (const [name, expected, ...steps] of CASES) {
  t.test(name, async t => {
    t.equal(follow(...steps), expected)
  })
}

t.test('a session is lost only if the service has failed since it was placed', async t => {
  const down = { ...UNKNOWN_HEALTH, status: 'down', failedAt: T0 } as const
  t.equal(hasLost(down, { placedAt: T0 - 1 }), true)
  t.equal(hasLost(down, { placedAt: T0 }), false, 'another node has found the service up')
  t.equal(hasLost({ ...down, status: 'up' }, { placedAt: T0 - 1 }), false)
})
