import type { Test } from 'tap'
import type { StoreFixture } from '../contract.js'
import { commitRoom, publishItem, roomCommitOf } from './room-fixtures.js'

export function logContract(t: Test, fixture: StoreFixture): void {
  const { rooms } = fixture.store
  const entryOf = (n: number | string, keep = 100) => ({ id: `l${n}`, value: `"${n}"`, keep })

  /** A room whose versions 2, 4 … `2 * count` each wrote a log entry. */
  async function createRoom(t: Test, count: number, keep?: number): Promise<string> {
    const id = fixture.id('r')
    for (let n = 1; n <= count; n++) {
      await commitRoom(t, fixture, id)
      await commitRoom(t, fixture, id, { logEntry: entryOf(2 * n, keep) })
    }
    return id
  }
  const versions = async (id: string, options: { before?: number; after?: number; limit: number }) =>
    (await rooms.log(id, options)).map(({ version }) => version)

  t.test('a log entry is kept unchanged, with the version that wrote it', async t => {
    const id = fixture.id('r')
    const value = JSON.stringify({ text: 'grüße | "quoted" \u2028 🎥' })
    await commitRoom(t, fixture, id, { logEntry: { id: 'first', value, keep: 9 } })
    await commitRoom(t, fixture, id, { writes: { a: '1' } })
    await commitRoom(t, fixture, id, { logEntry: { id: 'second', value: '""', keep: 9 } })
    t.strictSame(await rooms.log(id, { limit: 9 }), [
      { id: 'first', value, version: 1 },
      { id: 'second', value: '""', version: 3 }
    ])
  })

  t.test('log returns the entries nearest to `after` or `before`, always oldest first', async t => {
    const id = await createRoom(t, 6)
    t.strictSame(await versions(id, { limit: 3 }), [8, 10, 12], 'the newest')
    t.strictSame(await versions(id, { before: 8, limit: 2 }), [4, 6])
    t.strictSame(await versions(id, { before: 9, limit: 2 }), [6, 8])
    t.strictSame(await versions(id, { before: 4, limit: 9 }), [2])
    t.strictSame(await versions(id, { before: 2, limit: 9 }), [])
    t.strictSame(await versions(id, { before: 0, limit: 9 }), [])
    t.strictSame(await versions(id, { before: 999, limit: 1 }), [12])
    t.strictSame(await versions(id, { after: 0, limit: 2 }), [2, 4])
    t.strictSame(await versions(id, { after: 4, limit: 2 }), [6, 8])
    t.strictSame(await versions(id, { after: 5, limit: 2 }), [6, 8])
    t.strictSame(await versions(id, { after: 12, limit: 2 }), [])
    t.strictSame(await versions(id, { after: 2, before: 10, limit: 9 }), [4, 6, 8])
    t.strictSame(await versions(id, { after: 2, before: 10, limit: 2 }), [4, 6], 'nearest to after')
  })

  t.test('a commit returns the entries that its own entry displaces', async t => {
    const id = await createRoom(t, 3)
    const dropped = async (n: number, keep: number) => {
      const result = await rooms.commit(id, roomCommitOf(fixture, { logEntry: entryOf(n, keep) }))
      return result.status === 'ok' ? result.excess : result.status
    }
    t.equal(await dropped(7, 4), undefined, 'none')
    t.strictSame(await dropped(8, 4), [{ id: 'l2', value: '"2"', version: 2 }])
    t.strictSame(await dropped(9, 2), [
      { id: 'l4', value: '"4"', version: 4 },
      { id: 'l6', value: '"6"', version: 6 },
      { id: 'l7', value: '"7"', version: 7 }
    ])
    t.equal(await dropped(9, 1), 'known')
  })

  t.test('with keepsExcess the excess entries are kept and returned again until they are trimmed', async t => {
    const id = await createRoom(t, 3)
    const excess = async (n: number) => {
      const result = await rooms.commit(
        id,
        roomCommitOf(fixture, { logEntry: { ...entryOf(n, 3), keepsExcess: true } })
      )
      return result.status === 'ok' ? result.excess?.map(({ version }) => version) : result.status
    }
    t.strictSame(await excess(7), [2])
    t.strictSame(await excess(8), [2, 4])
    t.strictSame(await versions(id, { limit: 9 }), [2, 4, 6, 7, 8])
    t.equal(await excess(2), 'known')
    await rooms.trimLog(id, { version: 4, id: 'of-another-history' })
    t.strictSame(await versions(id, { limit: 9 }), [2, 4, 6, 7, 8])
    for (let n = 0; n < 2; n++) await rooms.trimLog(id, { version: 4, id: 'l4' })
    t.strictSame(await versions(id, { limit: 9 }), [6, 7, 8])
    t.strictSame(await excess(2), [6], 'the id of a trimmed entry is not known')
    await rooms.trimLog(fixture.id('r'), { version: 4, id: 'l2' })
  })

  t.test('an entry with a known id is refused, and nothing is written', async t => {
    const id = await createRoom(t, 2)
    const again = { logEntry: { ...entryOf(2), value: '"other"' }, writes: { a: '1' }, items: [publishItem(1)] }
    t.strictSame(await rooms.commit(id, roomCommitOf(fixture, again)), { status: 'known', version: 2 })
    t.same(await rooms.load(id, 'all'), { version: 4, fields: new Map(), participantCount: 0, publishedVersion: 4 })
    t.strictSame(
      (await rooms.log(id, { limit: 9 })).map(({ value }) => value),
      ['"2"', '"4"']
    )
  })

  t.test('of many concurrent commits of one entry, one is written', async t => {
    const id = fixture.id('r')
    const commit = roomCommitOf(fixture, { logEntry: entryOf(1) })
    const results = await Promise.all(Array.from({ length: 10 }, () => rooms.commit(id, commit)))
    t.equal(results.filter(({ status }) => status === 'ok').length, 1)
    t.equal(results.filter(({ status }) => status === 'known').length, 9)
    t.strictSame(await versions(id, { limit: 9 }), [1])
  })

  t.test('the newest entries are kept; older ones are removed together with their ids', async t => {
    const id = await createRoom(t, 5, 3)
    t.strictSame(await versions(id, { limit: 99 }), [6, 8, 10])
    t.strictSame(await rooms.commit(id, roomCommitOf(fixture, { logEntry: entryOf(6) })), {
      status: 'known',
      version: 6
    })
    t.equal(await commitRoom(t, fixture, id, { logEntry: entryOf(4, 3) }), 11, 'entry 4 is not known any more')
    t.strictSame(await versions(id, { limit: 99 }), [8, 10, 11])
    t.equal(await commitRoom(t, fixture, id, { logEntry: entryOf('last', 1) }), 12, 'the commit keeps fewer entries')
    t.strictSame(await versions(id, { limit: 99 }), [12])
    t.equal(await commitRoom(t, fixture, id, { logEntry: entryOf(8) }), 13)
  })
}
