// A stream begins with hello, replay or reset, and exactly one of them (G2, G3).
import type { Test } from 'tap'
import type { Engine } from '../engines.js'
import { deliveryTest } from '../fixture.js'

export function resumeTests(t: Test, engine: Engine): void {
  const test = deliveryTest(t, engine)

  test('a stream without a cursor begins with hello and is live', async (t, fixture, node) => {
    const stream = await fixture.open(node)
    const hello = await stream.next()
    t.equal(stream.status, 200)
    t.match(stream.headers, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': /no-cache.*no-transform/,
      'x-accel-buffering': 'no',
      'access-control-allow-origin': 'https://example.com'
    })
    t.ok(stream.retryMs && stream.retryMs >= 1000 && stream.retryMs <= 4000, 'with a retry time of its own')
    t.match(hello, { type: 'hello', id: hello.data.cursor, data: { cursor: /^0\.\w{5}$/, heartbeatMs: 15_000 } })
    await fixture.appendNumbered(1)
    t.match(await stream.next(), { type: 'call.ringing', id: /^1\.\w{5}$/, data: { n: 1 } })
    t.same(node.connectionLog, ['+alice/phone fresh'])
  })

  test('events before hello are not sent', async (t, fixture, node) => {
    await (await fixture.open(node)).next('hello')
    await fixture.appendNumbered(1, 3)
    const stream = await fixture.open(node)
    const hello = await stream.next()
    t.match(hello, { type: 'hello', id: /^3\./ })
    await fixture.appendNumbered(4)
    t.match(await stream.next(), { data: { n: 4 } })
  })

  test('a stream with a cursor gets the events after it, then caught-up, then new events', async (t, fixture, node) => {
    const before = await fixture.open(node)
    await before.next('hello')
    await fixture.appendNumbered(1)
    const { id: cursor } = await before.next('call.ringing')
    await before.close()
    await fixture.appendNumbered(2, 4)
    const stream = await fixture.open(node, `?cursor=${cursor}`)
    for (const n of [2, 3, 4]) t.match(await stream.next(), { type: 'call.ringing', data: { n } })
    const caughtUp = await stream.next()
    t.match(caughtUp, { type: 'caught-up', id: /^4\./, data: { cursor: caughtUp.id ?? '' } })
    await fixture.appendNumbered(5)
    t.match(await stream.next(), { id: /^5\./, data: { n: 5 } })
  })

  test('a replay of several pages is in order', async (t, fixture, node) => {
    const before = await fixture.open(node)
    const { id: cursor } = await before.next('hello')
    await before.close()
    await fixture.appendNumbered(1, 350)
    const stream = await fixture.open(node, `?cursor=${cursor}`)
    const received: unknown[] = []
    for (let frame = await stream.next(); frame.type !== 'caught-up'; frame = await stream.next())
      received.push(frame.data.n)
    t.same(
      received,
      Array.from({ length: 350 }, (_, i) => i + 1)
    )
  })

  test('Last-Event-ID takes precedence over the cursor in the URL, which an EventSource cannot change', async (t, fixture, node) => {
    const before = await fixture.open(node)
    const { id: first } = await before.next('hello')
    await fixture.appendNumbered(1, 2)
    const { id: second } = await before.next('call.ringing')
    const stream = await fixture.open(node, `?cursor=${first}`, { headers: { 'last-event-id': second ?? '' } })
    t.match(await stream.next(), { id: /^2\./ })
    t.match(await stream.next(), { type: 'caught-up' })
  })

  test('`lastEventId` in the URL is what a polyfill sends: it takes precedence over the cursor, and a poll takes it too', async (t, fixture, node) => {
    const before = await fixture.open(node)
    const { id: first } = await before.next('hello')
    await fixture.appendNumbered(1, 2)
    const { id: second } = await before.next('call.ringing')
    const query = `?cursor=${first}&lastEventId=${second}`
    const stream = await fixture.open(node, query)
    t.match(await stream.next(), { id: /^2\./ })
    t.match(await stream.next(), { type: 'caught-up' })
    t.match(await fixture.poll(node, query), { status: 200, events: [{ id: /^2\./ }] })
    const repeated = await fixture.open(node, `?lastEventId=${first}&lastEventId=${second}`)
    t.match(await repeated.next(), { id: /^2\./ }, 'the last one, which a polyfill has appended, is the newest')
  })

  for (const text of ['undefined', 'null', '[object Object]', '42', 'ÿ', 'x'.repeat(4000)]) {
    test(`Last-Event-ID: ${text.slice(0, 20)} gets a reset`, async (t, fixture, node) => {
      const stream = await fixture.open(node, '', { headers: { 'last-event-id': text } })
      t.equal(stream.status, 200)
      t.match(await stream.next(), { type: 'reset', id: /^0\./, data: { reason: 'unknown', snapshot: '/v1/snapshot' } })
      await fixture.appendNumbered(1)
      t.match(await stream.next(), { id: /^1\./ })
    })
  }

  test('members of the query that are not ours are ignored', async (t, fixture, node) => {
    const stream = await fixture.open(node, '?subscription-key=abc&_=1&cursor=start')
    t.match(await stream.next(), { type: 'caught-up' })
    t.match(await fixture.poll(node, '?_=17&utm_source=x&wait=0'), { status: 200, events: [] })
  })

  test('`start` gets all events kept, and a new device none', async (t, fixture, node) => {
    const nothing = await fixture.open(node, '?cursor=start')
    t.match(await nothing.next(), { type: 'caught-up', id: /^0\./ })
    await fixture.appendNumbered(1, 2)
    const stream = await fixture.open(node, '?cursor=start')
    t.match(await stream.next(), { data: { n: 1 } })
    t.match(await stream.next(), { data: { n: 2 } })
    t.match(await stream.next(), { type: 'caught-up', id: /^2\./ })
    await fixture.appendNumbered(3)
    t.match(await stream.next(), { data: { n: 3 } })
  })

  test('POST opens the same stream', async (t, fixture, node) => {
    const stream = await fixture.open(node, '', { method: 'POST' })
    t.match(await stream.next(), { type: 'hello' })
    await fixture.appendNumbered(1)
    t.match(await stream.next(), { data: { n: 1 } })
  })

  for (const cursor of ['42', '42.', '.abc', '-1.abcde', '1.ABCDE', '1.a b', '9007199254740993.abcde', 'end']) {
    test(`the cursor «${cursor}» gets a reset on a stream and a refusal by a poll`, async (t, fixture, node) => {
      await (await fixture.open(node)).next('hello')
      await fixture.appendNumbered(1)
      const stream = await fixture.open(node, `?cursor=${encodeURIComponent(cursor)}`)
      t.match(await stream.next(), { type: 'reset', id: /^1\./, data: { reason: 'unknown' } })
      await fixture.appendNumbered(2)
      t.match(await stream.next(), { type: 'call.ringing', id: /^2\./ }, 'the stream is live from there')
      t.match(await fixture.poll(node, `?cursor=${encodeURIComponent(cursor)}`), {
        status: 400,
        code: 'invalid_cursor'
      })
    })
  }

  resetTests(t, engine)
}

