// Ids that contain separators, as devices, peers, rooms and watchers. Users have such ids in the whole suite (fixture.id).
import type { Test } from 'tap'
import { ODD_IDS } from '../../helpers/ids.js'
import type { StoreFixture } from '../contract.js'
import { append, appendOf, mail, texts, touch } from './fixtures.js'

const byText = (a: string, b: string) => (a < b ? -1 : 1)
const sorted = (ids: readonly string[]) => [...ids].sort(byText)

export function idContract(t: Test, fixture: StoreFixture): void {
  const { store } = fixture

  t.test('an exception names whole devices', async t => {
    const bob = fixture.id('bob')
    const devices = ['a', 'b', 'a,b', 'a b', 'a:b', 'a/b', 'a|b', '%2C']
    for (const device of devices) await touch(fixture, bob, device)
    await append(fixture, bob, appendOf(1, { entries: [mail('x', { except: ['a,b', 'a b', 'a|b'] })] }))
    for (const device of devices) {
      const isExcepted = ['a,b', 'a b', 'a|b'].includes(device)
      t.strictSame(await texts(fixture, bob, device), isExcepted ? [] : ['x'], encodeURIComponent(device))
    }
    const states = await store.mailboxes.devices(bob, fixture.clock.now())
    t.strictSame(sorted(states.map(({ device }) => device)), sorted(devices))
    t.equal(await store.mailboxes.remove(bob, 'a:b'), true)
    t.strictSame(await texts(fixture, bob, 'a'), ['x'])
  })

  t.test('leases name their peers and holders', async t => {
    const bob = fixture.id('bob')
    for (const id of ODD_IDS) {
      const lease = { holder: id, peer: id, kind: 'ringing', at: 1, role: `callee/${id}` } as const
      t.match(await store.leases.take(bob, lease, {}), { taken: true })
    }
    const held = await store.leases.list(bob)
    t.strictSame(sorted(held.map(({ peer }) => peer)), sorted(ODD_IDS))
    for (const { holder, peer, role } of held) t.strictSame([peer, role], [holder, `callee/${holder}`])
  })

  t.test('lists of watched users, watchers, blocks, memberships and invitations have whole ids', async t => {
    const [bob, now] = [fixture.id('bob'), fixture.clock.now()]
    const watcher = { user: fixture.id('alice'), device: 'a/b,c' }
    await store.watches.put(watcher, ODD_IDS)
    t.strictSame(await store.watches.list(watcher), ODD_IDS)
    for (const id of ODD_IDS) {
      await store.watches.add(bob, { user: id, device: id, at: now }, 1000)
      await store.contacts.block(bob, id, { now, max: 1000 })
      await store.memberships.add({ user: bob, device: id, participantId: id }, id, { max: 9, now })
      await store.invitations.add(bob, id, { until: now + 60_000, now })
    }
    const watchers = await store.watches.watchers(bob, { until: now, limit: 1000 })
    t.strictSame(sorted(watchers.flatMap(({ user, device }) => (user === device ? [user] : []))), sorted(ODD_IDS))
    t.strictSame(sorted(await store.contacts.blocks(bob, now)), sorted(ODD_IDS))
    t.strictSame(sorted(await store.invitations.list(bob, now)), sorted(ODD_IDS))
    const memberships = await store.memberships.list(bob)
    const rooms = memberships.flatMap(({ device, roomId, participantId }) =>
      device === roomId && device === participantId ? [roomId] : []
    )
    t.strictSame(sorted(rooms), sorted(ODD_IDS))
  })
}
