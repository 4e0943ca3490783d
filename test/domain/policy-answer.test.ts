import t from 'tap'
import { outcomeOf, redirectOf, textOfQuestion } from '../../src/domain/policy/answer.js'
import type { PolicyAnswer, PolicyQuestion, QuestionOf } from '../../src/schemas/policy.js'

const caller = { user: 'alice', device: 'phone' }
const call: QuestionOf<'call'> = {
  action: 'call',
  callId: 'c1',
  caller,
  to: 'bob',
  redirectedFrom: [],
  media: 'video',
  metadata: { topic: 'lunch' },
  ringTimeoutMs: 30_000
}
const invitation: QuestionOf<'invitation'> = {
  action: 'invitation',
  roomId: 'r1',
  invitationId: 'i1',
  caller,
  to: 'bob',
  media: 'video',
  metadata: {},
  ringTimeoutMs: 30_000
}
const join: QuestionOf<'join'> = { action: 'join', roomId: 'r1', caller, role: 'host', metadata: {} }

const OUTCOMES: readonly (readonly [outcome: string, question: PolicyQuestion, answer: PolicyAnswer])[] = [
  ['allowed', call, { allow: true }],
  ['allowed', call, { allow: true, holdsMs: 1000 }],
  ['allowed', call, { allow: true, to: 'bob' }],
  ['denied', call, { allow: false, reason: 'no' }],
  ['redirected', call, { allow: true, to: 'carol' }],
  ['redirected', call, { allow: true, to: 'carol', media: 'audio' }],
  ['rewritten', call, { allow: true, to: 'bob', media: 'audio' }],
  ['rewritten', call, { allow: true, maxDurationMs: 1000 }],
  ['rewritten', invitation, { allow: true, ringTimeoutMs: 5000 }],
  ['rewritten', join, { allow: true, role: 'listener' }],
  ['allowed', join, { allow: true }]
]

t.test('what an answer counts as', async t => {
  for (const [outcome, question, answer] of OUTCOMES)
    t.equal(outcomeOf(question, answer), outcome, `${question.action} ${JSON.stringify(answer)}`)
})

t.test('an answer holds for questions that differ in nothing but the ids of the call or invitation', async t => {
  t.equal(textOfQuestion(call), textOfQuestion({ ...call, callId: 'c2' }))
  t.equal(textOfQuestion(invitation), textOfQuestion({ ...invitation, invitationId: 'i2' }))
  const others: PolicyQuestion[] = [
    { ...call, to: 'carol' },
    { ...call, caller: { user: 'alice', device: 'tablet' } },
    { ...call, caller: { user: 'eve', device: 'phone' } },
    { ...call, media: 'audio' },
    { ...call, media: null },
    { ...call, metadata: { topic: 'dinner' } },
    { ...call, metadata: {} },
    { ...call, ringTimeoutMs: 30_001 },
    { ...call, redirectedFrom: ['dave'] },
    invitation,
    { ...invitation, roomId: 'r2' },
    join,
    { ...join, role: 'speaker' },
    { ...join, via: 'whip' },
    { action: 'presence', caller, to: 'bob' }
  ]
  const texts = [call, ...others].map(textOfQuestion)
  t.equal(new Set(texts).size, texts.length)
})

const REDIRECTS: readonly (readonly [name: string, to: string | undefined, from: string[], next: string | null])[] = [
  ['no redirect', undefined, [], null],
  ['to the same user', 'bob', [], null],
  ['to the same user, after a redirect', 'bob', ['dave'], null],
  ['to another user', 'carol', [], 'carol'],
  ['the third redirect', 'carol', ['dave', 'erin'], 'carol'],
  ['the fourth redirect', 'carol', ['dave', 'erin', 'frank'], 'loop'],
  ['to the caller', 'alice', [], 'loop'],
  ['back to the user who was called', 'dave', ['dave'], 'loop'],
  ['to an earlier user', 'erin', ['dave', 'erin'], 'loop']
]

t.test('where a call is redirected', async t => {
  for (const [name, to, redirectedFrom, next] of REDIRECTS) {
    const redirect = () => redirectOf({ ...call, redirectedFrom }, to === undefined ? {} : { to })
    if (next === 'loop') t.throws(redirect, { code: 'redirect_loop' }, name)
    else t.strictSame(redirect()?.map(({ user }) => user) ?? null, next === null ? null : [next], name)
  }
})
