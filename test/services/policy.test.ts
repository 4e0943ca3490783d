// What a node does with its questions to the policy service: how many it sends, which share an answer, what it logs and counts.
import { pino } from 'pino'
import t from 'tap'
import { loadConfig } from '../../src/config.js'
import { createMetrics } from '../../src/metrics.js'
import type { PolicyQuestion, QuestionOf } from '../../src/schemas/policy.js'
import type { Context } from '../../src/services/context.js'
import { askPolicy } from '../../src/services/policy/ask-policy.js'
import { ManualClock } from '../helpers/clock.js'
import { PolicyService } from '../helpers/policy-service.js'

const caller = { user: 'alice', device: 'phone' }
const SECRET = 'the text that no log may have'

/** Nearly as much as metadata may be. */
const LARGE = { text: 'x'.repeat(4000) }

const callTo = (to: string, callId = `call-to-${to}`): QuestionOf<'call'> => ({
  action: 'call',
  callId,
  caller,
  to,
  redirectedFrom: [],
  media: 'audio',
  metadata: { text: SECRET },
  ringTimeoutMs: 30_000
})

const presenceOf = (to: string): QuestionOf<'presence'> => ({ action: 'presence', caller, to })

const service = await PolicyService.start((question: PolicyQuestion) => {
  const to = 'to' in question ? question.to : ''
  if (to === 'sleeper') return { allow: false, reason: 'Not at night' }
  if (to === 'desk') return { allow: true, to: 'carol' }
  if (to === 'radio') return { allow: true, metadata: { text: SECRET } }
  return { allow: true, ...(to.startsWith('held') ? { holdsMs: 10_000, metadata: LARGE } : {}) }
})
t.teardown(() => service.close())

interface Node {
  readonly context: Context
  readonly clock: ManualClock
  readonly log: () => Record<string, unknown>[]
  readonly decisions: () => Promise<string[]>
}

function newNode(env: Readonly<Record<string, string>> = {}): Node {
  const lines: string[] = []
  const metrics = createMetrics()
  const clock = new ManualClock()
  const context = {
    config: loadConfig({ POLICY_URL: service.url, POLICY_TIMEOUT_MS: '20000', ...env }),
    metrics,
    clock,
    log: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })
  } as unknown as Context
  return {
    context,
    clock,
    log: () => lines.map(line => JSON.parse(line)),
    async decisions() {
      const { values } = await metrics.policyDecisions.get()
      return values.map(({ labels, value }) => `${labels.action} ${labels.outcome} ${value}`).sort()
    }
  }
}

t.test('each decision is logged and counted, without metadata', async t => {
  const { context, log, decisions } = newNode()
  for (const to of ['bob', 'sleeper', 'desk', 'radio', 'bob']) await askPolicy<'call'>(context, callTo(to))
  await askPolicy<'presence'>(context, presenceOf('bob'))
  t.match(log(), [
    { msg: 'policy decided', action: 'call', outcome: 'allowed', callId: 'call-to-bob', user: 'alice', to: 'bob' },
    { outcome: 'denied', reason: 'Not at night', to: 'sleeper' },
    { outcome: 'redirected', to: 'desk', redirectedTo: 'carol' },
    { outcome: 'rewritten' },
    { outcome: 'allowed' }
  ])
  t.equal(log().length, 5, 'questions about presence are not logged')
  t.notMatch(JSON.stringify(log()), SECRET)
  t.same(await decisions(), [
    'call allowed 2',
    'call denied 1',
    'call redirected 1',
    'call rewritten 1',
    'presence allowed 1'
  ])
  const { values } = await context.metrics.policySeconds.get()
  const counts = values.filter(({ metricName }) => metricName?.endsWith('_count'))
  t.same(
    counts.map(({ labels, value }) => `${labels.action} ${value}`),
    ['call 5', 'presence 1']
  )
})

t.test('a failure is logged with its cause, and counted', async t => {
  const { context, log, decisions } = newNode()
  service.failure = (_request, reply) => void reply.writeHead(500).end()
  await t.rejects(askPolicy<'call'>(context, callTo('bob')), { code: 'policy_unavailable' })
  service.failure = null
  t.match(log(), [
    { level: 40, action: 'call', err: { message: 'replied with 500' } },
    { action: 'call', outcome: 'failed', onError: 'deny' }
  ])
  t.same(await decisions(), ['call failed 1'])
})

