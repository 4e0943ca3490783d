import type { Test } from 'tap'
import { type Cursor, weightOf } from '../../../src/store/store.js'
import type { StoreFixture } from '../contract.js'
import { append, appendOf, fill, mail, read, texts, touch } from './fixtures.js'

export function cursorContract(t: Test, fixture: StoreFixture): void {
  const { mailboxes } = fixture.store

  t.test(
    'a read returns the events after the cursor: from the middle, the head, an empty mailbox, the start',
    async t => {
      const bob = fixture.id('bob')
      t.match(await touch(fixture, bob, 'phone'), { created: true, head: { seq: 0, tag: 'birth' } })
      t.strictSame(await texts(fixture, bob, 'phone', { seq: 0, tag: 'birth' }), [], 'an empty mailbox')
      t.strictSame(await texts(fixture, bob, 'phone', 'start'), [])
      await fill(fixture, bob, 3)
      t.strictSame(await texts(fixture, bob, 'phone', { seq: 0, tag: 'birth' }), ['e1', 'e2', 'e3'])
      t.strictSame(await texts(fixture, bob, 'phone', { seq: 1, tag: 'e1' }), ['e2', 'e3'])
      t.strictSame(await texts(fixture, bob, 'phone', { seq: 3, tag: 'e3' }), [])
      t.strictSame(await texts(fixture, bob, 'phone', 'start'), ['e1', 'e2', 'e3'])
    }
  )

  t.test('a limit returns the oldest events, and the next read continues after them', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    await fill(fixture, bob, 5)
    const head = { seq: 5, tag: 'e5' }
    for (const cursor of ['start', { seq: 0, tag: 'birth' }] as const) {
      const first = await read(fixture, bob, 'phone', cursor, 2)
      t.strictSame(first.status === 'ok' && first.events.map(({ tag }) => tag), ['e1', 'e2'])
    }
    const next = await read(fixture, bob, 'phone', { seq: 2, tag: 'e2' }, 2)
    t.match(next, { status: 'ok', head, events: [{ tag: 'e3' }, { tag: 'e4' }] })
    t.match(await read(fixture, bob, 'phone', { seq: 4, tag: 'e4' }, 2), { events: [{ tag: 'e5' }] })
  })

  t.test('a bound in bytes returns the oldest events that fit, and at least one', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    await fill(fixture, bob, 40)
    const weight = weightOf({ tag: 'e1', ...mail('e1') })
    const tags = async (cursor: Cursor | 'start', limit: number, maxBytes: number) => {
      const found = await read(fixture, bob, 'phone', cursor, limit, maxBytes)
      return found.status === 'ok' ? found.events.map(({ tag }) => tag).join(' ') : found.status
    }
    for (const cursor of ['start', { seq: 0, tag: 'birth' }] as const) {
      t.equal(await tags(cursor, 9, 3 * weight), 'e1 e2 e3')
      t.equal(await tags(cursor, 2, 3 * weight), 'e1 e2')
      t.equal(await tags(cursor, 9, 1), 'e1')
      t.equal((await tags(cursor, 99, 1_000_000)).split(' ').length, 40)
      t.equal((await tags(cursor, 33, 1_000_000)).split(' ').at(-1), 'e33')
    }
    t.equal(await tags({ seq: 3, tag: 'e3' }, 9, 2 * weight), 'e4 e5')
    t.equal(await tags({ seq: 3, tag: 'e3' }, 9, weight - 1), 'e4')
  })

  t.test('a cursor of another history is unknown, whatever its number', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    t.equal(await texts(fixture, bob, 'phone', { seq: 0, tag: 'other' }), 'unknown', 'an empty mailbox')
    await fill(fixture, bob, 3)
    t.equal(await texts(fixture, bob, 'phone', { seq: 0, tag: 'other' }), 'unknown', 'before the first event')
    t.equal(await texts(fixture, bob, 'phone', { seq: 2, tag: 'e9' }), 'unknown', 'the middle')
    t.equal(await texts(fixture, bob, 'phone', { seq: 3, tag: 'e9' }), 'unknown', 'the head')
    t.equal(await texts(fixture, bob, 'phone', { seq: 4, tag: 'e4' }), 'future')
    t.strictSame(await read(fixture, bob, 'phone', { seq: 4, tag: 'e4' }), {
      status: 'reset',
      reason: 'future',
      head: { seq: 3, tag: 'e3' }
    })
  })

  t.test('a cursor is evicted once its event is, even if all events after it are kept', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    await fill(fixture, bob, 3 * fixture.options.mailboxMaxEvents)
    const all = await read(fixture, bob, 'phone', 'start')
    const first = all.status === 'ok' ? all.events[0] : undefined
    const seq = first?.seq ?? 0
    t.ok(seq > 2)
    t.equal(await texts(fixture, bob, 'phone', { seq: 0, tag: 'birth' }), 'evicted')
    t.equal(await texts(fixture, bob, 'phone', { seq: 1, tag: 'e1' }), 'evicted')
    t.equal(await texts(fixture, bob, 'phone', { seq: seq - 1, tag: `e${seq - 1}` }), 'evicted')
    t.equal((await texts(fixture, bob, 'phone', { seq, tag: `e${seq}` }))[0], `e${seq + 1}`)
  })

  t.test('a mailbox that was removed and has grown again knows no cursor of the old one', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone', { tag: 'born1' })
    await fill(fixture, bob, 3, { stem: 'old' })
    await mailboxes.remove(bob, 'phone')
    await touch(fixture, bob, 'phone', { tag: 'born2' })
    const old = [
      { seq: 0, tag: 'born1' },
      { seq: 2, tag: 'old2' },
      { seq: 3, tag: 'old3' }
    ]
    t.equal(await texts(fixture, bob, 'phone', { seq: 3, tag: 'old3' }), 'future')
    for (const grown of [3, 5]) {
      await fill(fixture, bob, grown === 3 ? 3 : 2, { stem: `new${grown}-` })
      for (const cursor of old)
        t.equal(await texts(fixture, bob, 'phone', cursor), 'unknown', `${cursor.seq} of ${grown}`)
    }
  })

  t.test('a read resolves to none for a device that is not registered', async t => {
    const bob = fixture.id('bob')
    t.equal(await texts(fixture, bob, 'phone', 'start'), 'none')
    await touch(fixture, bob, 'laptop')
    t.equal(await texts(fixture, bob, 'phone', { seq: 0, tag: 'birth' }), 'none')
  })

  t.test('a mailbox is kept for the retention after the last keepalive, and not longer', async t => {
    const bob = fixture.id('bob')
    const { retentionMs } = fixture.options
    await touch(fixture, bob, 'phone')
    await fill(fixture, bob, 2)
    fixture.clock.advance(retentionMs)
    t.strictSame(await texts(fixture, bob, 'phone'), ['e1', 'e2'])
    await touch(fixture, bob, 'phone')
    fixture.clock.advance(retentionMs)
    t.strictSame(await texts(fixture, bob, 'phone'), ['e1', 'e2'])
    fixture.clock.advance(1)
    t.equal(await texts(fixture, bob, 'phone'), 'none')
    t.match(await touch(fixture, bob, 'phone', { tag: 'again' }), { created: true, head: { seq: 0, tag: 'again' } })
    t.equal(await texts(fixture, bob, 'phone', { seq: 2, tag: 'e2' }), 'future')
    await fill(fixture, bob, 2, { stem: 'new' })
    t.strictSame(await texts(fixture, bob, 'phone'), ['new1', 'new2'])
  })

  t.test('an expired device gets no event', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    fixture.clock.advance(fixture.options.retentionMs / 2)
    await touch(fixture, bob, 'laptop')
    fixture.clock.advance(fixture.options.retentionMs / 2 + 1)
    await append(fixture, bob, appendOf(1, { entries: [mail('x'), mail('y', { device: 'phone' })] }))
    t.equal(await texts(fixture, bob, 'phone'), 'none')
    t.strictSame(await texts(fixture, bob, 'laptop'), ['x'])
    t.strictSame(
      (await mailboxes.devices(bob, fixture.clock.now())).map(({ device }) => device),
      ['laptop']
    )
  })
}
