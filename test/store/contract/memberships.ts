import type { Test } from 'tap'
import type { Lab } from '../contract.js'

export function membershipContract(t: Test, lab: Lab): void {
  const { memberships } = lab.store
  const list = async (user: string) =>
    [...(await memberships.list(user))].sort((a, b) => (`${a.roomId}${a.device}` < `${b.roomId}${b.device}` ? -1 : 1))

  t.test('a user’s devices are looked up with the rooms they sit in', async t => {
    const [alice, bob] = [lab.id('alice'), lab.id('bob')]
    const phone = { user: alice, device: 'phone', participantId: 'p1' }
    const laptop = { user: alice, device: 'laptop', participantId: 'p2' }
    t.strictSame(await list(alice), [])
    await memberships.add(phone, 'room-1')
    await memberships.add(phone, 'room-1')
    await memberships.add(laptop, 'room-1')
    await memberships.add({ ...phone, participantId: 'p3' }, 'room-2')
    await memberships.add({ ...phone, user: bob }, 'room-1')
    t.strictSame(await list(alice), [
      { ...laptop, roomId: 'room-1' },
      { ...phone, roomId: 'room-1' },
      { ...phone, participantId: 'p3', roomId: 'room-2' }
    ])
    await memberships.remove(phone, 'room-1')
    await memberships.remove(phone, 'room-1')
    await memberships.remove(laptop, 'room-2')
    t.strictSame(await list(alice), [
      { ...laptop, roomId: 'room-1' },
      { ...phone, participantId: 'p3', roomId: 'room-2' }
    ])
    t.equal((await list(bob)).length, 1)
  })

  t.test('a device sits in a room as one participant, and who left it before takes nothing from the next', async t => {
    const alice = lab.id('alice')
    const before = { user: alice, device: 'phone', participantId: 'p1' }
    const now = { ...before, participantId: 'p2' }
    await memberships.add(before, 'room-1')
    await memberships.add(now, 'room-1')
    await memberships.remove(before, 'room-1')
    t.strictSame(await list(alice), [{ ...now, roomId: 'room-1' }])
    await memberships.remove(now, 'room-1')
    t.strictSame(await list(alice), [])
  })
}
