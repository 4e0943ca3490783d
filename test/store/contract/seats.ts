import type { Test } from 'tap'
import type { Lab } from '../contract.js'
import { commitRoom, joinOf, nextBatch, room, roomCommitOf, roomStamp, seatOf, tellAll } from './given-rooms.js'

export function seatContract(t: Test, lab: Lab): void {
  const { rooms } = lab.store

  /** Who sits where since when, as fan-out reads it; nothing is left to be published. */
  async function seatsOf(id: string) {
    const version = await commitRoom(t, lab, id, { items: [tellAll('look')] })
    const step = await nextBatch(lab, room(id))
    const seats = step.status === 'batch' ? step.recipients : []
    await nextBatch(lab, room(id), { published: roomStamp(version) })
    return [...seats].sort((a, b) => a.since - b.since)
  }

  t.test('a seat goes from nobody to a participant, on to another, and back to nobody', async t => {
    const id = lab.id('r')
    const alice = { user: 'alice', device: 'phone' }
    await commitRoom(t, lab, id, { moves: [seatOf('alice', null, 'p1')] })
    t.strictSame(await seatsOf(id), [{ ...alice, participantId: 'p1', since: 1 }])
    await commitRoom(t, lab, id, { moves: [seatOf('alice', 'p1', 'p2')] })
    t.strictSame(await seatsOf(id), [{ ...alice, participantId: 'p2', since: 3 }])
    t.equal((await rooms.load(id, []))?.seats, 1)
    await commitRoom(t, lab, id, { moves: [seatOf('alice', 'p2', null)] })
    t.equal((await rooms.load(id, []))?.seats, 0)
    t.strictSame(await seatsOf(id), [])
  })

  t.test('a seat that stays with its participant was given to them when it was', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, { moves: [seatOf('alice', null, 'p1')] })
    await commitRoom(t, lab, id, { moves: [seatOf('alice', 'p1', 'p1')] })
    await commitRoom(t, lab, id, { moves: [seatOf('bob', null, null)] })
    t.strictSame(await seatsOf(id), [{ user: 'alice', device: 'phone', participantId: 'p1', since: 1 }])
  })

  t.test('nothing is written unless the seat is whose it was thought to be', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, { moves: [seatOf('alice', null, 'p1')] })
    for (const seat of [
      seatOf('alice', null, 'p2'),
      seatOf('alice', 'p', 'p2'),
      seatOf('alice', 'p2', null),
      seatOf('alice', null, null),
      seatOf('bob', 'p1', null),
      { ...seatOf('alice', 'p1', 'p2'), device: 'laptop' }
    ]) {
      const late = roomCommitOf(lab, { moves: [seat], writes: { a: '1' }, items: [tellAll(1)] })
      t.strictSame(await rooms.commit(id, late), { status: 'conflict' })
    }
    t.same(await rooms.load(id, 'all'), { version: 1, fields: new Map(), seats: 1, publishedVersion: 1 })
  })

  t.test('each device of a user has a seat of its own', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, { moves: [seatOf('alice', null, 'p1')] })
    await commitRoom(t, lab, id, { moves: [{ ...seatOf('alice', null, 'p2'), device: 'laptop' }] })
    t.strictSame(
      (await seatsOf(id)).map(({ device, participantId }) => [device, participantId]),
      [
        ['phone', 'p1'],
        ['laptop', 'p2']
      ]
    )
  })

  t.test('when all seats are taken nobody new gets one, and nothing is written', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, joinOf(lab, 'alice', { seatsMax: 1 }))
    t.strictSame(await rooms.commit(id, joinOf(lab, 'bob', { seatsMax: 1 })), { status: 'full', of: 'seats' })
    t.strictSame([...((await rooms.load(id, 'all'))?.fields.keys() ?? [])], ['member:alice'])
    t.equal((await rooms.load(id, []))?.version, 1)
  })

  t.test('a full room goes on: seats change hands and are left, and commits without a seat succeed', async t => {
    const id = lab.id('r')
    const full = { seatsMax: 1 }
    await commitRoom(t, lab, id, joinOf(lab, 'alice', full))
    await commitRoom(t, lab, id, { ...full, moves: [seatOf('alice', 'p-alice', 'p2')] })
    await commitRoom(t, lab, id, { ...full, writes: { a: '1' } })
    await commitRoom(t, lab, id, { ...full, moves: [seatOf('bob', null, null)] })
    await commitRoom(t, lab, id, { seatsMax: 0, moves: [seatOf('alice', 'p2', null)] })
    await commitRoom(t, lab, id, joinOf(lab, 'bob', full))
    t.equal((await rooms.load(id, []))?.seats, 1)
  })

  t.test('a conflict comes before a full room: what was decided on is no longer so', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, joinOf(lab, 'alice'))
    t.strictSame(await rooms.commit(id, joinOf(lab, 'alice', { seatsMax: 1 })), { status: 'conflict' })
  })

  t.test('of fifty who want ten seats, ten get one', async t => {
    const id = lab.id('r')
    const joins = Array.from({ length: 50 }, (_, n) => rooms.commit(id, joinOf(lab, `user-${n}`, { seatsMax: 10 })))
    const results = await Promise.all(joins)
    t.equal(results.filter(({ status }) => status === 'ok').length, 10)
    t.equal(results.filter(({ status }) => status === 'full').length, 40)
    const found = await rooms.load(id, 'all')
    t.strictSame([found?.version, found?.seats, found?.fields.size], [10, 10, 10])
    t.strictSame(
      results.flatMap(result => (result.status === 'ok' ? [result.seats] : [])).sort((a, b) => a - b),
      Array.from({ length: 10 }, (_, n) => n + 1)
    )
  })

  t.test('all seats of a commit change, or none', async t => {
    const id = lab.id('r')
    const laptop = { ...seatOf('alice', null, 'p2'), device: 'laptop' }
    await commitRoom(t, lab, id, { moves: [seatOf('alice', null, 'p1')] })
    await commitRoom(t, lab, id, { moves: [laptop] })
    const leaving = [seatOf('alice', 'p1', null), { ...laptop, from: 'p2', to: null }]
    const late = [leaving[0], { ...laptop, from: 'p3', to: null }] as typeof leaving
    t.strictSame(await rooms.commit(id, roomCommitOf(lab, { moves: late })), { status: 'conflict' })
    t.equal((await rooms.load(id, []))?.seats, 2)
    await commitRoom(t, lab, id, { moves: leaving })
    t.equal((await rooms.load(id, []))?.seats, 0)
  })
}
