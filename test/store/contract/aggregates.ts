import type { Test } from 'tap'
import { until } from '../../helpers/until.js'
import type { Lab } from '../contract.js'
import { call, commitOf, connect, decidedOn, mail, mailTo, messageOf, stamp, texts, touch } from './fixtures.js'

export function aggregateContract(t: Test, lab: Lab): void {
  const { aggregates, leases, mailboxes } = lab.store
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

  t.test('what was never committed does not exist', async t => {
    t.equal(await aggregates.load(call(lab.id('c'))), null)
  })

  t.test('a commit makes the next version, and load gives it back letter by letter', async t => {
    const ref = call(lab.id('c'))
    const state = JSON.stringify({ text: 'grüße | "quoted" \u2028 🎥', nested: [1, null] })
    t.strictSame(await aggregates.commit(ref, commitOf(lab, 0, { state })), written)
    t.strictSame(await aggregates.load(ref), { version: 1, tag: 't1', state, holdsMail: false })
    t.strictSame(await aggregates.commit(ref, commitOf(lab, 1)), written)
    t.equal((await aggregates.load(ref))?.version, 2)
  })

  t.test('whoever decided on another version changes nothing and learns what stands', async t => {
    const ref = call(lab.id('c'))
    const [bob, eve] = [lab.id('bob'), lab.id('eve')]
    for (const user of [bob, eve]) await touch(lab, user, 'phone')
    const first = commitOf(lab, 0, { mail: [mailTo(bob)] })
    await aggregates.commit(ref, first)
    const current = { version: 1, tag: 't1', state: first.state, holdsMail: false }
    for (const expected of [0, 2, 7]) {
      const late = commitOf(lab, expected, { state: '"late"', mail: [mailTo(eve)], deadlineAt: 1, expireInMs: 1 })
      t.strictSame(await aggregates.commit(ref, late), { ok: false, current })
    }
    t.strictSame(await aggregates.load(ref), current)
    t.strictSame([await texts(lab, bob, 'phone'), await texts(lab, eve, 'phone')], [['x'], []])
  })

  t.test('a commit that a failover forgot is not committed upon, though its version was made anew', async t => {
    const ref = call(lab.id('c'))
    await aggregates.commit(ref, commitOf(lab, 0))
    await aggregates.commit(ref, commitOf(lab, 1, { tag: 'anew', state: '"anew"' }))
    const late = commitOf(lab, 2, { expected: stamp(2, 'forgotten') })
    const current = { version: 2, tag: 'anew', state: '"anew"', holdsMail: false }
    t.strictSame(await aggregates.commit(ref, late), { ok: false, current })
    t.match(await aggregates.commit(ref, commitOf(lab, 2, { expected: stamp(2, 'anew') })), { ok: true })
  })

  t.test('a commit may leave versions out, or keep its name and move nothing but the deadline', async t => {
    const ref = call(lab.id('c'))
    await aggregates.commit(ref, commitOf(lab, 0))
    t.match(await aggregates.commit(ref, commitOf(lab, 1, { version: 7, tag: 't7' })), { ok: true })
    t.match(await aggregates.commit(ref, commitOf(lab, 7, { ...named(7), state: '"looked at"' })), { ok: true })
    t.strictSame(await aggregates.load(ref), { ...named(7), state: '"looked at"', holdsMail: false })
    t.match(await aggregates.commit(ref, commitOf(lab, 7)), { ok: true })
    t.match(await aggregates.load(ref), { version: 8 })
  })

  t.test('a version expected of what does not exist is a conflict with nothing', async t => {
    const ref = call(lab.id('c'))
    t.strictSame(await aggregates.commit(ref, commitOf(lab, 3)), { ok: false, current: null })
    t.equal(await aggregates.load(ref), null)
  })

  t.test('of many who decide on the same version exactly one wins', async t => {
    const ref = call(lab.id('c'))
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, n) => aggregates.commit(ref, commitOf(lab, 0, { state: `${n}` })))
    )
    const winners = all.flatMap(({ ok }, n) => (ok ? [n] : []))
    t.equal(winners.length, 1)
    t.equal((await aggregates.load(ref))?.state, `${winners[0]}`)
  })

  t.test('a commit delivers to each user what is for them, and says whom it reached', async t => {
    const [ref, alice, bob, carol] = [call(lab.id('c')), lab.id('alice'), lab.id('bob'), lab.id('carol')]
    await touch(lab, alice, 'phone')
    await connect(lab, bob, 'phone', 'c1')
    await touch(lab, bob, 'laptop')
    const to = [mailTo(bob, 'a', { entries: [mail('a'), mail('b', { device: 'phone' })] }), mailTo(carol)]
    const result = await aggregates.commit(ref, commitOf(lab, 0, { mail: [{ user: alice, entries: [] }, ...to] }))
    const deliveries = new Map([
      [bob, { online: 1, queued: 1 }],
      [carol, { online: 0, queued: 0 }]
    ])
    t.strictSame(result, { ...written, deliveries })
    t.strictSame(await texts(lab, bob, 'phone'), ['a', 'b'])
    t.strictSame(await texts(lab, bob, 'laptop'), ['a'])
    t.strictSame(await texts(lab, alice, 'phone'), [])
    const late = await mailboxes.send(alice, messageOf(lab, 0, decidedOn(ref, 1, 'other')))
    t.match(late, { status: 'behind', newest: 1 }, 'nor is a message taken for who got no event')
  })

  t.test('the last commit gives leases back, and another life of the aggregate may follow', async t => {
    const [ref, bob] = [call(lab.id('c')), lab.id('bob')]
    await touch(lab, bob, 'phone')
    await leases.take(bob, { holder: 'c/x', peer: 'x', kind: 'ringing', role: 'callee', at: lab.clock.now() }, {})
    await aggregates.commit(ref, commitOf(lab, 0, { mail: [mailTo(bob, 'first', { begins: true })] }))
    const last = { mail: [mailTo(bob, 'last', { release: 'c/x' })], expireInMs: 60_000 }
    t.match(await aggregates.commit(ref, commitOf(lab, 1, last)), { isOver: false })
    t.strictSame(await leases.list(bob), [])
    t.match(await aggregates.commit(ref, commitOf(lab, 2, { mail: [mailTo(bob, 'anew', { begins: true })] })), {
      isOver: false
    })
    t.strictSame(await texts(lab, bob, 'phone'), ['first', 'last', 'anew'])
  })

  t.test('a commit names those of its users whose leases change and whose presence may be watched', async t => {
    const [alice, bob] = [lab.id('alice'), lab.id('bob')]
    await aggregates.commit({ kind: 'presence', id: bob }, commitOf(lab, 0))
    const to = [alice, bob].map(user => ({ user, entries: [], release: 'c/x' }))
    t.match(await aggregates.commit(call(lab.id('c')), commitOf(lab, 0, { mail: to })), { watched: [bob] })
  })

  t.test('a commit is a sign of life of the device behind it, and says where its mailbox stands', async t => {
    const [ref, bob] = [call(lab.id('c')), lab.id('bob')]
    // Whose request it is gets no event for it.
    const signedBy = (authExpiresAt: number | null) => ({
      mail: [{ user: bob, entries: [], sign: { device: 'phone', authExpiresAt } }]
    })
    const signed = signedBy(9)
    t.strictSame(await aggregates.commit(ref, commitOf(lab, 0, signed)), { ok: false, unregistered: true })
    t.equal(await aggregates.load(ref), null, 'nothing is written for a device that is not registered')
    const expiry = lab.clock.now() + 60_000
    await touch(lab, bob, 'phone', { connection: 'c1', claim: true, authExpiresAt: expiry, onlineUntil: expiry })
    lab.clock.advance(5_000)
    t.match(await aggregates.commit(ref, commitOf(lab, 0, signed)), { ok: true, head: { seq: 0, tag: 'birth' } })
    t.match(await mailboxes.devices(bob, lab.clock.now()), [{ seenAt: lab.clock.now(), online: true }])
    const shown = async () => (await touch(lab, bob, 'phone')).authExpiresAt
    t.equal(await shown(), expiry, 'an older token takes nothing away')
    await aggregates.commit(ref, commitOf(lab, 1, signedBy(expiry + 1)))
    t.equal(await shown(), expiry + 1)
    await aggregates.commit(ref, commitOf(lab, 2, signedBy(null)))
    t.equal(await shown(), null)
  })

  t.test(
    'a commit takes what it charges, in order; what is spent refuses it, and what conflicts is not charged',
    async t => {
      const [ref, bob] = [call(lab.id('c')), lab.id('bob')]
      const charge = (name: string, { max = 1, isTaken = true } = {}) => ({
        ...{ user: bob, name, windowMs: 60_000, max, now: lab.clock.now(), isTaken }
      })
      const left = (name: string, max: number) => lab.store.quotas.left(bob, charge(name, { max }))
      const charges = [charge('attempts', { max: 3 }), charge('incoming')]
      t.match(await aggregates.commit(ref, commitOf(lab, 3, { charges })), { ok: false, current: null })
      t.equal(await left('attempts', 3), 3)
      t.match(await aggregates.commit(ref, commitOf(lab, 0, { charges })), { ok: true })
      t.strictSame([await left('attempts', 3), await left('incoming', 1)], [2, 0])
      const [, spent] = charges
      t.strictSame(await aggregates.commit(ref, commitOf(lab, 1, { charges })), { ok: false, spent })
      t.match(await aggregates.load(ref), { version: 1 })
      t.equal(await left('attempts', 3), 1, 'what came before it is charged')
      const looks = [charge('attempts', { max: 3, isTaken: false })]
      t.match(await aggregates.commit(ref, commitOf(lab, 1, { charges: looks })), { ok: true })
      t.equal(await left('attempts', 3), 1, 'one that only looks takes nothing')
      const refused = [charge('incoming', { isTaken: false })]
      t.match(await aggregates.commit(ref, commitOf(lab, 2, { charges: refused })), { ok: false, spent: refused[0] })
    }
  )

  t.test('mail that is held back waits until it is released, or until a commit that is not held', async t => {
    const [ref, bob] = [call(lab.id('c')), lab.id('bob')]
    await touch(lab, bob, 'phone')
    const say = (text: string, isHeld: boolean) => ({ mail: [mailTo(bob, text)], isHeld })
    for (const version of [1, 2]) {
      const result = await aggregates.commit(ref, commitOf(lab, version - 1, say(`v${version}`, true)))
      t.strictSame(result, { ...written, isDelivered: false })
    }
    t.match(await aggregates.load(ref), { version: 2, holdsMail: true })
    t.strictSame(await texts(lab, bob, 'phone'), [])
    await aggregates.releaseMail(ref)
    await aggregates.releaseMail(ref)
    t.match(await aggregates.load(ref), { holdsMail: false })
    t.strictSame(await texts(lab, bob, 'phone'), ['v1', 'v2'])
    await aggregates.commit(ref, commitOf(lab, 2, say('v3', true)))
    t.match(await aggregates.commit(ref, commitOf(lab, 3, say('v4', false))), {
      isDelivered: true,
      deliveries: new Map([[bob, { online: 0, queued: 1 }]])
    })
    t.strictSame(await texts(lab, bob, 'phone'), ['v1', 'v2', 'v3', 'v4'])
    await until('nothing is held any more', async () => !(await aggregates.load(ref))?.holdsMail)
  })

  t.test('releasing what holds nothing back, or does not exist, does nothing', async t => {
    const ref = call(lab.id('c'))
    await aggregates.releaseMail(ref)
    t.equal(await aggregates.load(ref), null)
    await aggregates.commit(ref, commitOf(lab, 0))
    await aggregates.releaseMail(ref)
    t.match(await aggregates.load(ref), { version: 1, holdsMail: false })
  })

  // The engines' own time: no caller's `now` takes part, so both clocks move until it has happened.
  const isGone = (id: string) => async () => {
    lab.clock.advance(5)
    return (await aggregates.load(call(id))) === null
  }

  t.test('what is over goes after its time, and may begin again at version 1', async t => {
    const id = lab.id('c')
    await aggregates.commit(call(id), commitOf(lab, 0, { expireInMs: 20 }))
    await until('it has expired', isGone(id))
    t.strictSame(await aggregates.commit(call(id), commitOf(lab, 0)), written)
  })

  t.test('what is over and holds mail back never goes; its time starts with the release', async t => {
    const [id, other] = [lab.id('c'), lab.id('c')]
    const over = { expireInMs: 10, mail: [mailTo(lab.id('bob'))], isHeld: true }
    await aggregates.commit(call(id), commitOf(lab, 0, over))
    await aggregates.commit(call(other), commitOf(lab, 0, { expireInMs: 30 }))
    await until('another one with more time has expired', isGone(other))
    t.match(await aggregates.load(call(id)), { holdsMail: true })
    await aggregates.releaseMail(call(id))
    await until('it has expired', isGone(id))
  })

  t.test('a later commit without an expiry keeps it', async t => {
    const [id, other] = [lab.id('c'), lab.id('c')]
    await aggregates.commit(call(id), commitOf(lab, 0, { expireInMs: 200 }))
    await aggregates.commit(call(id), commitOf(lab, 1))
    await aggregates.commit(call(other), commitOf(lab, 0, { expireInMs: 250 }))
    await until('another one has expired', isGone(other))
    t.equal((await aggregates.load(call(id)))?.version, 2)
  })
}
