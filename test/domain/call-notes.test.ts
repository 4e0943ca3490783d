// What webhooks and push did about a call, as its sides see it in the timeline.
import t from 'tap'
import { formatNote, withNotes } from '../../src/domain/call/notes.js'
import { viewTimeline } from '../../src/domain/call/timeline.js'
import { ended, T0 } from '../helpers/calls.js'

const NOTES = [
  formatNote({ type: 'webhook', event: 'call.ringing', outcome: 'delivered', attempt: 1 }, T0 - 5),
  formatNote({ type: 'webhook', event: 'call.incoming', outcome: 'failed', attempt: 1 }, T0),
  formatNote({ type: 'push', event: 'push', outcome: 'gone', attempt: 1 }, T0),
  formatNote({ type: 'webhook', event: 'call.accepted', outcome: 'delivered', attempt: 2 }, T0 + 1)
]

function linesFor(viewer: 'caller' | 'callee'): string[] {
  const { entries } = withNotes(viewTimeline(ended(), viewer === 'caller' ? 'alice' : 'bob'), NOTES, viewer)
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
