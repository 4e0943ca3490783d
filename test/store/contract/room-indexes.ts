import type { Test } from 'tap'
import type { StoreFixture } from '../contract.js'

/** The indexes of rooms: by user, of ringing invitations, and by media service. */
export function roomIndexContract(t: Test, fixture: StoreFixture): void {
  const { invitations, mediaRooms } = fixture.store
  for (const [name, index] of Object.entries({ invitations, mediaRooms })) {
    const list = async (owner: string, now: number) => [...(await index.list(owner, now))].sort()

    t.test(`${name}: a room is listed for its owner until the end that it was added with`, async t => {
      const [alice, bob] = [fixture.id('alice'), fixture.id('bob')]
      const now = fixture.clock.now()
      t.strictSame(await list(alice, now), [])
      await index.add(alice, 'room-1', { until: now + 30_000, now })
      await index.add(alice, 'room-1', { until: now + 30_000, now })
      await index.add(alice, 'room-2', { until: now + 60_000, now })
      t.strictSame(await list(alice, now), ['room-1', 'room-2'])
      t.strictSame(await list(bob, now), [])
      t.strictSame(await list(alice, now + 29_999), ['room-1', 'room-2'])
      t.strictSame(await list(alice, now + 30_000), ['room-2'])
      t.strictSame(await list(alice, now + 60_000), [])
    })

    t.test(`${name}: a room that is added twice is listed until the later end`, async t => {
      const alice = fixture.id('alice')
      const now = fixture.clock.now()
      await index.add(alice, 'room-1', { until: now + 30_000, now })
      await index.add(alice, 'room-1', { until: now + 20_000, now: now + 10 })
      t.strictSame(await list(alice, now + 29_999), ['room-1'])
      await index.add(alice, 'room-1', { until: now + 90_000, now: now + 40_000 })
      t.strictSame(await list(alice, now + 89_999), ['room-1'])
    })
  }

  t.test('the two indexes have no rooms in common', async t => {
    const owner = fixture.id('owner')
    const now = fixture.clock.now()
    await mediaRooms.add(owner, 'room-1', { until: now + 30_000, now })
    t.strictSame(await invitations.list(owner, now), [])
  })
}
