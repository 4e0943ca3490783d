import type { Test } from 'tap'
import type { StoreFixture } from '../contract.js'

export function invitationContract(t: Test, fixture: StoreFixture): void {
  const { invitations } = fixture.store
  const list = async (user: string, now: number) => [...(await invitations.list(user, now))].sort()

  t.test('rooms that ring for a user are listed until they ring no more', async t => {
    const [alice, bob] = [fixture.id('alice'), fixture.id('bob')]
    const now = fixture.clock.now()
    t.strictSame(await list(alice, now), [])
    await invitations.add(alice, 'room-1', { until: now + 30_000, now })
    await invitations.add(alice, 'room-1', { until: now + 30_000, now })
    await invitations.add(alice, 'room-2', { until: now + 60_000, now })
    t.strictSame(await list(alice, now), ['room-1', 'room-2'])
    t.strictSame(await list(bob, now), [])
    t.strictSame(await list(alice, now + 29_999), ['room-1', 'room-2'])
    t.strictSame(await list(alice, now + 30_000), ['room-2'])
    t.strictSame(await list(alice, now + 60_000), [])
  })

  t.test('an invitation that is added twice is listed until the later end', async t => {
    const alice = fixture.id('alice')
    const now = fixture.clock.now()
    await invitations.add(alice, 'room-1', { until: now + 30_000, now })
    await invitations.add(alice, 'room-1', { until: now + 20_000, now: now + 10 })
    t.strictSame(await list(alice, now + 29_999), ['room-1'])
    await invitations.add(alice, 'room-1', { until: now + 90_000, now: now + 40_000 })
    t.strictSame(await list(alice, now + 89_999), ['room-1'])
  })
}
