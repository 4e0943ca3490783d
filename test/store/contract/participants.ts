import type { Test } from 'tap'
import type { StoreFixture } from '../contract.js'
import {
  commitRoom,
  joinOf,
  nextBatch,
  participantText,
  publishItem,
  room,
  roomCommitOf,
  roomStamp
} from './room-fixtures.js'

export function participantContract(t: Test, fixture: StoreFixture): void {
  const { rooms } = fixture.store

  /** The recipients, in the order in which they joined. Publishes the log. */
  async function recipientsOf(id: string) {
    const version = await commitRoom(t, fixture, id, { items: [publishItem('x')] })
    const step = await nextBatch(fixture, room(id))
    const recipients = step.status === 'batch' ? step.recipients : []
    await nextBatch(fixture, room(id), { published: roomStamp(version) })
    return [...recipients].sort((a, b) => a.since - b.since)
  }
  const participantCount = async (id: string) => (await rooms.load(id, []))?.participantCount

  t.test('a device is a recipient from the commit that added its field until the field is removed', async t => {
    const id = fixture.id('r')
    const alice = { user: 'alice', device: 'phone' }
    const write = (text: string | null) => commitRoom(t, fixture, id, { writes: { 'participant:a': text } })
    await write(participantText('alice', 'p1'))
    t.strictSame(await recipientsOf(id), [{ ...alice, participantId: 'p1', since: 1 }])
    await write(participantText('alice', 'p1', { since: 1, more: 'changed' }))
    t.strictSame(await recipientsOf(id), [{ ...alice, participantId: 'p1', since: 1 }], 'a changed field keeps `since`')
    await write(participantText('alice', 'p2'))
    t.strictSame(
      await recipientsOf(id),
      [{ ...alice, participantId: 'p2', since: 5 }],
      'a new participant has a new `since`'
    )
    t.equal(await participantCount(id), 1)
    await write(null)
    t.equal(await participantCount(id), 0)
    t.strictSame(await recipientsOf(id), [])
  })

  t.test('each device of a user is a separate recipient', async t => {
    const id = fixture.id('r')
    await commitRoom(t, fixture, id, joinOf(fixture, 'alice'))
    await commitRoom(t, fixture, id, {
      writes: { 'participant:b': participantText('alice', 'p2', { device: 'laptop' }) }
    })
    t.strictSame(
      (await recipientsOf(id)).map(({ device, participantId }) => [device, participantId]),
      [
        ['phone', 'p-alice'],
        ['laptop', 'p2']
      ]
    )
  })

  t.test(
    'the heads of a group are the first lines of its fields; a field that is also read by name is whole',
    async t => {
      const id = fixture.id('r')
      const [alice, bob] = [participantText('alice', 'p1', { more: 'x'.repeat(4000) }), participantText('bob', 'p2')]
      await commitRoom(t, fixture, id, {
        writes: { 'participant:a': alice, 'participant:b': bob, 'user:a': '1', settings: '{}' }
      })
      const stamp = { version: 1, tag: 'tag' }
      t.strictSame(
        (await rooms.load(id, ['participant:a', 'participant::']))?.fields,
        new Map([
          ['participant:a', { ...stamp, value: alice }],
          ['participant::a', { ...stamp, value: alice.split('\n')[0] ?? '' }],
          ['participant::b', { ...stamp, value: bob.split('\n')[0] ?? '' }]
        ])
      )
    }
  )

  t.test('a commit that adds a participant to a full room is refused, and writes nothing', async t => {
    const id = fixture.id('r')
    await commitRoom(t, fixture, id, joinOf(fixture, 'alice', { participantsMax: 1 }))
    t.strictSame(await rooms.commit(id, joinOf(fixture, 'bob', { participantsMax: 1 })), {
      status: 'full',
      of: 'participants'
    })
    t.strictSame([...((await rooms.load(id, 'all'))?.fields.keys() ?? [])], ['participant:alice'])
    t.equal((await rooms.load(id, []))?.version, 1)
  })

  t.test('in a full room devices can join again and leave, and other commits succeed', async t => {
    const id = fixture.id('r')
    const full = { participantsMax: 1 }
    await commitRoom(t, fixture, id, joinOf(fixture, 'alice', full))
    await commitRoom(t, fixture, id, { ...full, writes: { 'participant:alice': participantText('alice', 'p2') } })
    await commitRoom(t, fixture, id, { ...full, writes: { a: '1', 'user:alice': '{}' } })
    await commitRoom(t, fixture, id, { ...full, writes: { 'participant:bob': null } })
    await commitRoom(t, fixture, id, { participantsMax: 0, writes: { 'participant:alice': null } })
    await commitRoom(t, fixture, id, joinOf(fixture, 'bob', full))
    t.equal(await participantCount(id), 1)
  })

  t.test('a commit that conflicts in a full room is a conflict', async t => {
    const id = fixture.id('r')
    await commitRoom(t, fixture, id, joinOf(fixture, 'alice'))
    t.strictSame(await rooms.commit(id, joinOf(fixture, 'alice', { participantsMax: 1 })), { status: 'conflict' })
  })

  t.test('of fifty concurrent joins to a room of ten, ten succeed', async t => {
    const id = fixture.id('r')
    const joins = Array.from({ length: 50 }, (_, n) =>
      rooms.commit(id, joinOf(fixture, `user-${n}`, { participantsMax: 10 }))
    )
    const results = await Promise.all(joins)
    t.equal(results.filter(({ status }) => status === 'ok').length, 10)
    t.equal(results.filter(({ status }) => status === 'full').length, 40)
    const found = await rooms.load(id, 'all')
    t.strictSame([found?.version, found?.participantCount, found?.fields.size], [10, 10, 10])
  })

  t.test('a commit that adds two participants adds both or none', async t => {
    const id = fixture.id('r')
    const writes = { 'participant:a': participantText('alice', 'p1'), 'participant:b': participantText('bob', 'p2') }
    const both = { writes, participantsMax: 1 }
    t.strictSame(await rooms.commit(id, roomCommitOf(fixture, both)), { status: 'full', of: 'participants' })
    t.equal(await rooms.load(id, 'all'), null)
    await commitRoom(t, fixture, id, { ...both, participantsMax: 2 })
    t.equal(await participantCount(id), 2)
  })
}
