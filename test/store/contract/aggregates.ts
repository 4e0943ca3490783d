import type { Test } from 'tap'
import { until } from '../../helpers/until.js'
import type { StoreFixture } from '../contract.js'
import { call, commitOf, connect, decidedOn, directEvent, mail, mailTo, stamp, texts, touch } from './fixtures.js'

export function aggregateContract(t: Test, fixture: StoreFixture): void {
  const { aggregates, leases, mailboxes } = fixture.store
  const written = {
    ok: true,
    isDelivered: true,
    deliveries: new Map(),
    watched: [],
    isOver: false,
    held: new Map(),
    head: null
  }
  const named = (version: number) => ({ version, tag: `t${version}` })

  t.test('load resolves to null for an aggregate that was never committed', async t => {
    t.equal(await aggregates.load(call(fixture.id('c'))), null)
  })

  t.test('a commit makes the next version, and load returns its state unchanged', async t => {
    const ref = call(fixture.id('c'))
    const state = JSON.stringify({ text: 'grüße | "quoted" \u2028 🎥', nested: [1, null] })
    t.strictSame(await aggregates.commit(ref, commitOf(fixture, 0, { state })), written)
    t.strictSame(await aggregates.load(ref), { version: 1, tag: 't1', state, holdsMail: false })
    t.strictSame(await aggregates.commit(ref, commitOf(fixture, 1)), written)
    t.equal((await aggregates.load(ref))?.version, 2)
  })

  t.test(
    'a commit on another version than the stored one writes nothing and resolves to the stored aggregate',
    async t => {
      const ref = call(fixture.id('c'))
      const [bob, eve] = [fixture.id('bob'), fixture.id('eve')]
      for (const user of [bob, eve]) await touch(fixture, user, 'phone')
      const first = commitOf(fixture, 0, { mail: [mailTo(bob)] })
      await aggregates.commit(ref, first)
      const current = { version: 1, tag: 't1', state: first.state, holdsMail: false }
      for (const expected of [0, 2, 7]) {
        const late = commitOf(fixture, expected, { state: '"late"', mail: [mailTo(eve)], deadlineAt: 1, expireInMs: 1 })
        t.strictSame(await aggregates.commit(ref, late), { ok: false, current })
      }
      t.strictSame(await aggregates.load(ref), current)
      t.strictSame([await texts(fixture, bob, 'phone'), await texts(fixture, eve, 'phone')], [['x'], []])
    }
  )

  t.test(
    'a commit on a version that a failover lost is refused, although another commit has the same version',
    async t => {
      const ref = call(fixture.id('c'))
      await aggregates.commit(ref, commitOf(fixture, 0))
      await aggregates.commit(ref, commitOf(fixture, 1, { tag: 'anew', state: '"anew"' }))
      const late = commitOf(fixture, 2, { expected: stamp(2, 'forgotten') })
      const current = { version: 2, tag: 'anew', state: '"anew"', holdsMail: false }
      t.strictSame(await aggregates.commit(ref, late), { ok: false, current })
      t.match(await aggregates.commit(ref, commitOf(fixture, 2, { expected: stamp(2, 'anew') })), { ok: true })
    }
  )

  t.test('a commit may skip versions, or keep version and tag', async t => {
    const ref = call(fixture.id('c'))
    await aggregates.commit(ref, commitOf(fixture, 0))
    t.match(await aggregates.commit(ref, commitOf(fixture, 1, { version: 7, tag: 't7' })), { ok: true })
    t.match(await aggregates.commit(ref, commitOf(fixture, 7, { ...named(7), state: '"checked"' })), { ok: true })
    t.strictSame(await aggregates.load(ref), { ...named(7), state: '"checked"', holdsMail: false })
    t.match(await aggregates.commit(ref, commitOf(fixture, 7)), { ok: true })
    t.match(await aggregates.load(ref), { version: 8 })
  })

  t.test('a commit on a version of an aggregate that does not exist conflicts, and current is null', async t => {
    const ref = call(fixture.id('c'))
    t.strictSame(await aggregates.commit(ref, commitOf(fixture, 3)), { ok: false, current: null })
    t.equal(await aggregates.load(ref), null)
  })

  t.test('of many commits on the same version exactly one is written', async t => {
    const ref = call(fixture.id('c'))
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, n) => aggregates.commit(ref, commitOf(fixture, 0, { state: `${n}` })))
    )
    const winners = all.flatMap(({ ok }, n) => (ok ? [n] : []))
    t.equal(winners.length, 1)
    t.equal((await aggregates.load(ref))?.state, `${winners[0]}`)
  })

  t.test('a commit delivers to each user their events, and counts the devices that got one', async t => {
    const [ref, alice, bob, carol] = [
      call(fixture.id('c')),
      fixture.id('alice'),
      fixture.id('bob'),
      fixture.id('carol')
    ]
    await touch(fixture, alice, 'phone')
    await connect(fixture, bob, 'phone', 'c1')
    await touch(fixture, bob, 'laptop')
    const to = [mailTo(bob, 'a', { entries: [mail('a'), mail('b', { device: 'phone' })] }), mailTo(carol)]
    const result = await aggregates.commit(ref, commitOf(fixture, 0, { mail: [{ user: alice, entries: [] }, ...to] }))
    const deliveries = new Map([
      [bob, { online: 1, queued: 1 }],
      [carol, { online: 0, queued: 0 }]
    ])
    t.strictSame(result, { ...written, deliveries })
    t.strictSame(await texts(fixture, bob, 'phone'), ['a', 'b'])
    t.strictSame(await texts(fixture, bob, 'laptop'), ['a'])
    t.strictSame(await texts(fixture, alice, 'phone'), [])
    const late = await mailboxes.send(alice, directEvent(fixture, 0, decidedOn(ref, 1, 'other')))
    t.match(late, { status: 'behind', newest: 1 }, 'the commit is also compared for a user without an event')
  })

  t.test('the last commit releases leases, and another life of the aggregate may follow', async t => {
    const [ref, bob] = [call(fixture.id('c')), fixture.id('bob')]
    await touch(fixture, bob, 'phone')
    await leases.take(bob, { holder: 'c/x', peer: 'x', kind: 'ringing', role: 'callee', at: fixture.clock.now() }, {})
    await aggregates.commit(ref, commitOf(fixture, 0, { mail: [mailTo(bob, 'first', { begins: true })] }))
    const last = { mail: [mailTo(bob, 'last', { release: 'c/x', ends: true })], expireInMs: 60_000 }
    t.match(await aggregates.commit(ref, commitOf(fixture, 1, last)), { isOver: false })
    t.strictSame(await leases.list(bob), [])
    t.match(await aggregates.commit(ref, commitOf(fixture, 2, { mail: [mailTo(bob, 'anew', { begins: true })] })), {
      isOver: false
    })
    t.strictSame(await texts(fixture, bob, 'phone'), ['first', 'last', 'anew'])
  })

  t.test('a commit lists the users whose leases it changed and whose presence is watched', async t => {
    const [alice, bob] = [fixture.id('alice'), fixture.id('bob')]
    await aggregates.commit({ kind: 'presence', id: bob }, commitOf(fixture, 0))
    const to = [alice, bob].map(user => ({ user, entries: [], release: 'c/x', ends: true }))
    t.match(await aggregates.commit(call(fixture.id('c')), commitOf(fixture, 0, { mail: to })), { watched: [bob] })
  })

  t.test('a commit with a keepalive renews the device and returns the head of its mailbox', async t => {
    const [ref, bob] = [call(fixture.id('c')), fixture.id('bob')]
    // The acting user gets no event.
    const keepaliveOf = (authExpiresAt: number | null) => ({
      mail: [{ user: bob, entries: [], keepalive: { device: 'phone', authExpiresAt } }]
    })
    const acting = keepaliveOf(9)
    t.strictSame(await aggregates.commit(ref, commitOf(fixture, 0, acting)), { ok: false, unregistered: true })
    t.equal(await aggregates.load(ref), null, 'nothing is written for a device that is not registered')
    const expiry = fixture.clock.now() + 60_000
    await touch(fixture, bob, 'phone', { connection: 'c1', claim: true, authExpiresAt: expiry, onlineUntil: expiry })
    fixture.clock.advance(5_000)
    t.match(await aggregates.commit(ref, commitOf(fixture, 0, acting)), { ok: true, head: { seq: 0, tag: 'birth' } })
    t.match(await mailboxes.devices(bob, fixture.clock.now()), [{ seenAt: fixture.clock.now(), online: true }])
    const authExpiresAt = async () => (await touch(fixture, bob, 'phone')).authExpiresAt
    t.equal(await authExpiresAt(), expiry, 'an older token shortens nothing')
    await aggregates.commit(ref, commitOf(fixture, 1, keepaliveOf(expiry + 1)))
    t.equal(await authExpiresAt(), expiry + 1)
    await aggregates.commit(ref, commitOf(fixture, 2, keepaliveOf(null)))
    t.equal(await authExpiresAt(), null)
  })

  t.test('a commit takes its charges in order; a spent budget refuses it, and a conflict charges nothing', async t => {
    const [ref, bob] = [call(fixture.id('c')), fixture.id('bob')]
    const charge = (name: string, { max = 1, isTaken = true } = {}) => ({
      ...{ user: bob, name, windowMs: 60_000, max, now: fixture.clock.now(), isTaken }
    })
    const left = (name: string, max: number) => fixture.store.counters.left(bob, charge(name, { max }))
    const charges = [charge('attempts', { max: 3 }), charge('incoming')]
    t.match(await aggregates.commit(ref, commitOf(fixture, 3, { charges })), { ok: false, current: null })
    t.equal(await left('attempts', 3), 3)
    t.match(await aggregates.commit(ref, commitOf(fixture, 0, { charges })), { ok: true })
    t.strictSame([await left('attempts', 3), await left('incoming', 1)], [2, 0])
    const [, spent] = charges
    t.strictSame(await aggregates.commit(ref, commitOf(fixture, 1, { charges })), { ok: false, spent })
    t.match(await aggregates.load(ref), { version: 1 })
    t.equal(await left('attempts', 3), 1, 'the charge before the refused one is taken')
    const untaken = [charge('attempts', { max: 3, isTaken: false })]
    t.match(await aggregates.commit(ref, commitOf(fixture, 1, { charges: untaken })), { ok: true })
    t.equal(await left('attempts', 3), 1, 'a charge with isTaken false takes nothing')
    const refused = [charge('incoming', { isTaken: false })]
    t.match(await aggregates.commit(ref, commitOf(fixture, 2, { charges: refused })), { ok: false, spent: refused[0] })
  })

  t.test('mail that is held back waits for its release, or for a commit whose mail is not held back', async t => {
    const [ref, bob] = [call(fixture.id('c')), fixture.id('bob')]
    await touch(fixture, bob, 'phone')
    const saying = (text: string, isHeld: boolean) => ({ mail: [mailTo(bob, text)], isHeld })
    for (const version of [1, 2]) {
      const result = await aggregates.commit(ref, commitOf(fixture, version - 1, saying(`v${version}`, true)))
      t.strictSame(result, { ...written, isDelivered: false })
    }
    t.match(await aggregates.load(ref), { version: 2, holdsMail: true })
    t.strictSame(await texts(fixture, bob, 'phone'), [])
    await aggregates.releaseMail(ref)
    await aggregates.releaseMail(ref)
    t.match(await aggregates.load(ref), { holdsMail: false })
    t.strictSame(await texts(fixture, bob, 'phone'), ['v1', 'v2'])
    await aggregates.commit(ref, commitOf(fixture, 2, saying('v3', true)))
    t.match(await aggregates.commit(ref, commitOf(fixture, 3, saying('v4', false))), {
      isDelivered: true,
      deliveries: new Map([[bob, { online: 0, queued: 1 }]])
    })
    t.strictSame(await texts(fixture, bob, 'phone'), ['v1', 'v2', 'v3', 'v4'])
    await until('no mail is held back', async () => !(await aggregates.load(ref))?.holdsMail)
  })

  t.test('releaseMail does nothing for an aggregate without held mail, or one that does not exist', async t => {
    const ref = call(fixture.id('c'))
    await aggregates.releaseMail(ref)
    t.equal(await aggregates.load(ref), null)
    await aggregates.commit(ref, commitOf(fixture, 0))
    await aggregates.releaseMail(ref)
    t.match(await aggregates.load(ref), { version: 1, holdsMail: false })
  })

  // Expiry runs on the clock of the engine, which is real time on Redis: the manual clock advances until the aggregate has expired.
  const isGone = (id: string) => async () => {
    fixture.clock.advance(5)
    return (await aggregates.load(call(id))) === null
  }

  t.test('an ended aggregate expires after its time, and may begin again at version 1', async t => {
    const id = fixture.id('c')
    await aggregates.commit(call(id), commitOf(fixture, 0, { expireInMs: 20 }))
    await until('it has expired', isGone(id))
    t.strictSame(await aggregates.commit(call(id), commitOf(fixture, 0)), written)
  })

  t.test('an ended aggregate that holds mail back does not expire; its time begins with the release', async t => {
    const [id, other] = [fixture.id('c'), fixture.id('c')]
    const over = { expireInMs: 10, mail: [mailTo(fixture.id('bob'))], isHeld: true }
    await aggregates.commit(call(id), commitOf(fixture, 0, over))
    await aggregates.commit(call(other), commitOf(fixture, 0, { expireInMs: 30 }))
    await until('another aggregate with more time has expired', isGone(other))
    t.match(await aggregates.load(call(id)), { holdsMail: true })
    await aggregates.releaseMail(call(id))
    await until('it has expired', isGone(id))
  })

  t.test('an ended aggregate does not expire after a later commit without an expiry', async t => {
    const [id, other] = [fixture.id('c'), fixture.id('c')]
    await aggregates.commit(call(id), commitOf(fixture, 0, { expireInMs: 200 }))
    await aggregates.commit(call(id), commitOf(fixture, 1))
    await aggregates.commit(call(other), commitOf(fixture, 0, { expireInMs: 250 }))
    await until('another aggregate has expired', isGone(other))
    t.equal((await aggregates.load(call(id)))?.version, 2)
  })
}
