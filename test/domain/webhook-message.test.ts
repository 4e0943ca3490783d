// What is sent for a queued event.
import t from 'tap'
import { messageId, renderEvent, withReplay } from '../../src/domain/webhook/message.js'

const envelope = '{"type":"room.closed","timestamp":"2026-11-21T10:00:00.000Z","data":{"roomId":"r1"}}'
const event = { version: 7, tag: 'abcde', index: 0, envelope }
const room = { kind: 'room', id: 'r1' }

t.test('the id is the same for one event, and differs for any other', async t => {
  const id = messageId(room, event)
  t.match(id, /^msg_[\w-]{24}$/)
  t.equal(messageId({ ...room }, { ...event, envelope: 'else' }), id)
  const others = [
    messageId({ kind: 'call', id: 'r1' }, event),
    messageId({ kind: 'room', id: 'r2' }, event),
    messageId(room, { ...event, version: 8 }),
    messageId(room, { ...event, tag: 'abcdf' }),
    messageId(room, { ...event, index: 1 }),
    messageId({ kind: 'room', id: 'r1/7' }, event)
  ]
  t.equal(new Set([id, ...others]).size, 7)
})

t.test('an event of a room gets the version of its commit, as in a mailbox; others are sent as they are', async t => {
  t.same(JSON.parse(renderEvent(room, event).body).data, { version: 7, roomId: 'r1' })
  t.equal(renderEvent({ kind: 'call', id: 'c1' }, event).body, envelope)
})

t.test('the age of a replayed event counts from the replay, and its message is the same', async t => {
  const at = Date.parse('2026-11-21T10:00:00.000Z')
  const first = renderEvent(room, event)
  t.same([first.at, first.queuedAt], [at, at])
  const again = renderEvent(room, { ...event, envelope: withReplay(withReplay(envelope, at + 1), at + 86_400_000) })
  t.same(again, { ...first, queuedAt: at + 86_400_000 })
})
