// What a reply to a webhook means: tables.
import t from 'tap'
import { backoffMs, judgeReply, retryAfterMs, type WebhookReply } from '../../src/domain/webhook/outcome.js'

const NOW = Date.parse('2026-11-21T10:00:00.000Z')
const HOUR_MS = 3_600_000
const BOUNDS = { retryMaxMs: 600_000, giveUpMs: 24 * HOUR_MS }

const judge = (reply: WebhookReply, attempt = {}) =>
  judgeReply(reply, { failures: 0, ageMs: 0, random: 0.5, now: NOW, ...attempt }, BOUNDS)
const reply = (status: number, retryAfter: string | null = null) => ({ status, retryAfter })

t.test('every 2xx delivers, 410 disables, and everything else is tried again', async t => {
  for (const status of [200, 201, 202, 204, 299]) t.same(judge(reply(status)), { kind: 'delivered' }, String(status))
  t.same(judge(reply(410)), { kind: 'disabled' })
  for (const status of [0, 100, 300, 304, 400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 599])
    t.same(judge(reply(status)), { kind: 'retry', delayMs: 750, isBusy: false }, String(status))
  t.same(judge(null), { kind: 'retry', delayMs: 750, isBusy: false }, 'no reply')
})

t.test('the pause doubles up to its bound, and is between half of that and all of it', async t => {
  const pauses = (random: number) => [0, 1, 2, 9, 10, 40].map(failures => backoffMs({ failures, random }, BOUNDS))
  t.strictSame(pauses(0), [500, 1000, 2000, 256_000, 300_000, 300_000])
  t.strictSame(pauses(0.999_999), [1000, 2000, 4000, 512_000, 600_000, 600_000])
})

t.test('Retry-After of 429 and 503 makes the pause longer, never shorter, and at most the time to give up', async t => {
  const rows: readonly [status: number, retryAfter: string, delayMs: number][] = [
    [429, '17', 17_000],
    [503, '17', 17_000],
    [500, '17', 750],
    [429, '0', 750],
    [429, 'Sat, 21 Nov 2026 10:01:00 GMT', 60_000],
    [503, 'Sat, 21 Nov 2026 09:00:00 GMT', 750],
    [429, 'soon', 750],
    [429, '-5', 750],
    [429, '1.5', 750],
    [429, '999999999', 24 * HOUR_MS],
    [429, '9'.repeat(400), 24 * HOUR_MS]
  ]
  for (const [status, retryAfter, delayMs] of rows)
    t.match(judge(reply(status, retryAfter)), { kind: 'retry', delayMs }, `${status} ${retryAfter}`)
  t.equal(retryAfterMs(null, NOW), null)
})

t.test('an event is given up when its next attempt would come too late', async t => {
  const lateMs = 24 * HOUR_MS - 10_000
  t.same(judge(reply(500), { failures: 3, ageMs: lateMs }), { kind: 'retry', delayMs: 6000, isBusy: false })
  t.same(judge(reply(500), { failures: 4, ageMs: lateMs }), { kind: 'given_up' })
  t.same(judge(reply(429, '10'), { ageMs: lateMs }), { kind: 'retry', delayMs: 10_000, isBusy: true })
  for (const longer of ['11', '999999999', 'Wed, 21 Oct 2099 07:28:00 GMT']) {
    t.same(
      judge(reply(429, longer), { ageMs: lateMs }),
      { kind: 'retry', delayMs: 10_000, isBusy: true },
      'once more at the end'
    )
    t.same(judge(reply(429, longer), { ageMs: 24 * HOUR_MS }), { kind: 'given_up' })
  }
  t.same(judge(reply(200), { failures: 40, ageMs: 25 * HOUR_MS }), { kind: 'delivered' })
})
