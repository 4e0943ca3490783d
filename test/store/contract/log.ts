import type { Test } from 'tap'
import type { Lab } from '../contract.js'
import { commitRoom, roomCommitOf, tellAll } from './room-fixtures.js'

export function logContract(t: Test, lab: Lab): void {
  const { rooms } = lab.store
  const line = (n: number | string, keep = 100) => ({ id: `l${n}`, value: `"${n}"`, keep })

  /** A room whose versions 2, 4 … `2 * count` each wrote a line. */
  async function given(t: Test, count: number, keep?: number): Promise<string> {
    const id = lab.id('r')
    for (let n = 1; n <= count; n++) {
      await commitRoom(t, lab, id)
      await commitRoom(t, lab, id, { logEntry: line(2 * n, keep) })
    }
    return id
  }
  const versions = async (id: string, options: { before?: number; after?: number; limit: number }) =>
    (await rooms.log(id, options)).map(({ version }) => version)

  t.test('a line is kept as it was written, under the version that wrote it', async t => {
    const id = lab.id('r')
    const value = JSON.stringify({ text: 'grüße | "quoted" \u2028 🎥' })
    await commitRoom(t, lab, id, { logEntry: { id: 'first', value, keep: 9 } })
    await commitRoom(t, lab, id, { writes: { a: '1' } })
    await commitRoom(t, lab, id, { logEntry: { id: 'second', value: '""', keep: 9 } })
    t.strictSame(await rooms.log(id, { limit: 9 }), [
      { id: 'first', value, version: 1 },
      { id: 'second', value: '""', version: 3 }
    ])
  })

  t.test('the log is read both ways, the nearest lines first to come, always oldest first', async t => {
    const id = await given(t, 6)
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

  t.test('a commit says which lines are too many with its own', async t => {
    const id = await given(t, 3)
    const dropped = async (n: number, keep: number) => {
      const result = await rooms.commit(id, roomCommitOf(lab, { logEntry: line(n, keep) }))
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

  t.test('lines that are held stay, are named again, and go when they are trimmed', async t => {
    const id = await given(t, 3)
    const excess = async (n: number) => {
      const result = await rooms.commit(id, roomCommitOf(lab, { logEntry: { ...line(n, 3), keepsExcess: true } }))
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
    t.strictSame(await excess(2), [6], 'its id went with it')
    await rooms.trimLog(lab.id('r'), { version: 4, id: 'l2' })
  })

  t.test('a line that comes a second time is known by its id, and nothing is written', async t => {
    const id = await given(t, 2)
    const again = { logEntry: { ...line(2), value: '"other"' }, writes: { a: '1' }, items: [tellAll(1)] }
    t.strictSame(await rooms.commit(id, roomCommitOf(lab, again)), { status: 'known', version: 2 })
    t.same(await rooms.load(id, 'all'), { version: 4, fields: new Map(), participantCount: 0, publishedVersion: 4 })
    t.strictSame(
      (await rooms.log(id, { limit: 9 })).map(({ value }) => value),
      ['"2"', '"4"']
    )
  })

  t.test('of many retries at once one is written', async t => {
    const id = lab.id('r')
    const commit = roomCommitOf(lab, { logEntry: line(1) })
    const results = await Promise.all(Array.from({ length: 10 }, () => rooms.commit(id, commit)))
    t.equal(results.filter(({ status }) => status === 'ok').length, 1)
    t.equal(results.filter(({ status }) => status === 'known').length, 9)
    t.strictSame(await versions(id, { limit: 9 }), [1])
  })

  t.test('so many lines are kept; older ones go, and with them what is known of their ids', async t => {
    const id = await given(t, 5, 3)
    t.strictSame(await versions(id, { limit: 99 }), [6, 8, 10])
    t.strictSame(await rooms.commit(id, roomCommitOf(lab, { logEntry: line(6) })), { status: 'known', version: 6 })
    t.equal(await commitRoom(t, lab, id, { logEntry: line(4, 3) }), 11, 'line 4 is not known any more')
    t.strictSame(await versions(id, { limit: 99 }), [8, 10, 11])
    t.equal(await commitRoom(t, lab, id, { logEntry: line('last', 1) }), 12, 'fewer are kept from now on')
    t.strictSame(await versions(id, { limit: 99 }), [12])
    t.equal(await commitRoom(t, lab, id, { logEntry: line(8) }), 13)
  })
}
