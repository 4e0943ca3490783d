import type { Test } from 'tap'
import type { Lab } from '../contract.js'

const YEAR_MS = 365 * 24 * 3_600_000

export function contactContract(t: Test, lab: Lab): void {
  const { contacts } = lab.store

  t.test('nothing is kept about a user who was never met', async t => {
    const none = { isBlocked: false, isKnown: false, backoff: null }
    t.strictSame(await contacts.read(lab.id('bob'), 'alice', lab.clock.now()), none)
  })

  t.test('a user knows a peer, and the peer does not know them for that', async t => {
    const [bob, alice] = [lab.id('bob'), lab.id('alice')]
    await contacts.know(bob, alice, 60_000)
    t.match(await contacts.read(bob, alice, lab.clock.now()), { isKnown: true, isBlocked: false })
    t.match(await contacts.read(alice, bob, lab.clock.now()), { isKnown: false })
  })

  t.test('a back-off is read as it was set, replaced, and taken away', async t => {
    const bob = lab.id('bob')
    const read = async () => (await contacts.read(bob, 'alice', lab.clock.now())).backoff
    for (const failures of [1, 2]) {
      await contacts.setBackoff(bob, 'alice', { failures, retryAt: 5000 * failures, ttlMs: 60_000 })
      t.strictSame(await read(), { failures, retryAt: 5000 * failures })
    }
    await contacts.setBackoff(bob, 'alice', null)
    t.equal(await read(), null)
  })

  t.test('blocks are listed, bounded, idempotent, and one user’s own', async t => {
    const bob = lab.id('bob')
    const options = { now: lab.clock.now(), max: 2 }
    t.equal(await contacts.block(bob, 'mallory', options), true)
    t.equal(await contacts.block(bob, 'eve', options), true)
    t.equal(await contacts.block(bob, 'mallory', options), true, 'again')
    t.equal(await contacts.block(bob, 'trudy', options), false, 'one too many')
    t.strictSame(await contacts.blocks(bob, options.now), ['eve', 'mallory'])
    t.match(await contacts.read(bob, 'mallory', options.now), { isBlocked: true })
    t.match(await contacts.read(bob, 'trudy', options.now), { isBlocked: false })
    t.match(await contacts.read(lab.id('carol'), 'mallory', options.now), { isBlocked: false })
    await contacts.unblock(bob, 'mallory')
    await contacts.unblock(bob, 'mallory')
    t.strictSame(await contacts.blocks(bob, options.now), ['eve'])
    t.equal(await contacts.block(bob, 'trudy', options), true)
  })

  t.test('a block that was not used for a year goes; one that stopped somebody stays', async t => {
    const bob = lab.id('bob')
    const now = lab.clock.now()
    for (const peer of ['mallory', 'eve']) await contacts.block(bob, peer, { now, max: 2 })
    await contacts.read(bob, 'eve', now + YEAR_MS / 2)
    t.strictSame(await contacts.blocks(bob, now + YEAR_MS), ['eve'])
    t.match(await contacts.read(bob, 'mallory', now + YEAR_MS), { isBlocked: false })
    t.equal(await contacts.block(bob, 'trudy', { now: now + YEAR_MS, max: 2 }), true, 'and makes room')
  })
}
