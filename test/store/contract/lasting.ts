import type { Test } from 'tap'
import { LASTING, LASTING_MAX, LASTING_MS } from '../../../src/store/rooms.js'
import { until } from '../../helpers/until.js'
import type { StoreFixture } from '../contract.js'
import { commitRoom, joinOf, roomCommitOf, roomStamp } from './room-fixtures.js'

const name = (text: string | number) => `${LASTING}${text}`

export function lastingContract(t: Test, fixture: StoreFixture): void {
  const { rooms } = fixture.store
  // Expiry runs on the clock of the engine, which is real time on Redis: the manual clock advances until the room has expired.
  const isGone = (id: string) => async () => {
    fixture.clock.advance(5)
    return (await rooms.load(id, []))?.version !== 1
  }
  const fieldsOf = async (id: string, names: readonly string[] | 'all' = 'all') =>
    Object.fromEntries((await rooms.load(id, names))?.fields ?? [])

  t.test('a lasting field is read and written as any other', async t => {
    const id = fixture.id('r')
    await commitRoom(t, fixture, id, { writes: { [name('a')]: '{"x":1}', a: '2' } })
    const written = {
      [name('a')]: { version: 1, tag: 'tag', value: '{"x":1}' },
      a: { version: 1, tag: 'tag', value: '2' }
    }
    t.strictSame(await fieldsOf(id), written)
    t.strictSame(await fieldsOf(id, [name('a'), 'b']), { [name('a')]: written[name('a')] })
    const late = roomCommitOf(fixture, { reads: { [name('a')]: null }, writes: { [name('a')]: '3' } })
    t.strictSame(await rooms.commit(id, late), { status: 'conflict' })
    await commitRoom(t, fixture, id, { reads: { [name('a')]: roomStamp(1) }, writes: { [name('a')]: null } })
    t.strictSame(await fieldsOf(id), { a: written.a })
  })

  t.test('a lasting field outlives its room, and belongs to the next room of this id', async t => {
    const id = fixture.id('r')
    await commitRoom(t, fixture, id, joinOf(fixture, 'alice', { writes: { [name('a')]: '1', a: '1' }, expireInMs: 20 }))
    await until('the room has expired', isGone(id))
    t.strictSame(await rooms.load(id, 'all'), {
      version: 0,
      fields: new Map([[name('a'), { version: 1, tag: 'tag', value: '1' }]]),
      participantCount: 0,
      publishedVersion: 0
    })
    const unaware = roomCommitOf(fixture, { reads: { [name('a')]: null }, writes: { a: '2' } })
    t.strictSame(await rooms.commit(id, unaware), { status: 'conflict' })
    await commitRoom(t, fixture, id, { reads: { [name('a')]: roomStamp(1), a: null }, writes: { a: '2' } })
    t.strictSame(Object.keys(await fieldsOf(id)).sort(), [name('a'), 'a'])
  })

  t.test('nothing is left of an expired room once its last lasting field is removed', async t => {
    const id = fixture.id('r')
    await commitRoom(t, fixture, id, { writes: { [name('a')]: '1' } })
    await commitRoom(t, fixture, id, { writes: { [name('a')]: null }, expireInMs: 20 })
    await until('the room has expired', async () => {
      fixture.clock.advance(5)
      return (await rooms.load(id, 'all')) === null
    })
  })

  t.test('a commit with too many lasting fields is refused, and writes nothing', async t => {
    const id = fixture.id('r')
    const some = (from: number, to: number) =>
      Object.fromEntries(Array.from({ length: to - from }, (_, i) => [name(from + i), '1']))
    await commitRoom(t, fixture, id, { writes: some(0, LASTING_MAX - 1) })
    const more = roomCommitOf(fixture, { writes: { ...some(LASTING_MAX - 1, LASTING_MAX + 1), a: '1' } })
    t.strictSame(await rooms.commit(id, more), { status: 'full', of: 'lasting' })
    t.equal((await rooms.load(id, ['a']))?.fields.size, 0)
    await commitRoom(t, fixture, id, { writes: some(LASTING_MAX - 1, LASTING_MAX) })
    await commitRoom(t, fixture, id, { writes: { [name(0)]: '2' } })
    await commitRoom(t, fixture, id, { writes: { [name(0)]: null, a: '1' } })
    t.equal((await rooms.load(id, 'all'))?.fields.size, LASTING_MAX)
  })

  t.test('lasting fields are kept for a year after the last commit', async t => {
    t.equal(LASTING_MS, 365 * 86_400_000)
  })
}
