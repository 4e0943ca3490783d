// What webhooks and push did about a call, as its sides see it in the timeline.
import t from 'tap'
import { formatNote, withNotes } from '../../src/domain/call/notes.js'
import { withFormer } from '../../src/domain/call/view.js'
import type { CallTimeline } from '../../src/schemas/timeline.js'
import { ended, T0 } from '../helpers/calls.js'

const NOTES = [
  formatNote({ type: 'webhook', event: 'call.ringing', outcome: 'delivered', attempt: 1 }, T0 - 5),
  formatNote({ type: 'webhook', event: 'call.incoming', outcome: 'failed', attempt: 1 }, T0),
  formatNote({ type: 'push', event: 'push', outcome: 'gone', attempt: 1 }, T0),
  formatNote({ type: 'webhook', event: 'call.accepted', outcome: 'delivered', attempt: 2 }, T0 + 1)
]

function linesFor(viewer: 'caller' | 'callee'): string[] {
  return textsOf(withNotes(ended(), NOTES, viewer === 'caller' ? 'alice' : 'bob'))
}

function textsOf({ entries }: CallTimeline): string[] {
  return entries.map(({ type, event, outcome, attempt }) =>
    [type, event, outcome, attempt].filter(each => each !== undefined).join(' ')
  )
}

t.test('notes stand among the entries of the call by time, after those of the same instant', async t => {
  const [first, ...others] = linesFor('callee')
  t.equal(first, 'webhook call.ringing delivered 1')
  t.ok(others.indexOf('webhook call.incoming failed 1') > others.indexOf('created'))
  t.ok(others.includes('push push gone 1'))
  t.ok(others.includes('webhook call.accepted delivered 2'))
})

t.test('the caller does not learn of what wakes or rings the callee', async t => {
  const lines = linesFor('caller')
  t.ok(lines.includes('webhook call.accepted delivered 2'))
  t.notMatch(lines.join('\n'), /push|call\.incoming/)
})

t.test('after a transfer, and with several callees, only operators see whom the call wakes', async t => {
  const call = ended()
  const several = { ...call, called: [...call.called, ...call.called] }
  for (const state of [{ ...call, transfers: 1 }, several]) {
    for (const user of ['alice', 'bob'])
      t.notMatch(textsOf(withNotes(state, NOTES, user)).join(), /push|call\.incoming/)
    t.match(textsOf(withNotes(state, NOTES, null)).join(), /push/)
  }
})

t.test('a former party sees nothing of the time after it left', async t => {
  const call = ended()
  const left = withFormer({ ...call, version: call.version + 1 }, ['bob'], { reason: 'hangup', by: null, now: T0 })
  t.notMatch(textsOf(withNotes(left, NOTES, 'bob')).join(), /webhook call\.accepted/)
  t.match(textsOf(withNotes(left, NOTES, 'alice')).join(), /webhook call\.accepted/)
})