function resetTests(t: Test, engine: Engine): void {
  const test = deliveryTest(t, engine)

  test('a cursor after the head gets a reset, and the stream continues from the head', async (t, fixture, node) => {
    await (await fixture.open(node)).next('hello')
    await fixture.appendNumbered(1)
    const stream = await fixture.open(node, '?cursor=7.abcde')
    const reset = await stream.next()
    t.match(reset, {
      type: 'reset',
      id: /^1\./,
      data: { reason: 'future', cursor: reset.id ?? '', snapshot: '/v1/snapshot' }
    })
    await fixture.appendNumbered(2)
    t.match(await stream.next(), { type: 'call.ringing', id: /^2\./ })
  })

  test('a cursor with the wrong tag gets a reset', async (t, fixture, node) => {
    await (await fixture.open(node)).next('hello')
    await fixture.appendNumbered(1, 2)
    t.match(await (await fixture.open(node, '?cursor=1.aaaaa')).next(), { type: 'reset', data: { reason: 'unknown' } })
  })

  test(
    'a cursor whose next events were trimmed gets a reset, never a partial replay',
    async (t, fixture, node) => {
      const before = await fixture.open(node)
      const { id: cursor } = await before.next('hello')
      await before.close()
      await fixture.appendNumbered(1, 400)
      const stream = await fixture.open(node, `?cursor=${cursor}`)
      t.match(await stream.next(), { type: 'reset', id: /^400\./, data: { reason: 'evicted' } })
      await fixture.appendNumbered(401)
      t.match(await stream.next(), { id: /^401\./ })
    },
    { mailboxMaxEvents: 10 }
  )

  test('a cursor older than the retention gets a reset', async (t, fixture, node) => {
    const before = await fixture.open(node)
    const { id: cursor } = await before.next('hello')
    await fixture.leave(node, before)
    fixture.clock.advance(600_001)
    const stream = await fixture.open(node, `?cursor=${cursor}`)
    t.match(await stream.next(), { type: 'reset', data: { reason: 'expired' } })
    t.equal(node.connectionLog.at(-1), '+alice/phone fresh', 'and ringing calls are offered to it again')
  })

  test('a cursor of a deleted mailbox gets a reset in the new one, though the number exists', async (t, fixture, node) => {
    const before = await fixture.open(node)
    await before.next('hello')
    await fixture.appendNumbered(1, 2)
    await before.next('call.ringing')
    const { id: cursor } = await before.next('call.ringing')
    await before.close()
    await fixture.store.mailboxes.remove('alice', 'phone')
    await fixture.store.mailboxes.touch('alice', 'phone', { now: fixture.clock.now(), tag: 'fresh' })
    await fixture.appendNumbered(3, 6)
    const stream = await fixture.open(node, `?cursor=${cursor}`)
    t.match(await stream.next(), { type: 'reset', id: /^4\./, data: { reason: 'unknown' } })
  })
}
