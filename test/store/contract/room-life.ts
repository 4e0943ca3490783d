import type { Test } from 'tap'
import { until } from '../../helpers/until.js'
import type { Lab } from '../contract.js'
import { claimOf, claimWithMarker, deliverTo } from './fixtures.js'
import { commitRoom, joinOf, nextBatch, room, roomStamp, tellAll } from './room-fixtures.js'

export function roomLifeContract(t: Test, lab: Lab): void {
  const { rooms } = lab.store
  const claim = (id: string) => claimOf(lab, id)
  const at = (ms: number) => lab.clock.now() + ms
  const nothing = { due: [], stale: [] }

  t.test('a room comes up by its deadline, as a room, and again when the hold is over', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, joinOf(lab, 'alice', { deadlineAt: at(1_000) }))
    lab.clock.advance(999)
    t.strictSame(await claim(id), nothing)
    lab.clock.advance(1)
    t.strictSame(await claim(id), { due: [room(id)], stale: [] })
    t.strictSame(await claim(id), nothing)
    lab.clock.advance(5_000)
    t.strictSame(await claim(id), { due: [room(id)], stale: [] })
  })

  t.test('a commit brings the deadline forward, never back, and null leaves it', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, joinOf(lab, 'alice', { deadlineAt: at(5_000) }))
    await commitRoom(t, lab, id, { deadlineAt: at(1_000) })
    await commitRoom(t, lab, id, { deadlineAt: at(9_000) })
    await commitRoom(t, lab, id, { deadlineAt: null })
    lab.clock.advance(999)
    t.strictSame(await claim(id), nothing)
    lab.clock.advance(1)
    t.strictSame(await claim(id), { due: [room(id)], stale: [] })
  })

  t.test('only a room in which nobody sits takes the deadline for empty ones', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, joinOf(lab, 'alice', { emptyDeadlineAt: at(1_000) }))
    lab.clock.advance(60_000)
    t.strictSame(await claim(id), nothing)
    await commitRoom(t, lab, id, { writes: { 'participant:alice': null }, emptyDeadlineAt: at(1_000) })
    lab.clock.advance(999)
    t.strictSame(await claim(id), nothing)
    lab.clock.advance(1)
    t.strictSame(await claim(id), { due: [room(id)], stale: [] }, 'the last one has left')
  })

  t.test('the deadline for empty rooms too brings forward, never back', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, { emptyDeadlineAt: at(9_000), deadlineAt: at(1_000) })
    await commitRoom(t, lab, id, { emptyDeadlineAt: at(500) })
    await commitRoom(t, lab, id, { emptyDeadlineAt: at(2_000), deadlineAt: at(1_000) })
    lab.clock.advance(499)
    t.strictSame(await claim(id), nothing)
    lab.clock.advance(1)
    t.strictSame(await claim(id), { due: [room(id)], stale: [] })
  })

  t.test('bringForward brings a deadline forward, never back, and makes none', async t => {
    const [id, without] = [lab.id('r'), lab.id('r')]
    await commitRoom(t, lab, id, joinOf(lab, 'alice', { deadlineAt: at(30_000) }))
    await rooms.bringForward(id, at(5_000))
    await rooms.bringForward(id, at(20_000))
    await commitRoom(t, lab, without, joinOf(lab, 'alice'))
    await rooms.bringForward(without, at(0))
    await rooms.bringForward(lab.id('missing'), at(0))
    t.strictSame(await claim(without), nothing)
    t.strictSame(await claim(id), nothing)
    lab.clock.advance(5_000)
    t.strictSame(await claim(id), { due: [room(id)], stale: [] })
    lab.clock.advance(60_000)
    t.strictSame(await claim(without), nothing)
  })

  t.test('a deadline with a fraction of a millisecond is whole, and never taken for a claim', async t => {
    const id = lab.id('r')
    const fraction = at(1_000) + 0.5
    await commitRoom(t, lab, id, joinOf(lab, 'alice', { deadlineAt: fraction }))
    await rooms.settleClaim(id, { claimedUntil: fraction, at: at(60_000) })
    lab.clock.advance(1_001)
    t.strictSame(await claim(id), { due: [room(id)], stale: [] }, 'who claims it otherwise has not put it off')
  })

  /** A room whose deadline has come and was claimed. */
  async function held(t: Test): Promise<{ id: string; claimedUntil: number }> {
    const id = lab.id('r')
    await commitRoom(t, lab, id, joinOf(lab, 'alice', { deadlineAt: at(0) }))
    const { due, claimedUntil } = await claimWithMarker(lab, id)
    t.strictSame(due, [room(id)])
    return { id, claimedUntil }
  }

  /** It comes up after so many milliseconds and not before. */
  async function comesUpAfter(t: Test, id: string, ms: number): Promise<void> {
    lab.clock.advance(ms - 1)
    t.strictSame(await claim(id), nothing)
    lab.clock.advance(1)
    t.strictSame(await claim(id), { due: [room(id)], stale: [] })
  }

  t.test('who claimed a room puts its deadline where it likes', async t => {
    for (const ms of [60_000, 5_001, 5_000, 4_999, 1]) {
      const { id, claimedUntil } = await held(t)
      await rooms.settleClaim(id, { claimedUntil, at: at(ms) })
      await comesUpAfter(t, id, ms)
    }
  })

  t.test('unless somebody wanted a look meanwhile, however late: then it comes up when the hold is over', async t => {
    const wishes: ((id: string) => Promise<unknown>)[] = [
      id => rooms.bringForward(id, at(5_000)),
      id => rooms.bringForward(id, at(50_000)),
      id => commitRoom(t, lab, id, { deadlineAt: at(50_000) }),
      id => commitRoom(t, lab, id, { writes: { 'participant:alice': null }, emptyDeadlineAt: at(50_000) })
    ]
    for (const wish of wishes) {
      const { id, claimedUntil } = await held(t)
      await wish(id)
      await rooms.settleClaim(id, { claimedUntil, at: at(60_000) })
      await comesUpAfter(t, id, 4_999)
    }
  })

  t.test('or at the earliest of what was wanted', async t => {
    const { id, claimedUntil } = await held(t)
    await rooms.bringForward(id, at(3_000))
    await rooms.settleClaim(id, { claimedUntil, at: at(60_000) })
    await comesUpAfter(t, id, 3_000)
    const other = await held(t)
    await rooms.bringForward(other.id, at(3_000))
    await rooms.settleClaim(other.id, { claimedUntil: other.claimedUntil, at: at(2_000) })
    await comesUpAfter(t, other.id, 2_000)
  })

  t.test('a commit that wants no look does not disturb its rest', async t => {
    const { id, claimedUntil } = await held(t)
    await commitRoom(t, lab, id, { deadlineAt: null })
    await rooms.settleClaim(id, { claimedUntil, at: at(60_000) })
    await comesUpAfter(t, id, 60_000)
  })

  t.test('the deadline of an idle room is brought forward as any other', async t => {
    const { id, claimedUntil } = await held(t)
    await rooms.settleClaim(id, { claimedUntil, at: at(60_000) })
    await rooms.bringForward(id, at(7_000))
    await rooms.bringForward(id, at(70_000))
    await comesUpAfter(t, id, 7_000)
  })

  t.test('who took so long that another claimed it puts nothing off', async t => {
    const { id, claimedUntil } = await held(t)
    lab.clock.advance(5_000)
    const other = await claimWithMarker(lab, id)
    t.strictSame(other.due, [room(id)])
    await rooms.settleClaim(id, { claimedUntil, at: at(60_000) })
    await rooms.settleClaim(id, { claimedUntil: other.claimedUntil, at: at(50_000) })
    await comesUpAfter(t, id, 4_999)
  })

  t.test('resting makes no deadline', async t => {
    const { id, claimedUntil } = await held(t)
    await commitRoom(t, lab, id, { expireInMs: 60_000 })
    await rooms.settleClaim(id, { claimedUntil, at: at(1) })
    await rooms.settleClaim(lab.id('missing'), { claimedUntil, at: at(1) })
    lab.clock.advance(60_000)
    t.strictSame(await claim(id), nothing)
  })

  t.test('what waits to be published for too long comes up, until it is published', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, { items: [deliverTo('bob')] })
    lab.clock.advance(600)
    await commitRoom(t, lab, id, { items: [tellAll(2)] })
    lab.clock.advance(399)
    t.strictSame(await claim(id), nothing)
    lab.clock.advance(1)
    t.strictSame(await claim(id), { due: [], stale: [room(id)] }, 'a newer entry does not make the oldest younger')
    t.strictSame(await claim(id), nothing, 'whoever got it has as long again')
    lab.clock.advance(600)
    await nextBatch(lab, room(id), { published: roomStamp(1) })
    lab.clock.advance(999)
    t.strictSame(await claim(id), nothing, 'and so has who publishes')
    await lab.store.fanouts.renew(room(id), { node: 'node-1', leaseMs: 1_000, now: lab.clock.now() })
    lab.clock.advance(999)
    t.strictSame(await claim(id), nothing, 'also in the middle of a batch')
    lab.clock.advance(1)
    t.strictSame(await claim(id), { due: [], stale: [room(id)] }, 'unless nothing more is heard of it')
    await nextBatch(lab, room(id), { published: roomStamp(2) })
    lab.clock.advance(60_000)
    t.strictSame(await claim(id), nothing)
  })

  // The engines' own time: no caller's `now` takes part, so both clocks move until it has happened.
  const isGone = (id: string) => async () => {
    lab.clock.advance(5)
    return (await rooms.load(id, 'all')) === null
  }
  const settle = (id: string, version: number) => nextBatch(lab, room(id), { published: roomStamp(version) })

  t.test('a room that is over has no timer, goes after its time with all it had, and may begin again', async t => {
    const id = lab.id('r')
    const logEntry = { id: 'l1', value: '"x"', keep: 9 }
    await commitRoom(t, lab, id, joinOf(lab, 'alice', { logEntry, deadlineAt: at(1) }))
    await commitRoom(t, lab, id, { writes: { over: '1' }, deadlineAt: at(1), emptyDeadlineAt: at(1), expireInMs: 30 })
    lab.clock.advance(1)
    t.strictSame(await claim(id), nothing)
    await until('it has expired', isGone(id))
    t.strictSame(await rooms.log(id, { limit: 9 }), [])
    await rooms.bringForward(id, at(0))
    t.strictSame(await claim(id), nothing)
    const again = await rooms.commit(id, joinOf(lab, 'alice', { logEntry, participantsMax: 1, deadlineAt: at(2) }))
    t.strictSame(again, { status: 'ok', version: 1, fanoutLease: false }, 'no member and no line was left')
    lab.clock.advance(1)
    t.strictSame(await claim(id), nothing, 'nor a timer')
    lab.clock.advance(1)
    t.strictSame(await claim(id), { due: [room(id)], stale: [] })
  })

  t.test('a room that is over and was not told never goes; its time starts when it was', async t => {
    const [id, other] = [lab.id('r'), lab.id('r')]
    await commitRoom(t, lab, id, { expireInMs: 10, items: [tellAll(1)] })
    await commitRoom(t, lab, other, { expireInMs: 30 })
    await until('another one with more time has expired', isGone(other))
    t.equal((await rooms.load(id, []))?.publishedVersion, 0)
    await settle(id, 1)
    await until('it has expired', isGone(id))
  })

  t.test('what is said in a room that is over is told as well before it goes', async t => {
    const [id, other] = [lab.id('r'), lab.id('r')]
    await commitRoom(t, lab, id, { expireInMs: 200 })
    await commitRoom(t, lab, id, { expireInMs: 200, items: [tellAll(2)] })
    await commitRoom(t, lab, other, { expireInMs: 250 })
    await until('another one has expired', isGone(other))
    t.equal((await rooms.load(id, []))?.publishedVersion, 1)
  })

  t.test('asking again what is to be told does not prolong its life', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, { expireInMs: 30, items: [tellAll(1)] })
    await until('it has expired though somebody asks all the time', async () => {
      await settle(id, 1)
      return isGone(id)()
    })
  })

  t.test('a later commit without an expiry keeps all of it, told or not', async t => {
    const [id, told, other] = [lab.id('r'), lab.id('r'), lab.id('r')]
    const logEntry = { id: 'l1', value: '"x"', keep: 9 }
    await commitRoom(t, lab, id, joinOf(lab, 'alice', { logEntry }))
    await commitRoom(t, lab, id, { expireInMs: 200 })
    await commitRoom(t, lab, id, { emptyDeadlineAt: at(0) })
    await commitRoom(t, lab, told, { expireInMs: 10, items: [tellAll(1)] })
    await commitRoom(t, lab, told)
    await settle(told, 1)
    await commitRoom(t, lab, other, { expireInMs: 250 })
    await until('another one has expired', isGone(other))
    t.match(await rooms.load(id, 'all'), { version: 3, participantCount: 1 })
    t.strictSame(await rooms.log(id, { limit: 9 }), [{ id: 'l1', value: '"x"', version: 1 }])
    const retried = await rooms.commit(id, joinOf(lab, 'bob', { logEntry }))
    t.strictSame(retried, { status: 'known', version: 1 })
    t.equal((await rooms.load(told, []))?.version, 2)
  })
}