t.test('questions in flight are bounded for each action, and what is too much is not sent', async t => {
  const { context, log, decisions } = newNode()
  const before = service.received.length
  const release = service.holdReplies(({ action }) => action === 'call')
  const many = Array.from({ length: 256 }, (_, n) => askPolicy<'call'>(context, callTo('bob', `c${n}`)))
  await service.waitForQuestions(before + 256)
  await t.rejects(askPolicy<'call'>(context, callTo('bob', 'one-more')), { code: 'policy_unavailable' })
  t.match(log(), [{ outcome: 'not_sent', callId: 'one-more', onError: 'deny' }])
  t.match(await askPolicy<'presence'>(context, presenceOf('bob')), { answer: { allow: true } }, 'another action')
  release()
  for (const { answer } of await Promise.all(many)) t.ok(answer.allow)
  t.match(await askPolicy<'call'>(context, callTo('bob', 'one-more')), { outcome: 'allowed' }, 'there is room again')
  t.same(await decisions(), ['call allowed 257', 'call not_sent 1', 'presence allowed 1'])
  t.equal(service.received.length, before + 258)

  const open = newNode({ POLICY_ON_ERROR: 'allow' })
  const releaseOthers = service.holdReplies()
  const others = Array.from({ length: 256 }, (_, n) => askPolicy<'call'>(open.context, callTo('bob', `d${n}`)))
  await service.waitForQuestions(before + 258 + 256)
  t.match(await askPolicy<'call'>(open.context, callTo('sleeper')), { answer: { allow: true }, outcome: 'not_sent' })
  releaseOthers()
  await Promise.all(others)
})

t.test('repeats of a question wait for one answer, and questions about presence for any of the same users', async t => {
  const { context } = newNode()
  const before = service.received.length
  const release = service.holdReplies()
  const same = Array.from({ length: 3 }, () => askPolicy<'call'>(context, callTo('bob', 'c1')))
  const other = askPolicy<'call'>(context, callTo('bob', 'c2'))
  const presence = Array.from({ length: 3 }, () => askPolicy<'presence'>(context, presenceOf('bob')))
  await service.waitForQuestions(before + 3)
  release()
  await Promise.all([...same, other, ...presence])
  t.equal(service.received.length, before + 3)
  await askPolicy<'call'>(context, callTo('bob', 'c1'))
  t.equal(service.received.length, before + 4, 'an answer without holdsMs is for one question')
})

t.test('answers about presence hold for 30 s, and its failures for 5 s', async t => {
  const { context, clock } = newNode()
  const count = async () => {
    const before = service.received.length
    await askPolicy<'presence'>(context, presenceOf('bob')).catch(() => {})
    return service.received.length - before
  }
  t.equal(await count(), 1)
  clock.advance(29_999)
  t.equal(await count(), 0)
  clock.advance(1)
  service.failure = (_request, reply) => void reply.writeHead(500).end()
  await t.rejects(askPolicy<'presence'>(context, presenceOf('bob')), { code: 'policy_unavailable' })
  service.failure = null
  clock.advance(4999)
  await t.rejects(askPolicy<'presence'>(context, presenceOf('bob')), { code: 'policy_unavailable' })
  clock.advance(1)
  t.equal(await count(), 1)
})

t.test('the cache is bounded by 16 MiB: the answer used longest ago is dropped', async t => {
  const { context } = newNode()
  await askPolicy<'call'>(context, callTo('held'))
  const before = service.received.length
  await askPolicy<'call'>(context, callTo('held'))
  t.equal(service.received.length, before, 'cached')
  for (let n = 0; n < 4200; n += 200)
    await Promise.all(Array.from({ length: 200 }, (_, i) => askPolicy<'call'>(context, callTo(`held${n + i}`))))
  const after = service.received.length
  await askPolicy<'call'>(context, callTo('held'))
  t.equal(service.received.length, after + 1, 'dropped')
})
