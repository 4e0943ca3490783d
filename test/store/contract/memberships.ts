import type { Test } from 'tap'
import type { StoreFixture } from '../contract.js'

export function membershipContract(t: Test, fixture: StoreFixture): void {
  const { memberships } = fixture.store
  const options = { max: 3, now: 1_000 }
  const list = async (user: string, device?: string) =>
    [...(await memberships.list(user, device))].sort((a, b) =>
      `${a.roomId}${a.device}` < `${b.roomId}${b.device}` ? -1 : 1
    )
  const at = 1_000

  t.test('list resolves to the memberships of one device, or of all devices of a user', async t => {
    const [alice, bob] = [fixture.id('alice'), fixture.id('bob')]
    const phone = { user: alice, device: 'phone', participantId: 'p1' }
    const laptop = { user: alice, device: 'laptop', participantId: 'p2' }
    t.strictSame(await list(alice), [])
    await memberships.add(phone, 'room-1', options)
    await memberships.add(phone, 'room-1', options)
    await memberships.add(laptop, 'room-1', options)
    await memberships.add({ ...phone, participantId: 'p3' }, 'room-2', options)
    await memberships.add({ ...phone, user: bob }, 'room-1', options)
    t.strictSame(await list(alice), [
      { ...laptop, roomId: 'room-1', at },
      { ...phone, roomId: 'room-1', at },
      { ...phone, participantId: 'p3', roomId: 'room-2', at }
    ])
    t.strictSame(await list(alice, 'laptop'), [{ ...laptop, roomId: 'room-1', at }])
    t.strictSame(await list(alice, 'watch'), [])
    await memberships.remove(phone, 'room-1')
    await memberships.remove(phone, 'room-1')
    await memberships.remove(laptop, 'room-2')
    t.strictSame(await list(alice), [
      { ...laptop, roomId: 'room-1', at },
      { ...phone, participantId: 'p3', roomId: 'room-2', at }
    ])
    t.equal((await list(bob)).length, 1)
  })

  t.test(
    'a device is in a room as the participant that was added last; removing an earlier one changes nothing',
    async t => {
      const alice = fixture.id('alice')
      const before = { user: alice, device: 'phone', participantId: 'p1' }
      const after = { ...before, participantId: 'p2' }
      await memberships.add(before, 'room-1', options)
      await memberships.add(after, 'room-1', { ...options, now: 2_000 })
      await memberships.remove(before, 'room-1')
      t.strictSame(await list(alice), [{ ...after, roomId: 'room-1', at: 2_000 }])
      await memberships.remove(after, 'room-1')
      t.strictSame(await list(alice), [])
    }
  )

  t.test('a membership beyond the maximum of the device is refused; other devices do not count', async t => {
    const alice = fixture.id('alice')
    const phone = { user: alice, device: 'phone', participantId: 'p1' }
    for (const room of ['r1', 'r2', 'r3']) t.equal(await memberships.add(phone, room, options), true)
    t.equal(await memberships.add(phone, 'r4', options), false)
    t.equal(
      await memberships.add({ ...phone, participantId: 'p2' }, 'r3', options),
      true,
      'the device is in that room already'
    )
    t.equal(await memberships.add({ ...phone, device: 'laptop' }, 'r4', options), true)
    t.equal((await list(alice, 'phone')).length, 3)
    await memberships.remove(phone, 'r1')
    t.equal(await memberships.add(phone, 'r4', options), true)
  })
}
