import type { Test } from 'tap'
import type { Stamp } from '../../../src/store/aggregate.js'
import { type CommitMail, type Cursor, ENTRY_WEIGHT } from '../../../src/store/store.js'
import type { Lab } from '../contract.js'
import { appendOf, call, connect, mail, messageOf, read, stamp, texts, touch } from './given.js'

export function appendContract(t: Test, lab: Lab): void {
  const { mailboxes } = lab.store

  t.test('a mailbox is dense and keeps every event as it was encoded', async t => {
    const bob = lab.id('bob')
    await touch(lab, bob, 'phone')
    const envelope = JSON.stringify({ text: 'grüße | "quoted"\n\u2028 🎥', sdp: 'v=0\r\no=-' })
    await mailboxes.append(bob, appendOf(lab, 1, { entries: [{ type: 'signal.offer', envelope }], tag: 'aaaaa' }))
    await mailboxes.append(bob, appendOf(lab, 2, { entries: [mail('x'), mail('y')], tag: 'bbbbb' }))
    const result = await read(lab, bob, 'phone', 'start')
    t.match(result, { status: 'ok', head: { seq: 3, tag: 'bbbbb' } })
    t.strictSame(result.status === 'ok' && result.events, [
      { seq: 1, tag: 'aaaaa', type: 'signal.offer', envelope },
      { seq: 2, tag: 'bbbbb', ...mail('x') },
      { seq: 3, tag: 'bbbbb', ...mail('y') }
    ])
  })

  t.test('an event goes to all devices, all but some, or one; each counts its own', async t => {
    const bob = lab.id('bob')
    for (const device of ['phone', 'phone2', 'pho', 'laptop']) await touch(lab, bob, device)
    const entries = [
      mail('all'),
      mail('not phone', { except: ['phone', 'fax'] }),
      mail('one', { device: 'laptop', except: ['laptop'] })
    ]
    t.strictSame(await mailboxes.append(bob, appendOf(lab, 1, { entries })), {
      status: 'appended',
      online: 0,
      queued: 4
    })
    t.strictSame(await texts(lab, bob, 'phone'), ['all'])
    t.strictSame(await texts(lab, bob, 'pho'), ['all', 'not phone'])
    t.strictSame(await texts(lab, bob, 'phone2'), ['all', 'not phone'])
    t.strictSame(await texts(lab, bob, 'laptop'), ['all', 'not phone', 'one'])
  })

  t.test('nobody takes what is for a device that is not registered, or for a user without devices', async t => {
    const bob = lab.id('bob')
    const entries = [mail('x', { device: 'phone' }), mail('y')]
    t.strictSame(await mailboxes.append(bob, appendOf(lab, 1, { entries })), {
      status: 'appended',
      online: 0,
      queued: 0
    })
    await touch(lab, bob, 'phone')
    t.strictSame(await texts(lab, bob, 'phone'), [])
  })

  t.test('a message for a mailbox that has moved on is not taken', async t => {
    const bob = lab.id('bob')
    const { head } = await touch(lab, bob, 'phone')
    const send = (version: number, at: Cursor) =>
      mailboxes.send(bob, messageOf(lab, version, { ...mail(`at ${at.seq}`), at }))
    t.match(await send(1, { ...head, tag: 'other' }), { status: 'moved' }, 'another birth')
    t.match(await send(2, head), { status: 'queued' })
    t.match(await send(3, head), { status: 'moved' }, 'there is one now')
    t.match(await send(4, { seq: 1, tag: 't2' }), { status: 'queued' })
    t.strictSame(await texts(lab, bob, 'phone'), ['at 0', 'at 1'])
  })

  t.test('devices with a stream count as online, those without as queued, each once', async t => {
    const bob = lab.id('bob')
    await connect(lab, bob, 'phone', 'c1')
    await connect(lab, bob, 'laptop', 'c2')
    await touch(lab, bob, 'tablet')
    const two = { entries: [mail('x'), mail('y', { device: 'phone' })] }
    t.strictSame(await mailboxes.append(bob, appendOf(lab, 1, two)), { status: 'appended', online: 2, queued: 1 })
    await mailboxes.release(bob, 'laptop', 'c2', lab.clock.now())
    t.strictSame(await mailboxes.append(bob, appendOf(lab, 2, two)), { status: 'appended', online: 1, queued: 2 })
    lab.clock.advance(45_000)
    t.match(await mailboxes.append(bob, appendOf(lab, 3, two)), { online: 0, queued: 3 }, 'not renewed')
  })

  t.test('a commit from an outbox is taken once', async t => {
    const bob = lab.id('bob')
    await touch(lab, bob, 'phone')
    const nothing = { online: 0, queued: 0 }
    t.equal((await mailboxes.append(bob, appendOf(lab, 2))).status, 'appended')
    t.strictSame(await mailboxes.append(bob, appendOf(lab, 2)), { status: 'duplicate', ...nothing })
    t.equal((await mailboxes.append(bob, appendOf(lab, 10))).status, 'appended')
    t.strictSame(await mailboxes.append(bob, appendOf(lab, 2)), { status: 'duplicate', ...nothing })
    t.strictSame(await texts(lab, bob, 'phone'), ['v2', 'v10'])
  })

  t.test('a commit older than all that is remembered counts as taken', async t => {
    const bob = lab.id('bob')
    await touch(lab, bob, 'phone')
    for (let version = 9; version < 20; version++) await mailboxes.append(bob, appendOf(lab, version))
    t.equal((await mailboxes.append(bob, appendOf(lab, 9))).status, 'duplicate')
    t.equal((await mailboxes.append(bob, appendOf(lab, 8))).status, 'duplicate')
  })

  t.test('a source that a failover set back is heard again, and its forgotten versions no longer count', async t => {
    const bob = lab.id('bob')
    await touch(lab, bob, 'phone')
    for (const version of [1, 2, 3]) await mailboxes.append(bob, appendOf(lab, version))
    t.equal(
      (await mailboxes.append(bob, appendOf(lab, 2, { tag: 'other' }))).status,
      'appended',
      'version 2 was made anew'
    )
    t.equal((await mailboxes.append(bob, appendOf(lab, 2, { tag: 'other' }))).status, 'duplicate')
    t.match(
      await mailboxes.send(bob, messageOf(lab, 2, { basis: stamp(2, 'other') })),
      { status: 'queued' },
      '3 was forgotten'
    )
    t.equal((await mailboxes.append(bob, appendOf(lab, 3, { tag: 'other' }))).status, 'appended', 'and is made anew')
    t.equal(
      (await mailboxes.append(bob, appendOf(lab, 1))).status,
      'duplicate',
      'version 1 is common to both histories'
    )
  })

  t.test('after the last commit of a life nothing is taken but the first of another', async t => {
    const bob = lab.id('bob')
    await touch(lab, bob, 'phone')
    const last = { release: 'some-call/alice' }
    await mailboxes.append(bob, appendOf(lab, 1, { begins: true }))
    await mailboxes.append(bob, appendOf(lab, 3, last))
    const status = async (version: number, parts: Partial<CommitMail> = {}) =>
      (await mailboxes.append(bob, appendOf(lab, version, parts))).status
    t.equal(await status(3, last), 'duplicate')
    t.equal(await status(1, { begins: true }), 'duplicate')
    t.equal(await status(3, { ...last, tag: 'anew' }), 'duplicate', 'an end that was forgotten and made anew')
    t.equal(await status(7, { ...last, tag: 'anew' }), 'duplicate')
    t.equal(await status(2, { tag: 'anew' }), 'over', 'the source has forgotten its end')
    t.equal(await status(4), 'over')
    t.match(await mailboxes.send(bob, messageOf(lab, 2)), { status: 'behind', newest: 3 })
    t.strictSame(await texts(lab, bob, 'phone'), ['v1', 'v3'])
    t.equal(await status(4, { begins: true }), 'appended')
    t.equal(await status(5), 'appended')
    t.strictSame(await texts(lab, bob, 'phone'), ['v1', 'v3', 'v4', 'v5'])
  })

  t.test('two dispatchers at once deliver once', async t => {
    const bob = lab.id('bob')
    await touch(lab, bob, 'phone')
    const all = await Promise.all(Array.from({ length: 10 }, () => mailboxes.append(bob, appendOf(lab, 1))))
    t.equal(all.filter(({ status }) => status === 'appended').length, 1)
    t.strictSame(await texts(lab, bob, 'phone'), ['v1'])
  })

  t.test('each source and each user has its own position', async t => {
    const [bob, carol] = [lab.id('bob'), lab.id('carol')]
    await touch(lab, bob, 'phone')
    await mailboxes.append(bob, appendOf(lab, 5))
    t.equal((await mailboxes.append(bob, appendOf(lab, 1, { source: call('other') }))).status, 'appended')
    t.equal((await mailboxes.append(carol, appendOf(lab, 1))).status, 'appended')
  })

  t.test('a message is taken only if it was decided on the newest commit that the mailboxes know', async t => {
    const bob = lab.id('bob')
    await touch(lab, bob, 'phone')
    for (const version of [1, 2]) await mailboxes.append(bob, appendOf(lab, version))
    const send = (basis: Stamp | null) => mailboxes.send(bob, messageOf(lab, 1, { basis, ...mail('m') }))
    t.strictSame(await send(stamp(2)), { status: 'queued' })
    t.strictSame(await send(stamp(1)), { status: 'behind', newest: 2 })
    t.strictSame(
      await send(stamp(2, 'forgotten')),
      { status: 'behind', newest: 2 },
      'the version alone names no commit'
    )
    t.strictSame(await send(null), { status: 'queued' }, 'no commit matters to it')
    t.strictSame(await texts(lab, bob, 'phone'), ['v1', 'v2', 'm', 'm'])
  })

  t.test(
    'a commit that the mailboxes have forgotten is remembered with the message that was decided on it',
    async t => {
      const bob = lab.id('bob')
      await touch(lab, bob, 'phone')
      await mailboxes.append(bob, appendOf(lab, 2))
      const refused = messageOf(lab, 9, { device: 'phone', at: { seq: 7, tag: 'other' } })
      t.match(await mailboxes.send(bob, refused), { status: 'moved' })
      t.match(await mailboxes.send(bob, messageOf(lab, 2)), { status: 'queued' }, 'what is refused is not remembered')
      t.match(await mailboxes.send(bob, messageOf(lab, 7)), { status: 'queued' })
      t.strictSame(await mailboxes.send(bob, messageOf(lab, 2)), { status: 'behind', newest: 7 })
      t.match(await mailboxes.append(bob, appendOf(lab, 2)), { status: 'duplicate' })
      t.match(await mailboxes.append(bob, appendOf(lab, 7)), { status: 'duplicate' })
      t.match(await mailboxes.append(bob, appendOf(lab, 8)), { status: 'appended' })
      t.strictSame(await texts(lab, bob, 'phone'), ['v2', 'v2', 'v7', 'v8'])
    }
  )

  t.test('a message is for one device, and says how it found it', async t => {
    const bob = lab.id('bob')
    await connect(lab, bob, 'phone', 'c1')
    await touch(lab, bob, 'tablet')
    t.match(await mailboxes.send(bob, messageOf(lab, 1)), { status: 'online' })
    t.match(await mailboxes.send(bob, messageOf(lab, 1, { device: 'tablet' })), { status: 'queued' })
    t.match(await mailboxes.send(bob, messageOf(lab, 1, { device: 'stranger' })), { status: 'none' })
    t.strictSame(await texts(lab, bob, 'phone'), ['v1'])
    t.strictSame(await texts(lab, bob, 'tablet'), ['v1'])
    lab.clock.advance(45_001)
    t.match(await mailboxes.send(bob, messageOf(lab, 2)), { status: 'queued' }, 'nobody renewed the connection')
    lab.clock.advance(lab.options.retentionMs + 1)
    t.match(await mailboxes.send(bob, messageOf(lab, 3)), { status: 'none' }, 'the device has been gone for too long')
    t.equal((await read(lab, bob, 'phone', 'start')).status, 'none')
  })

  t.test('a mark appends nothing and holds back messages of older versions', async t => {
    const bob = lab.id('bob')
    await touch(lab, bob, 'phone')
    const mark = await mailboxes.append(bob, appendOf(lab, 4, { entries: [] }))
    t.strictSame(mark, { status: 'appended', online: 0, queued: 0 })
    t.match(await mailboxes.send(bob, messageOf(lab, 3)), { status: 'behind' })
    t.equal((await mailboxes.append(bob, appendOf(lab, 4))).status, 'duplicate')
    t.strictSame(await texts(lab, bob, 'phone'), [])
  })

  t.test(
    'a lease is released with the append, also with one that comes a second time, and no other caller’s is',
    async t => {
      const bob = lab.id('bob')
      const { leases } = lab.store
      const hold = (holder: string, peer: string) =>
        leases.take(bob, { holder, peer, kind: 'ringing', role: 'callee', at: lab.clock.now() }, {})
      await hold('c1/alice', 'alice')
      await hold('c1/carol', 'carol')
      await mailboxes.append(bob, appendOf(lab, 4))
      t.equal((await leases.list(bob)).length, 2)
      for (const status of ['appended', 'duplicate']) {
        await hold('c1/alice', 'alice')
        t.equal((await mailboxes.append(bob, appendOf(lab, 5, { release: 'c1/alice' }))).status, status)
        t.strictSame(
          (await leases.list(bob)).map(({ holder }) => holder),
          ['c1/carol']
        )
      }
    }
  )

  t.test('concurrent appends leave no hole and no twin', async t => {
    const bob = lab.id('bob')
    await touch(lab, bob, 'phone')
    const versions = Array.from({ length: 100 }, (_, n) => n + 1)
    await Promise.all(
      versions.map(n => mailboxes.append(bob, appendOf(lab, 1, { source: call(`c${n}`), tag: `t${n}` })))
    )
    const result = await read(lab, bob, 'phone', 'start')
    t.strictSame(result.status === 'ok' && result.events.map(({ seq }) => seq), versions)
  })

  t.test('the oldest go when there are too many; the newest always stay', async t => {
    const bob = lab.id('bob')
    await touch(lab, bob, 'phone')
    const most = lab.options.mailboxMaxEvents
    const entries = Array.from({ length: 4 * most }, (_, n) => mail(`${n + 1}`))
    await mailboxes.append(bob, appendOf(lab, 1, { entries }))
    const kept = await texts(lab, bob, 'phone')
    t.ok(kept.length >= most && kept.length <= 2 * most, `${kept.length} are kept`)
    t.equal(kept.at(-1), `${4 * most}`)
  })

  const heavy = (n: number, bytes: number) => ({
    type: 'signal.offer',
    envelope: JSON.stringify({ text: `${n}`, sdp: 'x'.repeat(bytes) })
  })

  t.test('the oldest go when they weigh too much, whoever adds what; the newest always stays', async t => {
    const bob = lab.id('bob')
    const { mailboxMaxBytes } = lab.options
    await touch(lab, bob, 'phone')
    for (const [n, bytes] of [9, 20_000, 1, 60_000, 60_000, 30_000, 500, 65_000, 65_000, 90_000, 7].entries()) {
      if (n % 2 === 0) await mailboxes.append(bob, appendOf(lab, n + 1, { entries: [heavy(n, bytes)] }))
      else await mailboxes.send(bob, messageOf(lab, n, { tag: `t${n}`, ...heavy(n, bytes) }))
      const kept = await read(lab, bob, 'phone', 'start')
      const events = kept.status === 'ok' ? kept.events : []
      const weight = events.reduce((sum, { envelope }) => sum + Buffer.byteLength(envelope) + ENTRY_WEIGHT, 0)
      t.ok(weight <= mailboxMaxBytes, `${weight} bytes after event ${n}`)
      t.equal(events.at(-1)?.seq, n + 1)
    }
    t.strictSame((await texts(lab, bob, 'phone')).slice(-4), ['7', '8', '9', '10'])
    t.equal(await texts(lab, bob, 'phone', { seq: 4, tag: 't3' }), 'evicted')
    await mailboxes.append(bob, appendOf(lab, 99, { entries: [heavy(99, 2 * mailboxMaxBytes)] }))
    t.strictSame(await texts(lab, bob, 'phone'), ['99'], 'one that is larger than the bound arrives')
    await mailboxes.append(bob, appendOf(lab, 100, { entries: [mail('after')] }))
    t.strictSame(await texts(lab, bob, 'phone'), ['after'])
  })

  t.test('many small events are kept up to the same weight', async t => {
    const bob = lab.id('bob')
    const { mailboxMaxBytes, mailboxMaxEvents } = lab.options
    await touch(lab, bob, 'phone')
    const bytes = Math.ceil((2 * mailboxMaxBytes) / mailboxMaxEvents)
    for (let n = 0; n < mailboxMaxEvents; n++) {
      await mailboxes.append(bob, appendOf(lab, n + 1, { entries: [heavy(n, bytes)] }))
    }
    const kept = (await texts(lab, bob, 'phone')).length * bytes
    t.ok(kept > 0.7 * mailboxMaxBytes && kept <= mailboxMaxBytes, `${kept} of ${mailboxMaxBytes} bytes`)
  })
}
