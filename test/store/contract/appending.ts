// Appends to a mailbox: numbered without gaps (G1), to the devices they are for, once, and within the bounds of the mailbox.
import type { Test } from 'tap'
import { type Cursor, type DirectEvent, weightOf } from '../../../src/store/store.js'
import type { StoreFixture } from '../contract.js'
import {
  append,
  appendOf,
  call,
  commitOf,
  connect,
  decidedOn,
  directEvent,
  mail,
  mailTo,
  read,
  texts,
  touch
} from './fixtures.js'

export function appendContract(t: Test, fixture: StoreFixture): void {
  const { aggregates, mailboxes } = fixture.store

  t.test('a mailbox numbers its events without gaps and keeps their text unchanged', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    const envelope = JSON.stringify({ text: 'grüße | "quoted"\n\u2028 🎥', sdp: 'v=0\r\no=-' })
    await append(fixture, bob, appendOf(1, { entries: [{ type: 'signal.offer', envelope }], tag: 'aaaaa' }))
    await append(fixture, bob, appendOf(2, { entries: [mail('x'), mail('y')], tag: 'bbbbb' }))
    const result = await read(fixture, bob, 'phone', 'start')
    t.match(result, { status: 'ok', head: { seq: 3, tag: 'bbbbb' } })
    t.strictSame(result.status === 'ok' && result.events, [
      { seq: 1, tag: 'aaaaa', type: 'signal.offer', envelope },
      { seq: 2, tag: 'bbbbb', ...mail('x') },
      { seq: 3, tag: 'bbbbb', ...mail('y') }
    ])
  })

  t.test('an event goes to all devices, all but some, or one', async t => {
    const bob = fixture.id('bob')
    for (const device of ['phone', 'phone2', 'pho', 'laptop']) await touch(fixture, bob, device)
    const entries = [
      mail('all'),
      mail('not phone', { except: ['phone', 'fax'] }),
      mail('one', { device: 'laptop', except: ['laptop'] })
    ]
    await append(fixture, bob, appendOf(1, { entries }))
    t.strictSame(await texts(fixture, bob, 'phone'), ['all'])
    t.strictSame(await texts(fixture, bob, 'pho'), ['all', 'not phone'])
    t.strictSame(await texts(fixture, bob, 'phone2'), ['all', 'not phone'])
    t.strictSame(await texts(fixture, bob, 'laptop'), ['all', 'not phone', 'one'])
  })

  t.test('an event for a device that is not registered, or for a user without devices, is kept nowhere', async t => {
    const bob = fixture.id('bob')
    const entries = [mail('x', { device: 'phone' }), mail('y')]
    await append(fixture, bob, appendOf(1, { entries }))
    await touch(fixture, bob, 'phone')
    t.strictSame(await texts(fixture, bob, 'phone'), [])
  })

  t.test('a direct event is refused if the mailbox has another head than expected', async t => {
    const bob = fixture.id('bob')
    const { head } = await touch(fixture, bob, 'phone')
    const send = (version: number, expectedHead: Cursor) =>
      mailboxes.send(bob, directEvent(fixture, version, { ...mail(`after ${expectedHead.seq}`), expectedHead }))
    t.match(await send(1, { ...head, tag: 'other' }), { status: 'moved' }, 'another mailbox')
    t.match(await send(2, head), { status: 'queued' })
    t.match(await send(3, head), { status: 'moved' }, 'an event was appended since')
    t.match(await send(4, { seq: 1, tag: 't2' }), { status: 'queued' })
    t.strictSame(await texts(fixture, bob, 'phone'), ['after 0', 'after 1'])
  })

  t.test('devices with a stream count as online, those without as queued, each once', async t => {
    const bob = fixture.id('bob')
    await connect(fixture, bob, 'phone', 'c1')
    await connect(fixture, bob, 'laptop', 'c2')
    await touch(fixture, bob, 'tablet')
    const [ref, entries] = [call(fixture.id('c')), [mail('x'), mail('y', { device: 'phone' })]]
    const reached = async (expected: number) => {
      const result = await aggregates.commit(ref, commitOf(fixture, expected, { mail: [mailTo(bob, '', { entries })] }))
      return result.ok && result.deliveries.get(bob)
    }
    t.strictSame(await reached(0), { online: 2, queued: 1 })
    await mailboxes.closeConnection(bob, 'laptop', { connection: 'c2', now: fixture.clock.now() })
    t.strictSame(await reached(1), { online: 1, queued: 2 })
    fixture.clock.advance(45_000)
    t.strictSame(await reached(2), { online: 0, queued: 3 }, 'the connections were not renewed')
  })

  t.test('a commit that is published twice is taken once', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    t.equal(await append(fixture, bob, appendOf(2)), 'appended')
    t.equal(await append(fixture, bob, appendOf(2)), 'duplicate')
    t.equal(await append(fixture, bob, appendOf(10)), 'appended')
    t.equal(await append(fixture, bob, appendOf(2)), 'duplicate')
    t.strictSame(await texts(fixture, bob, 'phone'), ['v2', 'v10'])
  })

  t.test('a commit that is older than all remembered ones counts as taken', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    for (let version = 9; version < 20; version++) await append(fixture, bob, appendOf(version))
    t.equal(await append(fixture, bob, appendOf(9)), 'duplicate')
    t.equal(await append(fixture, bob, appendOf(8)), 'duplicate')
  })

  t.test('concurrent publishers of one commit deliver it once', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    await Promise.all(Array.from({ length: 10 }, () => append(fixture, bob, appendOf(1))))
    t.strictSame(await texts(fixture, bob, 'phone'), ['v1'])
  })

  t.test('commits are remembered for each source and each user separately', async t => {
    const [bob, carol] = [fixture.id('bob'), fixture.id('carol')]
    for (const user of [bob, carol]) await touch(fixture, user, 'phone')
    await append(fixture, bob, appendOf(5))
    t.equal(await append(fixture, bob, appendOf(1, { source: call('other') })), 'appended')
    t.equal(await append(fixture, carol, appendOf(1)), 'appended')
  })

  t.test('a direct event is appended only if the commit that it was decided on still stands', async t => {
    const [ref, bob] = [call(fixture.id('c')), fixture.id('bob')]
    await touch(fixture, bob, 'phone')
    for (const version of [1, 2])
      await aggregates.commit(ref, commitOf(fixture, version - 1, { mail: [mailTo(bob, `v${version}`)] }))
    const send = (basis: Pick<DirectEvent, 'basis'>) =>
      mailboxes.send(bob, directEvent(fixture, 1, { ...basis, ...mail('m') }))
    t.strictSame(await send(decidedOn(ref, 2)), { status: 'queued' })
    t.strictSame(await send(decidedOn(ref, 1)), { status: 'behind', newest: 2 })
    t.strictSame(
      await send(decidedOn(ref, 2, 'forgotten')),
      { status: 'behind', newest: 2 },
      'the tag must be the same, too'
    )
    t.strictSame(await send({ basis: null }), { status: 'queued' }, 'an event without a basis')
    t.strictSame(await texts(fixture, bob, 'phone'), ['v1', 'v2', 'm', 'm'])
  })

  t.test('a direct event goes to one device, and its result says whether the device is online', async t => {
    const bob = fixture.id('bob')
    await connect(fixture, bob, 'phone', 'c1')
    await touch(fixture, bob, 'tablet')
    t.match(await mailboxes.send(bob, directEvent(fixture, 1)), { status: 'online' })
    t.match(await mailboxes.send(bob, directEvent(fixture, 1, { device: 'tablet' })), { status: 'queued' })
    t.match(await mailboxes.send(bob, directEvent(fixture, 1, { device: 'stranger' })), { status: 'none' })
    t.strictSame(await texts(fixture, bob, 'phone'), ['v1'])
    t.strictSame(await texts(fixture, bob, 'tablet'), ['v1'])
    fixture.clock.advance(45_001)
    t.match(await mailboxes.send(bob, directEvent(fixture, 2)), { status: 'queued' }, 'the connection was not renewed')
    fixture.clock.advance(fixture.options.retentionMs + 1)
    t.match(await mailboxes.send(bob, directEvent(fixture, 3)), { status: 'none' }, 'the device has expired')
    t.equal((await read(fixture, bob, 'phone', 'start')).status, 'none')
  })

  t.test('concurrent appends get dense, distinct numbers', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    const versions = Array.from({ length: 100 }, (_, n) => n + 1)
    await Promise.all(versions.map(n => append(fixture, bob, appendOf(1, { source: call(`c${n}`), tag: `t${n}` }))))
    const result = await read(fixture, bob, 'phone', 'start')
    t.strictSame(result.status === 'ok' && result.events.map(({ seq }) => seq), versions)
  })

  t.test('the oldest events are evicted when there are too many', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    const most = fixture.options.mailboxMaxEvents
    const entries = Array.from({ length: 4 * most }, (_, n) => mail(`${n + 1}`))
    await append(fixture, bob, appendOf(1, { entries }))
    const kept = await texts(fixture, bob, 'phone')
    t.ok(kept.length >= most && kept.length <= 2 * most, `${kept.length} events`)
    t.equal(kept.at(-1), `${4 * most}`)
  })

  const heavy = (n: number, bytes: number) => ({
    type: 'signal.offer',
    envelope: JSON.stringify({ text: `${n}`, sdp: 'x'.repeat(bytes) })
  })

  t.test('the oldest events are evicted when they weigh too much; the newest always stays', async t => {
    const bob = fixture.id('bob')
    const { mailboxMaxBytes } = fixture.options
    await touch(fixture, bob, 'phone')
    for (const [n, bytes] of [9, 20_000, 1, 60_000, 60_000, 30_000, 500, 65_000, 65_000, 90_000, 7].entries()) {
      if (n % 2 === 0) await append(fixture, bob, appendOf(n + 1, { entries: [heavy(n, bytes)] }))
      else await mailboxes.send(bob, directEvent(fixture, n, { tag: `t${n}`, ...heavy(n, bytes) }))
      const kept = await read(fixture, bob, 'phone', 'start')
      const events = kept.status === 'ok' ? kept.events : []
      const weight = events.reduce((sum, event) => sum + weightOf(event), 0)
      t.ok(weight <= mailboxMaxBytes, `${weight} bytes after event ${n}`)
      t.equal(events.at(-1)?.seq, n + 1)
    }
    t.strictSame((await texts(fixture, bob, 'phone')).slice(-4), ['7', '8', '9', '10'])
    t.equal(await texts(fixture, bob, 'phone', { seq: 4, tag: 't3' }), 'evicted')
    await append(fixture, bob, appendOf(99, { entries: [heavy(99, 2 * mailboxMaxBytes)] }))
    t.strictSame(await texts(fixture, bob, 'phone'), ['99'], 'an event above the bound is kept')
    await append(fixture, bob, appendOf(100, { entries: [mail('after')] }))
    t.strictSame(await texts(fixture, bob, 'phone'), ['after'])
  })

  t.test('many small events are kept up to the same weight', async t => {
    const bob = fixture.id('bob')
    const { mailboxMaxBytes, mailboxMaxEvents } = fixture.options
    await touch(fixture, bob, 'phone')
    const bytes = Math.ceil((2 * mailboxMaxBytes) / mailboxMaxEvents)
    for (let n = 0; n < mailboxMaxEvents; n++) {
      await append(fixture, bob, appendOf(n + 1, { entries: [heavy(n, bytes)] }))
    }
    const kept = (await texts(fixture, bob, 'phone')).length * bytes
    t.ok(kept > 0.7 * mailboxMaxBytes && kept <= mailboxMaxBytes, `${kept} of ${mailboxMaxBytes} bytes`)
  })
}
