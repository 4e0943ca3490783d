// The long-poll: the same mailbox and the same cursor as the stream (G4).
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Test } from 'tap'
import { until } from '../../helpers/until.js'
import type { Engine } from '../engines.js'
import { deliveryTest } from '../fixture.js'

const ns = (events: readonly { readonly data: Readonly<Record<string, unknown>> }[]) => events.map(({ data }) => data.n)

export function pollingTests(t: Test, engine: Engine): void {
  const test = deliveryTest(t, engine)

  test('a poll without a cursor returns at once with a cursor', async (t, fixture, node) => {
    t.match(await fixture.poll(node), { status: 200, events: [], cursor: /^0\.\w{5}$/ })
    await fixture.appendNumbered(1)
    t.match(await fixture.poll(node), { status: 200, events: [], cursor: /^1\.\w{5}$/ })
  })

  test('the same cursor gets the same reply, and the returned cursor the next events', async (t, fixture, node) => {
    const { cursor } = await fixture.poll(node)
    await fixture.appendNumbered(1, 5)
    const first = await fixture.poll(node, `?cursor=${cursor}&limit=3`)
    t.same(ns(first.events), [1, 2, 3])
    t.match(first.events[2], { id: first.cursor, type: 'call.ringing', timestamp: /Z$/ })
    t.same(await fixture.poll(node, `?cursor=${cursor}&limit=3`), first)
    t.same(ns((await fixture.poll(node, `?cursor=${first.cursor}&limit=3`)).events), [4, 5])
    t.same(ns((await fixture.poll(node, '?cursor=start')).events), [1, 2, 3, 4, 5])
  })

  test('a poll waits for the first event', async (t, fixture, node) => {
    const { cursor } = await fixture.poll(node)
    const waiting = fixture.poll(node, `?cursor=${cursor}`)
    await until('it waits', () => node.streams.count().poll === 1)
    await fixture.appendNumbered(1)
    t.match(await waiting, { status: 200, events: [{ type: 'call.ringing', data: { n: 1 } }] })
  })

  test('a poll without events returns its cursor when the wait ends', async (t, fixture, node) => {
    const { cursor } = await fixture.poll(node)
    const waiting = fixture.poll(node, `?cursor=${cursor}&wait=10`)
    await until('it is over', () => {
      fixture.clock.advance(1000)
      return node.connectionLog.filter(entry => entry.startsWith('-')).length === 2
    })
    t.same(await waiting, { status: 200, events: [], cursor })
  })

  test('a poll gets a reset as an event', async (t, fixture, node) => {
    await fixture.poll(node)
    await fixture.appendNumbered(1)
    const answer = await fixture.poll(node, '?cursor=9.abcde')
    t.match(answer, {
      events: [{ id: answer.cursor, type: 'reset', data: { reason: 'future', cursor: answer.cursor } }],
      cursor: /^1\./
    })
    await until('both polls are over', () => node.connectionLog.filter(entry => entry.startsWith('-')).length === 2)
    fixture.clock.advance(700_000)
    t.match(await fixture.poll(node, `?cursor=${answer.cursor}`), {
      events: [{ type: 'reset', data: { reason: 'expired' } }]
    })
  })

  test('a newer poll supersedes a waiting poll and a stream', async (t, fixture, node) => {
    const other = await fixture.node()
    const { cursor } = await fixture.poll(node)
    const older = fixture.poll(node, `?cursor=${cursor}`)
    await until('the older one waits', () => node.streams.count().poll === 1)
    const newer = fixture.poll(other, `?cursor=${cursor}`)
    t.match(await older, { status: 409, code: 'superseded' })
    await fixture.appendNumbered(1)
    t.match(await newer, { events: [{ data: { n: 1 } }] })
    const stream = await fixture.open(node)
    await stream.next('hello')
    await fixture.poll(other)
    t.match(await stream.next('end'), { data: { reason: 'superseded' } })
  })

  test('a body has at most maxBytes, and a larger event comes alone and whole', async (t, fixture, node) => {
    const { cursor } = await fixture.poll(node)
    await fixture.appendNumbered(1, 6, { text: 'ü'.repeat(400) })
    await fixture.appendNumbered(7, 7, { text: 'ü'.repeat(4000) })
    await fixture.appendNumbered(8, 9)
    let at = cursor
    const pages: unknown[][] = []
    for (let page = 0; page < 6 && pages.flat().length < 9; page++) {
      const reply = await fetch(`${node.url}/poll?cursor=${at}&maxBytes=3000`, { headers: { authorization: 'alice' } })
      const body = await reply.text()
      const { events, cursor: next } = JSON.parse(body)
      t.ok(Buffer.byteLength(body) <= 3000 || events.length === 1, `${Buffer.byteLength(body)} bytes`)
      pages.push(ns(events))
      at = next
    }
    t.same(pages, [[1, 2, 3], [4, 5, 6], [7], [8, 9]])
    t.match(await fixture.poll(node, '?cursor=start&maxBytes=1023'), { status: 400 })
    t.match(await fixture.poll(node, '?cursor=start&maxBytes=1048577'), { status: 400 })
  })

  test('without maxBytes a body has at most 1 MiB', async (t, fixture, node) => {
    await fixture.poll(node)
    await fixture.appendNumbered(1, 40, { text: 'x'.repeat(50_000) })
    const reply = await fetch(`${node.url}/poll?cursor=start&limit=500`, { headers: { authorization: 'alice' } })
    const body = await reply.text()
    t.ok(body.length <= 1_048_576 && body.length > 900_000, `${body.length} bytes`)
  })

  test('a newer poll closes the unread reply of the poll before it', async (t, fixture, node) => {
    await fixture.poll(node)
    await fixture.appendNumbered(1)
    const actor = { user: 'alice', device: 'phone', expiresAt: 0 }
    const options = { actor, cursor: 'start', waitMs: 0, limit: 9, maxBytes: 9999 }
    // Without a socket the reply stays in this process, as when the client does not read.
    const unread = () => new ServerResponse(new IncomingMessage(new Socket()))
    const [first, second] = [unread(), unread()]
    for (const res of [first, second]) res.end(await node.streams.poll({ ...options, res }))
    t.same([first.destroyed, second.destroyed], [true, false])
    const both = [0, 1].map(() => node.streams.poll({ ...options, res: unread() }))
    const [older, newer] = await Promise.allSettled(both)
    t.match(older, { reason: { code: 'superseded' } }, 'of two concurrent polls only the newer one is answered')
    t.equal(newer?.status, 'fulfilled')
  })

  test('a client that disconnects while its poll waits leaves nothing behind', async (t, fixture, node) => {
    const { cursor } = await fixture.poll(node)
    const leaving = new AbortController()
    const waiting = fixture.poll(node, `?cursor=${cursor}`, { signal: leaving.signal })
    await until('it waits', () => node.streams.count().poll === 1)
    leaving.abort()
    await t.rejects(waiting)
    await until('the node has released it', () => node.streams.count().poll === 0 && node.users() === 0)
  })

  test('a device stays online for AWAY_AFTER_MS after its last poll', async (t, fixture, node) => {
    const isOnline = async () => (await fixture.store.mailboxes.devices('alice', fixture.clock.now()))[0]?.online
    await fixture.poll(node)
    await until('the poll is over', () => node.connectionLog.includes('-alice/phone'))
    fixture.clock.advance(4000)
    t.equal(await isOnline(), true)
    fixture.clock.advance(2000)
    t.equal(await isOnline(), false)
  })

  test('changing between stream and poll with one cursor while events arrive: none is lost, none comes twice', async (t, fixture, node) => {
    const other = await fixture.node()
    const total = 300
    let cursor = (await fixture.poll(node)).cursor
    const received: unknown[] = []
    const appending = fixture.appendNumbered(1, total)
    for (let round = 0; received.length < total; round++) {
      const at = round % 2 ? node : other
      if (round % 3 === 2) {
        const answer = await fixture.poll(at, `?cursor=${cursor}&limit=7&wait=0`)
        received.push(...ns(answer.events))
        cursor = answer.cursor
      } else {
        const stream = await fixture.open(at, `?cursor=${cursor}`)
        for (let i = 0; i < 11 && received.length < total; i++) {
          const frame = await stream.next()
          if (frame.type === 'call.ringing') received.push(frame.data.n)
          t.not(frame.type, 'reset')
        }
        cursor = stream.lastEventId || cursor
        // Frames that were not read yet count as received, as for an EventSource.
        for (const frame of stream.waiting()) if (frame.type === 'call.ringing') received.push(frame.data.n)
        await stream.close()
      }
    }
    await appending
    t.same(
      received,
      Array.from({ length: total }, (_, i) => i + 1)
    )
  })
}
