import type { Test } from 'tap'
import type { Lease, LeaseKind, LeaseLimits } from '../../../src/store/leases.js'
import type { StoreFixture } from '../contract.js'
import { call, commitOf } from './fixtures.js'

export function leaseContract(t: Test, fixture: StoreFixture): void {
  const { leases } = fixture.store
  const lease = (holder: string, peer: string, kind: LeaseKind = 'active'): Lease => ({
    holder,
    peer,
    kind,
    role: 'caller|with a bar',
    at: 1_763_720_000_000
  })
  const one: LeaseLimits = { active: 1 }
  const take = (user: string, lease: Lease, limits: LeaseLimits) => leases.take(user, lease, limits)
  /** Holders and kinds, in the order of the holders. */
  const held = async (user: string) =>
    (await leases.list(user)).map(({ holder, kind }) => `${holder} ${kind}`).sort((a, b) => a.localeCompare(b))

  t.test('a lease is taken, listed as it was taken, and released by its holder only', async t => {
    const alice = fixture.id('alice')
    t.strictSame(await leases.list(alice), [])
    t.strictSame(await take(alice, lease('c1/alice', 'bob'), one), { taken: true, held: [lease('c1/alice', 'bob')] })
    t.strictSame(await take(alice, lease('c2/alice', 'carol'), one), {
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
    t.match(await take(alice, lease('c2/alice', 'carol'), one), { taken: true })
  })

  t.test('taking a held lease again succeeds and changes nothing', async t => {
    const alice = fixture.id('alice')
    await take(alice, lease('c1/alice', 'bob'), one)
    const again = { ...lease('c1/alice', 'bob', 'ringing'), at: 5, role: 'other' }
    t.match(await take(alice, again, { active: 0 }), { taken: true })
    t.strictSame(await leases.list(alice), [lease('c1/alice', 'bob')])
  })

  t.test('a second lease with the same peer is refused, whatever the kinds and limits', async t => {
    const alice = fixture.id('alice')
    await take(alice, lease('c1/bob', 'bob', 'ringing'), {})
    for (const kind of ['active', 'ringing', 'ringing_known'] as const) {
      const result = await take(alice, lease('c2/alice', 'bob', kind), { active: 9, ringing: 9 })
      t.strictSame(result, { taken: false, held: [lease('c1/bob', 'bob', 'ringing')] })
    }
    t.match(await take(alice, lease('c3/bo', 'bo', 'ringing'), {}), { taken: true })
  })

  t.test('each kind has its own limit; a kind without a limit is not counted', async t => {
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
      const bob = fixture.id('bob')
      for (const [n, kind] of kinds.entries()) await take(bob, lease(`c${n}/p${n}`, `p${n}`, kind), {})
      const result = await take(bob, lease('next/alice', 'alice', 'ringing'), limits)
      t.equal(result.taken, taken, `${kinds} under ${JSON.stringify(limits)}`)
      if (!result.taken) t.equal(result.held.length, kinds.length)
    }
  })

  t.test('of many concurrent takes for the last slot, one succeeds', async t => {
    const alice = fixture.id('alice')
    const takes = Array.from({ length: 20 }, (_, n) => take(alice, lease(`c${n}/alice`, `p${n}`), one))
    t.equal((await Promise.all(takes)).filter(({ taken }) => taken).length, 1)
  })

  t.test('the holder can upgrade a lease to active once; peer, role and time stay', async t => {
    const bob = fixture.id('bob')
    await take(bob, lease('c1/alice', 'alice', 'ringing'), {})
    const active = { ...lease('c1/alice', 'alice'), at: 5, role: 'other' }
    for (let n = 0; n < 2; n++) {
      t.strictSame(await take(bob, active, one), { taken: true, held: [lease('c1/alice', 'alice')] })
      t.strictSame(await leases.list(bob), [lease('c1/alice', 'alice')])
    }
  })

  t.test('an upgrade is refused while the user has the maximum of active leases, and nothing is written', async t => {
    const bob = fixture.id('bob')
    await take(bob, lease('c1/bob', 'carol', 'active'), {})
    await take(bob, lease('c2/alice', 'alice', 'ringing_known'), {})
    const activate = (active: number) => take(bob, lease('c2/alice', 'alice'), { active })
    const refused = await activate(1)
    t.match(refused, { taken: false })
    t.equal(refused.held.length, 2)
    t.strictSame(await held(bob), ['c1/bob active', 'c2/alice ringing_known'])
    t.match(await activate(2), { taken: true })
    t.strictSame(await held(bob), ['c1/bob active', 'c2/alice active'])
    t.match(await activate(1), { taken: true }, 'the lease is active already')
  })

  t.test('an active lease that the holder does not have is taken as a new one', async t => {
    const bob = fixture.id('bob')
    await take(bob, lease('c1/alice', 'alice', 'ringing'), {})
    t.match(await take(bob, lease('c2/carol', 'carol'), one), { taken: true })
    t.match(await take(bob, lease('c3/dave', 'dave'), one), { taken: false })
    t.match(
      await take(bob, lease('c4/alice', 'alice'), { active: 9 }),
      { taken: false },
      'there is a lease with this peer'
    )
  })

  t.test('of many concurrent upgrades to the last active slot, one succeeds', async t => {
    const bob = fixture.id('bob')
    for (let n = 0; n < 10; n++) await take(bob, lease(`c${n}/p${n}`, `p${n}`, 'ringing'), {})
    const takes = Array.from({ length: 10 }, (_, n) => take(bob, lease(`c${n}/p${n}`, `p${n}`), one))
    t.equal((await Promise.all(takes)).filter(({ taken }) => taken).length, 1)
  })

  t.test(
    'a lease takes the peer of a later claim by its holder, unless the user has another lease with that peer',
    async t => {
      const bob = fixture.id('bob')
      await take(bob, lease('c1/alice', 'alice'), one)
      t.match(await take(bob, lease('c1/alice', '', 'ringing'), one), { taken: true })
      t.strictSame(await leases.list(bob), [lease('c1/alice', '')], 'it stays active')
      await take(bob, lease('c2/alice', 'alice', 'ringing'), {})
      t.match(await take(bob, lease('c1/alice', 'alice'), {}), { taken: false })
      t.match(await take(bob, lease('c2/alice', 'dave'), { active: 2 }), { taken: true })
      t.strictSame(await held(bob), ['c1/alice active', 'c2/alice active'])
      t.strictSame((await leases.list(bob)).map(({ peer }) => peer).sort(), ['', 'dave'])
    }
  )

  t.test('any number of leases may have no peer', async t => {
    const bob = fixture.id('bob')
    for (const holder of ['c1/bob', 'c2/bob']) t.match(await take(bob, lease(holder, ''), {}), { taken: true })
  })

  t.test('a lease that is not counted leaves room for one more, as long as the user has it', async t => {
    const bob = fixture.id('bob')
    const instead: LeaseLimits = { active: 1, uncounted: 'c1/alice' }
    await take(bob, lease('c1/alice', 'alice'), one)
    await take(bob, lease('c2/carol', 'carol', 'ringing'), {})
    t.match(await take(bob, lease('c2/carol', 'carol'), one), { taken: false })
    t.match(await take(bob, lease('c2/carol', 'carol'), instead), { taken: true }, 'an upgrade')
    t.match(await take(bob, lease('c3/dave', 'dave'), instead), { taken: false }, 'the other one counts')
    await leases.release(bob, 'c2/carol')
    t.match(await take(bob, lease('c3/dave', 'dave'), instead), { taken: true }, 'a new lease')
    await leases.release(bob, 'c1/alice')
    t.match(await take(bob, lease('c4/erin', 'erin'), instead), { taken: false })
  })

  const claimOf = (
    user: string,
    peer: string,
    { kind = 'active', limits = one }: { kind?: LeaseKind; limits?: LeaseLimits } = {}
  ) => ({
    user,
    entries: [],
    claim: { lease: lease(`${user}/${peer}`, peer, kind), limits }
  })

  t.test('a commit takes the leases that it claims, and returns all leases of their users', async t => {
    const [alice, bob] = [fixture.id('alice'), fixture.id('bob')]
    await take(bob, lease('c0/carol', 'carol', 'ringing'), {})
    const result = await fixture.store.aggregates.commit(
      call(fixture.id('c')),
      commitOf(fixture, 0, { mail: [claimOf(bob, alice, { kind: 'ringing' }), claimOf(alice, bob)] })
    )
    t.ok(result.ok)
    if (!result.ok) return
    t.strictSame(result.held.get(alice), await leases.list(alice))
    t.strictSame(await held(alice), [`${alice}/${bob} active`])
    t.strictSame(result.held.get(bob)?.length, 2)
    t.equal((await held(bob)).length, 2)
  })

  t.test(
    'a commit releases the lease of one user while its aggregate lives, and the user may take it again',
    async t => {
      const { aggregates } = fixture.store
      const [bob, carol, id] = [fixture.id('bob'), fixture.id('carol'), fixture.id('c')]
      const holder = 'c/alice'
      const take = (user: string) => leases.take(user, lease(holder, 'alice', 'ringing'), {})
      const holders = async (user: string) => (await leases.list(user)).map(each => each.holder)
      await Promise.all([take(bob), take(carol), leases.take(bob, lease('d/dave', 'dave', 'ringing'), {})])
      const first = commitOf(fixture, 0, { mail: [bob, carol].map(user => ({ user, entries: [], begins: true })) })
      const second = commitOf(fixture, 1, {
        mail: [
          { user: bob, entries: [], release: holder },
          { user: carol, entries: [] }
        ]
      })
      t.match(await aggregates.commit(call(id), first), { ok: true })
      t.match(await aggregates.commit(call(id), second), { ok: true })
      t.strictSame([await holders(bob), await holders(carol)], [['d/dave'], [holder]])
      await take(bob)
      const third = commitOf(fixture, 2, { mail: [{ user: bob, entries: [], begins: true }] })
      t.match(await aggregates.commit(call(id), third), { ok: true }, 'bob comes back')
      t.strictSame(await holders(bob), ['d/dave', holder])
      const last = { entries: [], release: holder, ends: true }
      const end = commitOf(fixture, 3, { mail: [bob, carol].map(user => ({ user, ...last })), expireInMs: 60_000 })
      t.match(await aggregates.commit(call(id), end), { ok: true })
      t.strictSame([await holders(bob), await holders(carol)], [['d/dave'], []])
    }
  )

  t.test('a commit whose claim is refused writes no state and returns the leases of that user', async t => {
    const [alice, bob, id] = [fixture.id('alice'), fixture.id('bob'), fixture.id('c')]
    await take(bob, lease('c0/carol', 'carol'), {})
    const mail = [claimOf(alice, bob), claimOf(bob, alice)]
    t.strictSame(await fixture.store.aggregates.commit(call(id), commitOf(fixture, 0, { mail })), {
      ok: false,
      refused: { user: bob, held: [lease('c0/carol', 'carol')] }
    })
    t.equal(await fixture.store.aggregates.load(call(id)), null)
    t.strictSame(await held(bob), ['c0/carol active'])
  })
}
