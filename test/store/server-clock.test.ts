import t from 'tap'
import { createServerClock } from '../../src/store/redis/server-clock.js'
import { ManualClock } from '../helpers/clock.js'

const SERVER = Date.parse('2026-11-21T12:00:00.000Z')

/** A process whose machine's clock is `skewMs` ahead of the server's. `at` is its monotonic clock. */
function createFixture(skewMs = 0) {
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
    /** The request takes `there` ms and the reply `back` ms. */
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
  const { clock, system } = createFixture(30_000)
  t.equal(clock.now(), system.now())
  t.equal(clock.offsetMs(), 0)
})

for (const skewMs of [-30_000, -2_000, 0, 2_000, 30_000]) {
  t.test(`a machine that is ${skewMs} ms ahead has the server's time, and reports its offset`, async t => {
    const { clock, measure, pass, serverNow } = createFixture(skewMs)
    measure(20)
    t.equal(clock.now(), serverNow())
    t.equal(clock.offsetMs(), skewMs)
    pass(12_345)
    t.equal(clock.now(), serverNow(), 'without another measurement')
  })
}

t.test('of several measurements the one with the shortest round trip counts', async t => {
  const { clock, measure, serverNow } = createFixture()
  measure(0, 400)
  t.equal(clock.now(), serverNow() - 200, 'wrong by half the round trip')
  measure(1)
  t.equal(clock.now(), serverNow())
  for (let n = 0; n < 5; n++) measure(0, 900)
  t.equal(clock.now(), serverNow())
})

t.test('observe returns false while another measurement can improve the time', async t => {
  const { measure } = createFixture()
  t.equal(measure(0, 400), false)
  t.equal(measure(2), true)
  t.equal(measure(0, 400), true, 'a precise measurement is kept')
})

t.test('setting the clock of the machine changes only the offset', async t => {
  const { clock, system, measure, pass, serverNow } = createFixture()
  measure()
  const before = clock.now()
  system.advance(3_600_000)
  t.equal(clock.now(), before)
  t.equal(clock.offsetMs(), 3_600_000, 'the offset')
  pass(1000)
  t.equal(clock.now(), serverNow())
})

t.test('a small correction backwards makes the time stand still, so that it never goes back', async t => {
  const { clock, measure, pass, serverNow } = createFixture()
  measure()
  let last = clock.now()
  for (const step of [-900, 50, -300, -20, 700, -5]) {
    const run = createFixture()
    run.measure()
    last = run.clock.now()
    run.setServer(step)
    for (let ms = 0; ms < 1200; ms += 100) {
      run.measure(0)
      t.ok(run.clock.now() >= last, `${step} ms, after ${ms} ms`)
      last = run.clock.now()
      run.pass(100)
    }
    t.equal(run.clock.now(), run.serverNow(), 'then it is the server time again')
  }
  pass(1)
  t.equal(clock.now(), serverNow())
})

t.test(
  'the time follows at the next measurement after the server clock is set, or another server is promoted',
  async t => {
    for (const step of [-30_000, -1_500, 1_500, 30_000]) {
      const { clock, measure, setServer, serverNow } = createFixture()
      for (let n = 0; n < 8; n++) measure()
      setServer(step)
      measure(5)
      t.equal(clock.now(), serverNow(), `${step} ms`)
    }
  }
)

t.test('the time is a whole number of milliseconds, because half a millisecond marks a claim', async t => {
  const { clock, measure, pass } = createFixture()
  measure(0.3, 0.4)
  pass(0.1)
  t.ok(Number.isInteger(clock.now()))
})
