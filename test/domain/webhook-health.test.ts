// When a destination is paused, and when it is probed.
import t from 'tap'
import {
  afterFailure,
  beginAttempt,
  type Health,
  mayAttempt,
  UP,
  withoutProbe
} from '../../src/domain/webhook/health.js'

const fail = (health: Health, now: number, isProbe = health.isProbing) =>
  afterFailure(health, { isProbe, random: 0.999_999 }, now)
const paused = [1, 2, 3, 4, 5].reduce(health => fail(health, 0), UP)

t.test('five failures in a row pause a destination for a second, four do not', async t => {
  const four = [1, 2, 3, 4].reduce(health => fail(health, 0), UP)
  t.ok(mayAttempt(four, 0))
  t.notOk(mayAttempt(paused, 999))
  t.ok(mayAttempt(paused, 1000))
  t.equal(beginAttempt(four), four, 'it is up: any number of attempts at once')
})

t.test('while it is paused there is one probe at a time, and the pause doubles up to 30 s', async t => {
  let health = paused
  const pauses: number[] = []
  for (let n = 0; n < 7; n++) {
    const at = health.probeAt ?? 0
    health = beginAttempt(health)
    t.notOk(mayAttempt(health, at + 1_000_000), 'another one would be the second')
    health = fail(health, at)
    pauses.push((health.probeAt ?? 0) - at)
  }
  t.strictSame(pauses, [2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
})

t.test('attempts that began before the pause do not make it longer', async t => {
  t.equal(fail(paused, 5000, false), paused)
  t.equal(fail(beginAttempt(paused), 5000, false).isProbing, true)
})

t.test('a probe that sent nothing makes room for another one', async t => {
  t.ok(mayAttempt(withoutProbe(beginAttempt(paused)), 1000))
})
