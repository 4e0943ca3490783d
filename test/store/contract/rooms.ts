import type { Test } from 'tap'
import type { Lab } from '../contract.js'
import { commitRoom, joinOf, participantText, roomCommitOf, roomStamp, tellAll } from './room-fixtures.js'

export function roomContract(t: Test, lab: Lab): void {
  const { rooms } = lab.store
  const at = roomStamp

  t.test('a room that was never committed does not exist', async t => {
    const id = lab.id('r')
    t.equal(await rooms.load(id, 'all'), null)
    t.equal(await rooms.load(id, []), null)
    t.strictSame(await rooms.log(id, { limit: 10 }), [])
  })

  t.test('a commit makes the next version, and each field keeps the version that wrote it', async t => {
    const id = lab.id('r')
    const value = JSON.stringify({ text: 'grüße | "quoted" \u2028 🎥', nested: [1, null] })
    const first = await rooms.commit(id, roomCommitOf(lab, { writes: { settings: value, 'participant:a': '1' } }))
    t.strictSame(first, { status: 'ok', version: 1, fanoutLease: false })
    t.equal(await commitRoom(t, lab, id, { writes: { 'participant:a': '2', 'participant:b': '""' } }), 2)
    t.equal(await commitRoom(t, lab, id), 3, 'a commit that writes nothing counts as well')
    const fields = new Map([
      ['settings', { version: 1, tag: 'tag', value }],
      ['participant:a', { version: 2, tag: 'tag', value: '2' }],
      ['participant:b', { version: 2, tag: 'tag', value: '""' }]
    ])
    t.same(await rooms.load(id, 'all'), { version: 3, fields, participantCount: 2, publishedVersion: 3 })
  })

  t.test('load gives the fields asked for, as far as they exist', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, { writes: { a: '1', b: '2', v: '3', x: '4', d: '5' } })
    const read = async (fields: readonly string[] | 'all') => [...((await rooms.load(id, fields))?.fields.keys() ?? [])]
    t.strictSame(await read(['a', 'missing']), ['a'])
    t.strictSame((await read(['b', 'a'])).sort(), ['a', 'b'])
    t.strictSame(await read([]), [])
    t.strictSame((await read('all')).sort(), ['a', 'b', 'd', 'v', 'x'], 'any name is the caller’s')
    t.same((await rooms.load(id, ['v', 'x', 'd']))?.fields.get('x'), { version: 1, tag: 'tag', value: '4' })
  })

  t.test('a group is read by its name and a colon, and with it nothing else', async t => {
    const id = lab.id('r')
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
    await commitRoom(t, lab, id, { writes: Object.fromEntries(names.map(name => [name, '1'])) })
    const read = async (...fields: string[]) => [...((await rooms.load(id, fields))?.fields.keys() ?? [])].sort()
    t.strictSame(await read('participant:'), ['participant:', 'participant:a', 'participant:b'])
    t.strictSame(await read('other:', 'settings'), ['other:a', 'other:b', 'settings'])
    t.strictSame(await read('+ban:'), ['+ban:a', '+ban:b'])
    t.strictSame(await read('user:', 'invitation:b', 'invitation:a', 'participant:a'), [
      'invitation:a',
      'participant:a',
      'user:a'
    ])
    await commitRoom(t, lab, id, {
      reads: { 'invitation:a': at(1), 'participant:c': null },
      writes: { 'invitation:a': null, 'participant:a': '2' }
    })
    t.strictSame(await read('invitation:'), [])
    const late = { reads: { 'participant:a': at(1) }, writes: { 'participant:a': '3' } }
    t.strictSame(await rooms.commit(id, roomCommitOf(lab, late)), { status: 'conflict' })
  })

  t.test('what was loaded does not change with the room', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, { writes: { a: '1' } })
    const before = await rooms.load(id, 'all')
    await commitRoom(t, lab, id, { writes: { a: '2' } })
    t.same(before?.fields.get('a'), { version: 1, tag: 'tag', value: '1' })
  })

  t.test('null takes a field away, and it may come again', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, { writes: { a: '1', b: '1' } })
    await commitRoom(t, lab, id, { writes: { a: null, missing: null } })
    t.strictSame([...((await rooms.load(id, 'all'))?.fields.keys() ?? [])], ['b'])
    t.equal(await commitRoom(t, lab, id, { reads: { a: null }, writes: { a: '3' } }), 3)
  })

  t.test('a commit stands on the fields it read, and on nothing else', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, { writes: { a: '1', b: '1' } })
    await commitRoom(t, lab, id, { writes: { b: '2' } })
    t.equal(
      await commitRoom(t, lab, id, { reads: { a: at(1), missing: null }, writes: { a: '3' } }),
      3,
      'b is not its concern'
    )
  })

  t.test('a field that was read and changed, went, or appeared is a conflict, and nothing is written', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, { writes: { a: '1', gone: '1', steady: '1' } })
    await commitRoom(t, lab, id, { writes: { a: '2', gone: null, appeared: '2' } })
    const before = await rooms.load(id, 'all')
    const all = {
      writes: { a: '"late"', steady: null, 'participant:eve': participantText('eve', 'p-eve') },
      logEntry: { id: 'late', value: '1', keep: 9 },
      items: [tellAll(1)],
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
      t.strictSame(await rooms.commit(id, roomCommitOf(lab, { ...all, reads })), { status: 'conflict' })
    }
    t.same(await rooms.load(id, 'all'), before)
    t.strictSame(await rooms.log(id, { limit: 9 }), [])
    t.equal(await commitRoom(t, lab, id, { reads: { a: at(2), steady: at(1), gone: null, appeared: at(2) } }), 3)
  })

  t.test('a version read of a room that does not exist is a conflict, and makes none', async t => {
    const id = lab.id('r')
    t.strictSame(await rooms.commit(id, roomCommitOf(lab, { reads: { a: at(3) } })), { status: 'conflict' })
    t.equal(await rooms.load(id, 'all'), null)
  })

  t.test('of many who decide on the same field exactly one wins', async t => {
    const id = lab.id('r')
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        rooms.commit(id, roomCommitOf(lab, { reads: { a: null }, writes: { a: `${n}` } }))
      )
    )
    const winners = all.flatMap(({ status }, n) => (status === 'ok' ? [n] : []))
    t.equal(winners.length, 1)
    t.same((await rooms.load(id, ['a']))?.fields.get('a'), { version: 1, tag: 'tag', value: `${winners[0]}` })
  })

  t.test('a hundred people who join at once do not fight', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, { writes: { settings: '{}' } })
    const people = Array.from({ length: 100 }, (_, n) => `user-${n}`)
    const joins = people.map(user => joinOf(lab, user, { reads: { settings: at(1), [`participant:${user}`]: null } }))
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
