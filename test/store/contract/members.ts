import type { Test } from 'tap'
import type { Lab } from '../contract.js'
import { commitRoom, joinOf, memberText, nextBatch, room, roomCommitOf, roomStamp, tellAll } from './room-fixtures.js'

export function memberContract(t: Test, lab: Lab): void {
  const { rooms } = lab.store

  /** Who is in since when, as fan-out reads it; nothing is left to be published. */
  async function recipientsOf(id: string) {
    const version = await commitRoom(t, lab, id, { items: [tellAll('look')] })
    const step = await nextBatch(lab, room(id))
    const recipients = step.status === 'batch' ? step.recipients : []
    await nextBatch(lab, room(id), { published: roomStamp(version) })
    return [...recipients].sort((a, b) => a.since - b.since)
  }
  const memberCount = async (id: string) => (await rooms.load(id, []))?.memberCount

  t.test('a device is a recipient since the commit that let it in, and as long as its field is there', async t => {
    const id = lab.id('r')
    const alice = { user: 'alice', device: 'phone' }
    const write = (text: string | null) => commitRoom(t, lab, id, { writes: { 'member:a': text } })
    await write(memberText('alice', 'p1'))
    t.strictSame(await recipientsOf(id), [{ ...alice, participantId: 'p1', since: 1 }])
    await write(memberText('alice', 'p1', { since: 1, more: 'changed' }))
    t.strictSame(await recipientsOf(id), [{ ...alice, participantId: 'p1', since: 1 }], 'a change keeps it')
    await write(memberText('alice', 'p2'))
    t.strictSame(await recipientsOf(id), [{ ...alice, participantId: 'p2', since: 5 }], 'a new participation does not')
    t.equal(await memberCount(id), 1)
    await write(null)
    t.equal(await memberCount(id), 0)
    t.strictSame(await recipientsOf(id), [])
  })

  t.test('each device of a user is a recipient of its own', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, joinOf(lab, 'alice'))
    await commitRoom(t, lab, id, { writes: { 'member:b': memberText('alice', 'p2', { device: 'laptop' }) } })
    t.strictSame(
      (await recipientsOf(id)).map(({ device, participantId }) => [device, participantId]),
      [
        ['phone', 'p-alice'],
        ['laptop', 'p2']
      ]
    )
  })

  t.test('the heads of a group are the first lines of its fields, beside a field that is read whole', async t => {
    const id = lab.id('r')
    const [alice, bob] = [memberText('alice', 'p1', { more: 'x'.repeat(4000) }), memberText('bob', 'p2')]
    await commitRoom(t, lab, id, { writes: { 'member:a': alice, 'member:b': bob, 'user:a': '1', settings: '{}' } })
    const stamp = { version: 1, tag: 'tag' }
    t.strictSame(
      (await rooms.load(id, ['member:a', 'member::']))?.fields,
      new Map([
        ['member:a', { ...stamp, value: alice }],
        ['member::a', { ...stamp, value: alice.split('\n')[0] ?? '' }],
        ['member::b', { ...stamp, value: bob.split('\n')[0] ?? '' }]
      ])
    )
  })

  t.test('a full room lets no new device in, and nothing is written', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, joinOf(lab, 'alice', { membersMax: 1 }))
    t.strictSame(await rooms.commit(id, joinOf(lab, 'bob', { membersMax: 1 })), { status: 'full', of: 'members' })
    t.strictSame([...((await rooms.load(id, 'all'))?.fields.keys() ?? [])], ['member:alice'])
    t.equal((await rooms.load(id, []))?.version, 1)
  })

  t.test('a full room goes on: devices join again and leave, and other commits succeed', async t => {
    const id = lab.id('r')
    const full = { membersMax: 1 }
    await commitRoom(t, lab, id, joinOf(lab, 'alice', full))
    await commitRoom(t, lab, id, { ...full, writes: { 'member:alice': memberText('alice', 'p2') } })
    await commitRoom(t, lab, id, { ...full, writes: { a: '1', 'user:alice': '{}' } })
    await commitRoom(t, lab, id, { ...full, writes: { 'member:bob': null } })
    await commitRoom(t, lab, id, { membersMax: 0, writes: { 'member:alice': null } })
    await commitRoom(t, lab, id, joinOf(lab, 'bob', full))
    t.equal(await memberCount(id), 1)
  })

  t.test('a conflict comes before a full room: what was decided on is no longer so', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, joinOf(lab, 'alice'))
    t.strictSame(await rooms.commit(id, joinOf(lab, 'alice', { membersMax: 1 })), { status: 'conflict' })
  })

  t.test('of fifty devices that join a room of ten at once, ten get in', async t => {
    const id = lab.id('r')
    const joins = Array.from({ length: 50 }, (_, n) => rooms.commit(id, joinOf(lab, `user-${n}`, { membersMax: 10 })))
    const results = await Promise.all(joins)
    t.equal(results.filter(({ status }) => status === 'ok').length, 10)
    t.equal(results.filter(({ status }) => status === 'full').length, 40)
    const found = await rooms.load(id, 'all')
    t.strictSame([found?.version, found?.memberCount, found?.fields.size], [10, 10, 10])
  })

  t.test('two who join with one commit both get in, or none', async t => {
    const id = lab.id('r')
    const writes = { 'member:a': memberText('alice', 'p1'), 'member:b': memberText('bob', 'p2') }
    const both = { writes, membersMax: 1 }
    t.strictSame(await rooms.commit(id, roomCommitOf(lab, both)), { status: 'full', of: 'members' })
    t.equal(await rooms.load(id, 'all'), null)
    await commitRoom(t, lab, id, { ...both, membersMax: 2 })
    t.equal(await memberCount(id), 2)
  })
}
