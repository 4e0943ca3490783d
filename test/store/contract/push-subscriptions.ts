import type { Test } from 'tap'
import type { StoreFixture } from '../contract.js'

export function pushSubscriptionContract(t: Test, fixture: StoreFixture): void {
  const { pushSubscriptions: subscriptions, mailboxes, contacts } = fixture.store

  const fixtureOf = (user: string, max = 3) => {
    const now = fixture.clock.now()
    return {
      now,
      put: (device: string, sealed: string, expiresAt = now + 60_000) =>
        subscriptions.put(user, { device, sealed, expiresAt }, { now, max }),
      list: async (at = now) => Object.fromEntries(await subscriptions.list(user, at))
    }
  }

  t.test('a push subscription replaces the one of its device', async t => {
    const { put, list } = fixtureOf(fixture.id('bob'))
    await put('phone', 'a\nb')
    await put('tablet', 'c')
    t.strictSame(await list(), { phone: 'a\nb', tablet: 'c' })
    await put('phone', 'd')
    t.strictSame(await list(), { phone: 'd', tablet: 'c' })
    t.strictSame(await fixtureOf(fixture.id('carol')).list(), {}, 'of another user')
  })

  t.test(
    'one push subscription too many replaces the one that expires first; an expired one does not count',
    async t => {
      const { now, put, list } = fixtureOf(fixture.id('bob'))
      await put('old', '1', now + 30_000)
      await put('new', '2', now + 50_000)
      await put('newer', '3', now + 60_000)
      await put('new', '2', now + 55_000)
      t.strictSame(await list(), { old: '1', new: '2', newer: '3' }, 'a renewal removes none')
      await put('newest', '4', now + 70_000)
      t.strictSame(await list(), { new: '2', newer: '3', newest: '4' })
      t.strictSame(await list(now + 55_000), { newer: '3', newest: '4' })
    }
  )

  t.test('removing a push subscription leaves one that has replaced it', async t => {
    const bob = fixture.id('bob')
    const { put, list } = fixtureOf(bob)
    await put('phone', 'new')
    await put('tablet', 'x')
    await subscriptions.remove(bob, 'phone', 'old')
    await subscriptions.remove(bob, 'laptop')
    t.strictSame(await list(), { phone: 'new', tablet: 'x' })
    await subscriptions.remove(bob, 'phone', 'new')
    await subscriptions.remove(bob, 'tablet')
    t.strictSame(await list(), {})
  })

  t.test('removing a device removes its push subscription, also after its record has expired', async t => {
    const bob = fixture.id('bob')
    const { now, put, list } = fixtureOf(bob)
    await mailboxes.touch(bob, 'phone', { now, tag: 't' })
    for (const device of ['phone', 'watch', 'tablet']) await put(device, device)
    await mailboxes.remove(bob, 'phone')
    await mailboxes.remove(bob, 'watch')
    t.strictSame(await list(), { tablet: 'tablet' })
  })

  t.test('a callee is read with the devices that only a push reaches', async t => {
    const bob = fixture.id('bob')
    const { now, put } = fixtureOf(bob)
    const read = async () => {
      const { isReachable, isOnline, asleep } = await contacts.readCallee(bob, 'alice', now)
      return { isReachable, isOnline, asleep: [...asleep].sort() }
    }
    for (const device of ['phone', 'tablet']) await put(device, device)
    await put('expired', 'x', now)
    t.strictSame(await read(), { isReachable: false, isOnline: false, asleep: ['phone', 'tablet'] })
    const connection = { connection: 'c', claim: true, onlineUntil: now + 30_000 }
    await mailboxes.touch(bob, 'phone', { now, tag: 't', ...connection })
    await mailboxes.touch(bob, 'tablet', { now, tag: 't' })
    t.strictSame(await read(), { isReachable: true, isOnline: true, asleep: ['tablet'] })
    await mailboxes.closeConnection(bob, 'phone', { connection: 'c', now })
    t.strictSame(await read(), { isReachable: true, isOnline: false, asleep: ['phone', 'tablet'] })
  })
}
