import type { Test } from 'tap'
import type { Lease } from '../../../src/store/store.js'
import type { Lab } from '../contract.js'

export function leaseContract(t: Test, lab: Lab): void {
  const { leases } = lab.store
  const lease = (holder: string, peer: string): Lease => ({
    holder,
    peer,
    role: 'caller|with a bar',
    at: 1_763_720_000_000
  })

  t.test('a lease is taken once, listed as it was taken, and given back', async t => {
    const alice = lab.id('alice')
    t.strictSame(await leases.list(alice), [])
    t.strictSame(await leases.take(alice, lease('c1', 'bob'), 1), { taken: true })
    t.strictSame(await leases.take(alice, lease('c2', 'carol'), 1), { taken: false, held: [lease('c1', 'bob')] })
    t.strictSame(await leases.list(alice), [lease('c1', 'bob')])
    await leases.release(alice, 'c2')
    t.strictSame(await leases.list(alice), [lease('c1', 'bob')], 'who holds nothing gives nothing back')
    await leases.release(alice, 'c1')
    await leases.release(alice, 'c1')
    t.strictSame(await leases.list(alice), [])
    t.strictSame(await leases.take(alice, lease('c2', 'carol'), 1), { taken: true })
  })

  t.test('taking it again is a success and changes nothing', async t => {
    const alice = lab.id('alice')
    await leases.take(alice, lease('c1', 'bob'), 1)
    t.strictSame(await leases.take(alice, { ...lease('c1', 'bob'), at: 5, role: 'other' }, 1), { taken: true })
    t.strictSame(await leases.list(alice), [lease('c1', 'bob')])
  })

  t.test('with room for more, two with the same peer still exclude each other', async t => {
    const alice = lab.id('alice')
    t.strictSame(await leases.take(alice, lease('c1', 'bob'), 3), { taken: true })
    t.strictSame(await leases.take(alice, lease('c2', 'bob'), 3), { taken: false, held: [lease('c1', 'bob')] })
    t.strictSame(await leases.take(alice, lease('c3', 'bo'), 3), { taken: true })
    t.strictSame(await leases.take(alice, lease('c4', 'dan'), 3), { taken: true })
    const full = await leases.take(alice, lease('c5', 'eve'), 3)
    t.equal(!full.taken && full.held.length, 3)
  })

  t.test('of many who want the last one, one gets it', async t => {
    const alice = lab.id('alice')
    const takes = Array.from({ length: 20 }, (_, n) => leases.take(alice, lease(`c${n}`, `p${n}`), 1))
    t.equal((await Promise.all(takes)).filter(({ taken }) => taken).length, 1)
  })
}
