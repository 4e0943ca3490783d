import type { Test } from 'tap'
import type { Watched } from '../../../src/store/watches.js'
import type { Lab } from '../contract.js'

export function watchContract(t: Test, lab: Lab): void {
  const { watches } = lab.store
  const watcher = (device = 'phone') => ({ user: lab.id('alice'), device })
  const sorted = async (user: string) =>
    [...(await watches.watchers(user))].sort((a: Watched, b: Watched) => (a.device < b.device ? -1 : 1))

  t.test('a device’s list is what it was last replaced with, and its own', async t => {
    const phone = watcher()
    const laptop = { ...phone, device: 'laptop' }
    t.strictSame(await watches.list(phone), [])
    await watches.put(phone, ['bob', 'carol', 'a.b~c@d-e_f'])
    t.strictSame(await watches.list(phone), ['bob', 'carol', 'a.b~c@d-e_f'])
    await watches.put(phone, ['carol'])
    t.strictSame(await watches.list(phone), ['carol'])
    t.strictSame(await watches.list(laptop), [])
    await watches.put(laptop, ['dan'])
    await watches.put(phone, [])
    await watches.put(phone, [])
    t.strictSame([await watches.list(phone), await watches.list(laptop)], [[], ['dan']])
  })

  t.test('a user’s watchers are added once, renewed and taken away', async t => {
    const bob = lab.id('bob')
    const phone = watcher()
    const laptop = { ...phone, device: 'laptop' }
    t.strictSame(await sorted(bob), [])
    t.equal(await watches.add(bob, { ...phone, at: 1_000 }, 9), true)
    t.equal(await watches.add(bob, { ...laptop, at: 2_000 }, 9), true)
    t.equal(await watches.add(bob, { ...phone, at: 3_000 }, 9), true)
    t.strictSame(await sorted(bob), [
      { ...laptop, at: 2_000 },
      { ...phone, at: 3_000 }
    ])
    await watches.remove(bob, laptop)
    await watches.remove(bob, laptop)
    t.strictSame(await sorted(bob), [{ ...phone, at: 3_000 }])
    t.strictSame(await sorted(lab.id('carol')), [], 'another user')
  })

  t.test('of many who want to watch, so many may, and those may go on', async t => {
    const bob = lab.id('bob')
    const all = Array.from({ length: 20 }, (_, n) => ({ ...watcher(`d${n}`), at: 1_000 }))
    const added = await Promise.all(all.map(each => watches.add(bob, each, 5)))
    t.equal(added.filter(Boolean).length, 5)
    t.equal((await sorted(bob)).length, 5)
    const [lucky] = all.filter((_, n) => added[n])
    const [unlucky] = all.filter((_, n) => !added[n])
    if (!lucky || !unlucky) return t.fail('some may and some may not')
    t.equal(await watches.add(bob, { ...lucky, at: 2_000 }, 5), true)
    t.equal(await watches.add(bob, unlucky, 5), false)
    await watches.remove(bob, lucky)
    t.equal(await watches.add(bob, unlucky, 5), true)
  })
}
