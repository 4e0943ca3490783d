// Application messages of a call and which media its sides send; who may send them when is in call-transitions.test.ts.
import t from 'tap'
import { viewTimeline } from '../../src/domain/call/timeline.js'
import {
  accept,
  after,
  attempt,
  connected,
  create,
  decide,
  hangup,
  laptop,
  media,
  message,
  outcomeOf,
  phone,
  reject,
  ringing,
  T0,
  tablet,
  watch
} from '../helpers/calls.js'

t.test('a message has its sender, its id and its content', async t => {
  const { state, events } = decide(connected(), message(laptop, 'm1', 'unlock the door'))
  const data = { callId: 'c1', version: state.version, from: laptop, messageId: 'm1', content: 'unlock the door' }
  t.strictSame(events, [{ to: phone, type: 'call.message', data }])
})

t.test('the caller does not learn which device of the callee sent a message while the call rings', async t => {
  const { state, events } = decide(ringing(), message(watch, 'm1'))
  t.match(events, [{ to: phone, data: { from: { user: 'bob', device: null } } }])
  t.match(viewTimeline(state, 'alice').entries.at(-1), { type: 'message', by: { user: 'bob', device: null } })
  t.match(viewTimeline(state, 'bob').entries.at(-1), { type: 'message', by: watch })
})

t.test('a message of the caller goes to the devices that ring', async t => {
  const declined = after(create(), reject(watch, 'device'))
  t.equal(outcomeOf(declined, message(phone, 'm1')), 'ringing: bob but watch message')
  t.equal(outcomeOf(ringing({ isMuted: true }), message(phone, 'm1')), 'ringing', 'to none of a callee who blocks')
})

t.test('a retried message changes nothing, also after the end and from another device', async t => {
  const sent = after(create(), accept(laptop), message(phone, 'm1'), message(phone, 'm2'))
  t.equal(outcomeOf(sent, message(phone, 'm1', 'other content')), 'same')
  t.equal(outcomeOf(sent, message(tablet, 'm1')), 'same')
  t.equal(outcomeOf(sent, message(laptop, 'm1')), 'connecting: alice/phone message', 'an id of the other side is free')
  const over = decide(sent, hangup(phone)).state
  t.equal(outcomeOf(over, message(phone, 'm2')), 'same')
  t.equal(outcomeOf(over, message(phone, 'm3')), 'call_ended')
})

t.test('the last 16 messages of each side are recognized', async t => {
  const many = Array.from({ length: 20 }, (_, i) => message(phone, `m${i}`.padEnd(255, 'x')))
  const sent = after(create(), accept(laptop), message(laptop, 'n1'), ...many)
  t.equal(outcomeOf(sent, many[4] as (typeof many)[0]), 'same')
  t.equal(outcomeOf(sent, many[3] as (typeof many)[0]), 'connecting: bob/laptop message')
  t.equal(outcomeOf(sent, message(laptop, 'n1')), 'same')
  t.ok(JSON.stringify(sent.sent).length < 800, 'whatever the length of their ids')
})

t.test('messages one after the other are one entry of the timeline', async t => {
  const state = after(create(), accept(laptop), message(phone, 'm1'), message(phone, 'm2'), message(laptop, 'n1'))
  t.match(viewTimeline(state, 'alice').entries.slice(2), [
    { type: 'message', by: phone, count: 2 },
    { type: 'message', by: laptop, count: 1 }
  ])
})

t.test('a change of the media has the state of both, null before the first report', async t => {
  const muted = decide(connected(), media(phone, { audio: false }))
  t.match(muted.events, [{ to: laptop, type: 'call.media_changed', data: { by: phone, audio: false, video: null } }])
  const off = decide(muted.state, media(phone, { video: true }))
  t.match(off.events, [{ data: { audio: false, video: true } }])
  t.equal(outcomeOf(off.state, media(phone, { audio: false })), 'same')
  t.match(viewTimeline(off.state, 'bob').entries.at(-1), {
    type: 'media_changed',
    by: phone,
    audio: false,
    video: true
  })
})

t.test('the media of one side do not change those of the other', async t => {
  const { state } = decide(connected(), media(phone, { audio: false }))
  t.match(decide(state, media(laptop, { audio: true })).events, [{ data: { by: laptop, audio: true, video: null } }])
  t.strictSame(state.sendsMedia.callee, { audio: null, video: null })
})

t.test('media that are reported before the answer may be reported again', async t => {
  t.match(attempt(ringing(), media(phone, { audio: false }), T0 + 5000), { code: 'wrong_state', retryable: true })
})
