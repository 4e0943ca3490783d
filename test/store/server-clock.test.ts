import t from 'tap'
import { createServerClock } from '../../src/store/redis/server-clock.js'
import { ManualClock } from '../helpers/clock.js'

const SERVER = Date.parse('2026-11-21T12:00:00.000Z')

/** A process that has run for `at` ms; its machine's clock is `skewMs` ahead of the server's, which may be set meanwhile. */
function given(skewMs = 0) {
  let at = 500
  let set = 0
  const system = new ManualClock(SERVER + skewMs)
  const clock = createServerClock(system, () => at)
  const pass = (ms: number) => {
    at += ms
    system.advance(ms)
  }
  return {
    clock,
    system,
    pass,
    serverNow: () => SERVER + at - 500 + set,
    setServer: (ms: number) => {
      set += ms
    },
    /** The question takes `there` and the answer `back` again. */
    measure(there = 1, back = there) {
      const sentAt = at
      pass(there)
      const serverAt = SERVER + at - 500 + set
      pass(back)
      return clock.observe({ sentAt, receivedAt: at, serverAt })
    }
  }
}

t.test('before the first measurement the time is that of the machine', async t => {
  const { clock, system } = given(30_000)
  t.equal(clock.now(), system.now())
  t.equal(clock.offsetMs(), 0)
})

for (const skewMs of [-30_000, -2_000, 0, 2_000, 30_000]) {
  t.test(`a machine that is ${skewMs} ms ahead tells the server's time, and by how much it differs`, async t => {
    const { clock, measure, pass, serverNow } = given(skewMs)
    measure(20)
    t.equal(clock.now(), serverNow())
    t.equal(clock.offsetMs(), skewMs)
    pass(12_345)
    t.equal(clock.now(), serverNow(), 'and goes on by itself')
  })
}

t.test('of several measurements the one with the shortest round trip counts', async t => {
  const { clock, measure, serverNow } = given()
  measure(0, 400)
  t.equal(clock.now(), serverNow() - 200, 'wrong by half the round trip')
  measure(1)
  t.equal(clock.now(), serverNow())
  for (let n = 0; n < 5; n++) measure(0, 900)
  t.equal(clock.now(), serverNow())
})

t.test('it says when another measurement would help', async t => {
  const { measure } = given()
  t.equal(measure(0, 400), false)
  t.equal(measure(2), true)
  t.equal(measure(0, 400), true, 'a good one is known')
})

t.test('setting the clock of the machine changes nothing', async t => {
  const { clock, system, measure, pass, serverNow } = given()
  measure()
  const before = clock.now()
  system.advance(3_600_000)
  t.equal(clock.now(), before)
  t.equal(clock.offsetMs(), 3_600_000, 'but the offset')
  pass(1000)
  t.equal(clock.now(), serverNow())
})

t.test('a small correction holds the time still, so that it never goes back', async t => {
  const { clock, measure, pass, serverNow } = given()
  measure()
  let last = clock.now()
  for (const step of [-900, 50, -300, -20, 700, -5]) {
    const run = given()
    run.measure()
    last = run.clock.now()
    run.setServer(step)
    for (let ms = 0; ms < 1200; ms += 100) {
      run.measure(0)
      t.ok(run.clock.now() >= last, `${step} ms, after ${ms} ms`)
      last = run.clock.now()
      run.pass(100)
    }
    t.equal(run.clock.now(), run.serverNow(), 'and then it is the server time')
  }
  pass(1)
  t.equal(clock.now(), serverNow())
})

t.test(
  'when the server clock is set, or another server takes over, the time follows at the next measurement',
  async t => {
    for (const step of [-30_000, -1_500, 1_500, 30_000]) {
      const { clock, measure, setServer, serverNow } = given()
      for (let n = 0; n < 8; n++) measure()
      setServer(step)
      measure(5)
      t.equal(clock.now(), serverNow(), `${step} ms`)
    }
  }
)

t.test('the time is a whole number of milliseconds: half of one marks a claim', async t => {
  const { clock, measure, pass } = given()
  measure(0.3, 0.4)
  pass(0.1)
  t.ok(Number.isInteger(clock.now()))
})
