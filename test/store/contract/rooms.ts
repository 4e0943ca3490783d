import type { Test } from 'tap'
import type { StoreFixture } from '../contract.js'
import { commitRoom, joinOf, participantText, publishItem, roomCommitOf, roomStamp } from './room-fixtures.js'

export function roomContract(t: Test, fixture: StoreFixture): void {
  const { rooms } = fixture.store
  const at = roomStamp

  t.test('load resolves to null for a room that was never committed', async t => {
    const id = fixture.id('r')
    t.equal(await rooms.load(id, 'all'), null)
    t.equal(await rooms.load(id, []), null)
    t.strictSame(await rooms.log(id, { limit: 10 }), [])
  })

  t.test('a commit makes the next version, and each field has the version that wrote it', async t => {
    const id = fixture.id('r')
    const value = JSON.stringify({ text: 'grüße | "quoted" \u2028 🎥', nested: [1, null] })
    const first = await rooms.commit(id, roomCommitOf(fixture, { writes: { settings: value, 'participant:a': '1' } }))
    t.strictSame(first, { status: 'ok', version: 1, fanoutLease: false })
    t.equal(await commitRoom(t, fixture, id, { writes: { 'participant:a': '2', 'participant:b': '""' } }), 2)
    t.equal(await commitRoom(t, fixture, id), 3, 'a commit without writes counts, too')
    const fields = new Map([
      ['settings', { version: 1, tag: 'tag', value }],
      ['participant:a', { version: 2, tag: 'tag', value: '2' }],
      ['participant:b', { version: 2, tag: 'tag', value: '""' }]
    ])
    t.same(await rooms.load(id, 'all'), { version: 3, fields, participantCount: 2, publishedVersion: 3 })
  })

  t.test('load returns the requested fields that exist', async t => {
    const id = fixture.id('r')
    await commitRoom(t, fixture, id, { writes: { a: '1', b: '2', v: '3', x: '4', d: '5' } })
    const read = async (fields: readonly string[] | 'all') => [...((await rooms.load(id, fields))?.fields.keys() ?? [])]
    t.strictSame(await read(['a', 'missing']), ['a'])
    t.strictSame((await read(['b', 'a'])).sort(), ['a', 'b'])
    t.strictSame(await read([]), [])
    t.strictSame((await read('all')).sort(), ['a', 'b', 'd', 'v', 'x'], 'no name is reserved')
    t.same((await rooms.load(id, ['v', 'x', 'd']))?.fields.get('x'), { version: 1, tag: 'tag', value: '4' })
  })

  t.test('a group is read by its name and a colon, without fields of other groups', async t => {
    const id = fixture.id('r')
    const names = [
      'participant:a',
      'participant:b',
      'participant:',
      'invitation:a',
      'user:a',
      'other:a',
      'other:b',
      'settings',
      '+ban:a',
      '+ban:b',
      '+role:a'
    ]
    await commitRoom(t, fixture, id, { writes: Object.fromEntries(names.map(name => [name, '1'])) })
    const read = async (...fields: string[]) => [...((await rooms.load(id, fields))?.fields.keys() ?? [])].sort()
    t.strictSame(await read('participant:'), ['participant:', 'participant:a', 'participant:b'])
    t.strictSame(await read('other:', 'settings'), ['other:a', 'other:b', 'settings'])
    t.strictSame(await read('+ban:'), ['+ban:a', '+ban:b'])
    t.strictSame(await read('user:', 'invitation:b', 'invitation:a', 'participant:a'), [
      'invitation:a',
      'participant:a',
      'user:a'
    ])
    await commitRoom(t, fixture, id, {
      reads: { 'invitation:a': at(1), 'participant:c': null },
      writes: { 'invitation:a': null, 'participant:a': '2' }
    })
    t.strictSame(await read('invitation:'), [])
    const late = { reads: { 'participant:a': at(1) }, writes: { 'participant:a': '3' } }
    t.strictSame(await rooms.commit(id, roomCommitOf(fixture, late)), { status: 'conflict' })
  })

  t.test('a snapshot does not change with the room', async t => {
    const id = fixture.id('r')
    await commitRoom(t, fixture, id, { writes: { a: '1' } })
    const before = await rooms.load(id, 'all')
    await commitRoom(t, fixture, id, { writes: { a: '2' } })
    t.same(before?.fields.get('a'), { version: 1, tag: 'tag', value: '1' })
  })

  t.test('null removes a field, which may be written again', async t => {
    const id = fixture.id('r')
    await commitRoom(t, fixture, id, { writes: { a: '1', b: '1' } })
    await commitRoom(t, fixture, id, { writes: { a: null, missing: null } })
    t.strictSame([...((await rooms.load(id, 'all'))?.fields.keys() ?? [])], ['b'])
    t.equal(await commitRoom(t, fixture, id, { reads: { a: null }, writes: { a: '3' } }), 3)
  })

  t.test('a commit is conditional on the fields that it read, and on no others', async t => {
    const id = fixture.id('r')
    await commitRoom(t, fixture, id, { writes: { a: '1', b: '1' } })
    await commitRoom(t, fixture, id, { writes: { b: '2' } })
    t.equal(
      await commitRoom(t, fixture, id, { reads: { a: at(1), missing: null }, writes: { a: '3' } }),
      3,
      'b was not read'
    )
  })

  t.test('a commit conflicts if a field that it read was changed, removed or added, and writes nothing', async t => {
    const id = fixture.id('r')
    await commitRoom(t, fixture, id, { writes: { a: '1', gone: '1', steady: '1' } })
    await commitRoom(t, fixture, id, { writes: { a: '2', gone: null, appeared: '2' } })
    const before = await rooms.load(id, 'all')
    const all = {
      writes: { a: '"late"', steady: null, 'participant:eve': participantText('eve', 'p-eve') },
      logEntry: { id: 'late', value: '1', keep: 9 },
      items: [publishItem(1)],
      deadlineAt: 1,
      emptyDeadlineAt: 1,
      expireInMs: 1
    }
    for (const reads of [
      { a: at(1) },
      { steady: at(1), a: at(3) },
      { gone: at(1) },
      { steady: at(1), appeared: null },
      { a: at(22) },
      { a: at(2, 'forgotten') }
    ]) {
      t.strictSame(await rooms.commit(id, roomCommitOf(fixture, { ...all, reads })), { status: 'conflict' })
    }
    t.same(await rooms.load(id, 'all'), before)
    t.strictSame(await rooms.log(id, { limit: 9 }), [])
    t.equal(await commitRoom(t, fixture, id, { reads: { a: at(2), steady: at(1), gone: null, appeared: at(2) } }), 3)
  })

  t.test('a commit that read a field of a room that does not exist conflicts, and creates no room', async t => {
    const id = fixture.id('r')
    t.strictSame(await rooms.commit(id, roomCommitOf(fixture, { reads: { a: at(3) } })), { status: 'conflict' })
    t.equal(await rooms.load(id, 'all'), null)
  })

  t.test('of many concurrent commits that read the same field exactly one is written', async t => {
    const id = fixture.id('r')
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        rooms.commit(id, roomCommitOf(fixture, { reads: { a: null }, writes: { a: `${n}` } }))
      )
    )
    const winners = all.flatMap(({ status }, n) => (status === 'ok' ? [n] : []))
    t.equal(winners.length, 1)
    t.same((await rooms.load(id, ['a']))?.fields.get('a'), { version: 1, tag: 'tag', value: `${winners[0]}` })
  })

  t.test('a hundred concurrent joins do not conflict', async t => {
    const id = fixture.id('r')
    await commitRoom(t, fixture, id, { writes: { settings: '{}' } })
    const people = Array.from({ length: 100 }, (_, n) => `user-${n}`)
    const joins = people.map(user =>
      joinOf(fixture, user, { reads: { settings: at(1), [`participant:${user}`]: null } })
    )
    const results = await Promise.all(joins.map(join => rooms.commit(id, join)))
    const versions = results.map(result => (result.status === 'ok' ? result.version : 0)).sort((a, b) => a - b)
    t.strictSame(
      versions,
      people.map((_, n) => n + 2)
    )
    const found = await rooms.load(id, 'all')
    t.strictSame([found?.version, found?.participantCount, found?.fields.size], [101, 100, 101])
  })
}
