import type { Test } from 'tap'
import type { Lease, LeaseKind, LeaseLimits } from '../../../src/store/leases.js'
import type { Lab } from '../contract.js'

export function leaseContract(t: Test, lab: Lab): void {
  const { leases } = lab.store
  const lease = (holder: string, peer: string, kind: LeaseKind = 'active'): Lease => ({
    holder,
    peer,
    kind,
    role: 'caller|with a bar',
    at: 1_763_720_000_000
  })
  const one: LeaseLimits = { active: 1 }
  /** Holders and kinds, in the order of the holders. */
  const held = async (user: string) =>
    (await leases.list(user)).map(({ holder, kind }) => `${holder} ${kind}`).sort((a, b) => a.localeCompare(b))

  t.test('a lease is taken once, listed as it was taken, and released', async t => {
    const alice = lab.id('alice')
    t.strictSame(await leases.list(alice), [])
    t.strictSame(await leases.take(alice, lease('c1/alice', 'bob'), one), { taken: true })
    t.strictSame(await leases.take(alice, lease('c2/alice', 'carol'), one), {
      taken: false,
      held: [lease('c1/alice', 'bob')]
    })
    t.strictSame(await leases.list(alice), [lease('c1/alice', 'bob')])
    await leases.release(alice, 'c2/alice')
    await leases.release(alice, 'c1/carol')
    t.strictSame(await leases.list(alice), [lease('c1/alice', 'bob')], 'another holder releases nothing')
    await leases.release(alice, 'c1/alice')
    await leases.release(alice, 'c1/alice')
    t.strictSame(await leases.list(alice), [])
    t.strictSame(await leases.take(alice, lease('c2/alice', 'carol'), one), { taken: true })
  })

  t.test('taking it again is a success and changes nothing', async t => {
    const alice = lab.id('alice')
    await leases.take(alice, lease('c1/alice', 'bob'), one)
    const again = { ...lease('c1/alice', 'bob', 'ringing'), at: 5, role: 'other' }
    t.strictSame(await leases.take(alice, again, { active: 0 }), { taken: true })
    t.strictSame(await leases.list(alice), [lease('c1/alice', 'bob')])
  })

  t.test('two leases with one peer exclude each other, whatever their kinds and limits', async t => {
    const alice = lab.id('alice')
    await leases.take(alice, lease('c1/bob', 'bob', 'ringing'), {})
    for (const kind of ['active', 'ringing', 'ringing_known'] as const) {
      const result = await leases.take(alice, lease('c2/alice', 'bob', kind), { active: 9, ringing: 9 })
      t.strictSame(result, { taken: false, held: [lease('c1/bob', 'bob', 'ringing')] })
    }
    t.strictSame(await leases.take(alice, lease('c3/bo', 'bo', 'ringing'), {}), { taken: true })
  })

  t.test('each kind has its own limit, and a kind that is not named is not counted', async t => {
    const cases: readonly [kinds: readonly LeaseKind[], limits: LeaseLimits, taken: boolean][] = [
      [[], { active: 1 }, true],
      [['ringing', 'ringing'], { active: 1 }, true],
      [['active'], { active: 1 }, false],
      [['active'], { active: 2 }, true],
      [['active', 'active'], { ringing: 1 }, true],
      [['active'], { active: 1, ringing: 4 }, false],
      [['ringing', 'ringing_known', 'ringing_known'], { ringing: 2 }, true],
      [['ringing', 'ringing'], { active: 1, ringing: 2 }, false],
      [['ringing_known', 'ringing_known'], { ringing_known: 2 }, false]
    ]
    for (const [kinds, limits, taken] of cases) {
      const bob = lab.id('bob')
      for (const [n, kind] of kinds.entries()) await leases.take(bob, lease(`c${n}/p${n}`, `p${n}`, kind), {})
      const result = await leases.take(bob, lease('next/alice', 'alice', 'ringing'), limits)
      t.equal(result.taken, taken, `${kinds} under ${JSON.stringify(limits)}`)
      if (!result.taken) t.equal(result.held.length, kinds.length)
    }
  })

  t.test('of many who want the last one, one gets it', async t => {
    const alice = lab.id('alice')
    const takes = Array.from({ length: 20 }, (_, n) => leases.take(alice, lease(`c${n}/alice`, `p${n}`), one))
    t.equal((await Promise.all(takes)).filter(({ taken }) => taken).length, 1)
  })

  t.test('an upgrade makes a lease active and keeps the rest of it; again it changes nothing', async t => {
    const bob = lab.id('bob')
    await leases.take(bob, lease('c1/alice', 'alice', 'ringing'), {})
    for (let n = 0; n < 2; n++) {
      t.strictSame(await leases.upgrade(bob, 'c1/alice', 1), { status: 'active', held: [lease('c1/alice', 'alice')] })
      t.strictSame(await leases.list(bob), [lease('c1/alice', 'alice')])
    }
  })

  t.test('an upgrade is refused while as many others are active as may be, and then writes nothing', async t => {
    const bob = lab.id('bob')
    await leases.take(bob, lease('c1/bob', 'carol', 'active'), {})
    await leases.take(bob, lease('c2/alice', 'alice', 'ringing_known'), {})
    const refused = await leases.upgrade(bob, 'c2/alice', 1)
    t.match(refused, { status: 'full' })
    t.equal(refused.status === 'full' && refused.held.length, 2)
    t.strictSame(await held(bob), ['c1/bob active', 'c2/alice ringing_known'])
    t.match(await leases.upgrade(bob, 'c2/alice', 2), { status: 'active' })
    t.strictSame(await held(bob), ['c1/bob active', 'c2/alice active'])
    t.match(await leases.upgrade(bob, 'c2/alice', 1), { status: 'active' }, 'it is active already')
  })

  t.test('an upgrade of a lease that another caller holds, or nobody, finds none', async t => {
    const bob = lab.id('bob')
    await leases.take(bob, lease('c1/alice', 'alice', 'ringing'), {})
    t.strictSame(await leases.upgrade(bob, 'c1/eve', 1), { status: 'missing' })
    t.strictSame(await leases.upgrade(lab.id('dave'), 'c1/alice', 1), { status: 'missing' })
    t.strictSame(await held(bob), ['c1/alice ringing'])
  })

  t.test('of many upgrades at once one wins', async t => {
    const bob = lab.id('bob')
    for (let n = 0; n < 10; n++) await leases.take(bob, lease(`c${n}/p${n}`, `p${n}`, 'ringing'), {})
    const upgrades = Array.from({ length: 10 }, (_, n) => leases.upgrade(bob, `c${n}/p${n}`, 1))
    t.equal((await Promise.all(upgrades)).filter(({ status }) => status === 'active').length, 1)
  })
}
