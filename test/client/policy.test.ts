// Calls that the policy service of the operator redirects and changes.
import t from 'tap'
import type { Call } from '../../packages/client/src/index.js'
import type { PolicyQuestion } from '../../src/schemas/policy.js'
import { PolicyService } from '../helpers/policy-service.js'
import { areConnected, codeOf } from './call-rules.js'
import { incoming, next, startPeople, withChannel } from './people.js'

const NAME = { name: 'Alice of Accounting' }

const service = await PolicyService.start((question: PolicyQuestion) => {
  if (!('to' in question)) return { allow: true }
  if (question.to === 'mirror') return { allow: true, to: 'alice' }
  if (question.to === 'sleeper') return { allow: false, reason: 'Not at night' }
  if (question.to === 'bob') return { allow: true, to: 'carol', media: 'audio', metadata: NAME, maxDurationMs: 600_000 }
  return { allow: true }
})
t.teardown(() => service.close())

const env = { POLICY_URL: service.url, POLICY_TIMEOUT_MS: '10000' }

t.test('a redirected call shows who rings and what it is for, connects, and ends', async t => {
  const connect = await startPeople(t, { engine: 'memory' }, env)
  const [alice, carol, bob] = await Promise.all([connect('alice'), connect('carol'), connect('bob')])
  const rung: Call[] = []
  bob.on('incoming', call => rung.push(call))
  const rings = incoming(carol)
  const call = await alice.call('bob', { ...withChannel, kind: 'video' })
  t.match([call.peer, call.kind, call.metadata], [{ user: 'carol', device: null }, 'audio', NAME])
  const answered = await rings
  t.match([answered.peer?.user, answered.kind, answered.metadata], ['alice', 'audio', NAME])
  await answered.accept(withChannel)
  await areConnected(call, answered)
  t.equal(call.to?.user, 'carol')
  const { entries } = await call.timeline()
  t.same(
    entries.filter(({ type }) => type === 'policy').map(({ outcome }) => outcome),
    ['redirected', 'allowed']
  )
  const ended = next(call, 'ended')
  await answered.hangup()
  t.match(await ended, { reason: 'hangup', by: { user: 'carol' } })
  t.same([rung.length, alice.calls.size, carol.calls.size], [0, 0, 0])
})

t.test('a call that it denies or redirects in a loop fails at once, with its explanation', async t => {
  const connect = await startPeople(t, { engine: 'memory' }, env)
  const alice = await connect('alice')
  t.equal(await codeOf(alice.call('sleeper', withChannel)), 'policy_denied')
  t.equal(await codeOf(alice.call('mirror', withChannel)), 'redirect_loop')
  const problem = await alice.call('sleeper', withChannel).catch(error => error)
  t.match(problem, { message: 'Not at night', retryable: false })
  t.equal(alice.calls.size, 0)
})
