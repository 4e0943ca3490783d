import type { Test } from 'tap'
import { until } from '../../helpers/until.js'
import type { StoreFixture } from '../contract.js'
import { claimOf, claimWithMarker, deliverTo } from './fixtures.js'
import { commitRoom, joinOf, nextBatch, publishItem, room, roomStamp } from './room-fixtures.js'

export function roomLifeContract(t: Test, fixture: StoreFixture): void {
  const { rooms } = fixture.store
  const claim = (id: string) => claimOf(fixture, id)
  const at = (ms: number) => fixture.clock.now() + ms
  const nothing = { due: [], stale: [] }

  t.test('a room is due at its deadline, and again when the claim has lapsed', async t => {
    const id = fixture.id('r')
    await commitRoom(t, fixture, id, joinOf(fixture, 'alice', { deadlineAt: at(1_000) }))
    fixture.clock.advance(999)
    t.strictSame(await claim(id), nothing)
    fixture.clock.advance(1)
    t.strictSame(await claim(id), { due: [room(id)], stale: [] })
    t.strictSame(await claim(id), nothing)
    fixture.clock.advance(5_000)
    t.strictSame(await claim(id), { due: [room(id)], stale: [] })
  })

  t.test('a commit moves the deadline to an earlier time only, and null leaves it', async t => {
    const id = fixture.id('r')
    await commitRoom(t, fixture, id, joinOf(fixture, 'alice', { deadlineAt: at(5_000) }))
    await commitRoom(t, fixture, id, { deadlineAt: at(1_000) })
    await commitRoom(t, fixture, id, { deadlineAt: at(9_000) })
    await commitRoom(t, fixture, id, { deadlineAt: null })
    fixture.clock.advance(999)
    t.strictSame(await claim(id), nothing)
    fixture.clock.advance(1)
    t.strictSame(await claim(id), { due: [room(id)], stale: [] })
  })

  t.test('only a room without participants takes emptyDeadlineAt', async t => {
    const id = fixture.id('r')
    await commitRoom(t, fixture, id, joinOf(fixture, 'alice', { emptyDeadlineAt: at(1_000) }))
    fixture.clock.advance(60_000)
    t.strictSame(await claim(id), nothing)
    await commitRoom(t, fixture, id, { writes: { 'participant:alice': null }, emptyDeadlineAt: at(1_000) })
    fixture.clock.advance(999)
    t.strictSame(await claim(id), nothing)
    fixture.clock.advance(1)
    t.strictSame(await claim(id), { due: [room(id)], stale: [] }, 'the last participant has left')
  })

  t.test('emptyDeadlineAt moves the deadline to an earlier time only', async t => {
    const id = fixture.id('r')
    await commitRoom(t, fixture, id, { emptyDeadlineAt: at(9_000), deadlineAt: at(1_000) })
    await commitRoom(t, fixture, id, { emptyDeadlineAt: at(500) })
    await commitRoom(t, fixture, id, { emptyDeadlineAt: at(2_000), deadlineAt: at(1_000) })
    fixture.clock.advance(499)
    t.strictSame(await claim(id), nothing)
    fixture.clock.advance(1)
    t.strictSame(await claim(id), { due: [room(id)], stale: [] })
  })

  t.test('bringForward moves a deadline to an earlier time only, and creates none', async t => {
    const [id, without] = [fixture.id('r'), fixture.id('r')]
    await commitRoom(t, fixture, id, joinOf(fixture, 'alice', { deadlineAt: at(30_000) }))
    await rooms.bringForward(id, at(5_000))
    await rooms.bringForward(id, at(20_000))
    await commitRoom(t, fixture, without, joinOf(fixture, 'alice'))
    await rooms.bringForward(without, at(0))
    await rooms.bringForward(fixture.id('missing'), at(0))
    t.strictSame(await claim(without), nothing)
    t.strictSame(await claim(id), nothing)
    fixture.clock.advance(5_000)
    t.strictSame(await claim(id), { due: [room(id)], stale: [] })
    fixture.clock.advance(60_000)
    t.strictSame(await claim(without), nothing)
  })

  t.test('a deadline is rounded up to a whole millisecond: half a millisecond would count as a claim', async t => {
    const id = fixture.id('r')
    const fraction = at(1_000) + 0.5
    await commitRoom(t, fixture, id, joinOf(fixture, 'alice', { deadlineAt: fraction }))
    await rooms.settleClaim(id, { claimedUntil: fraction, at: at(60_000) })
    fixture.clock.advance(1_001)
    t.strictSame(await claim(id), { due: [room(id)], stale: [] }, 'settleClaim without a claim has not postponed it')
  })

  /** A room that was due and has been claimed. */
  async function claimedRoom(t: Test): Promise<{ id: string; claimedUntil: number }> {
    const id = fixture.id('r')
    await commitRoom(t, fixture, id, joinOf(fixture, 'alice', { deadlineAt: at(0) }))
    const { due, claimedUntil } = await claimWithMarker(fixture, id)
    t.strictSame(due, [room(id)])
    return { id, claimedUntil }
  }

  /** The room is due after `ms`, and not before. */
  async function isDueAfter(t: Test, id: string, ms: number): Promise<void> {
    fixture.clock.advance(ms - 1)
    t.strictSame(await claim(id), nothing)
    fixture.clock.advance(1)
    t.strictSame(await claim(id), { due: [room(id)], stale: [] })
  }

  t.test('the node that claimed a room may move its deadline to any time', async t => {
    for (const ms of [60_000, 5_001, 5_000, 4_999, 1]) {
      const { id, claimedUntil } = await claimedRoom(t)
      await rooms.settleClaim(id, { claimedUntil, at: at(ms) })
      await isDueAfter(t, id, ms)
    }
  })

  t.test(
    'settleClaim postpones nothing if a deadline was set since the claim: the room is due when the claim lapses',
    async t => {
      const changes: ((id: string) => Promise<unknown>)[] = [
        id => rooms.bringForward(id, at(5_000)),
        id => rooms.bringForward(id, at(50_000)),
        id => commitRoom(t, fixture, id, { deadlineAt: at(50_000) }),
        id => commitRoom(t, fixture, id, { writes: { 'participant:alice': null }, emptyDeadlineAt: at(50_000) })
      ]
      for (const change of changes) {
        const { id, claimedUntil } = await claimedRoom(t)
        await change(id)
        await rooms.settleClaim(id, { claimedUntil, at: at(60_000) })
        await isDueAfter(t, id, 4_999)
      }
    }
  )

  t.test('the room is due at the earliest deadline that was set since the claim, or by settleClaim', async t => {
    const { id, claimedUntil } = await claimedRoom(t)
    await rooms.bringForward(id, at(3_000))
    await rooms.settleClaim(id, { claimedUntil, at: at(60_000) })
    await isDueAfter(t, id, 3_000)
    const other = await claimedRoom(t)
    await rooms.bringForward(other.id, at(3_000))
    await rooms.settleClaim(other.id, { claimedUntil: other.claimedUntil, at: at(2_000) })
    await isDueAfter(t, other.id, 2_000)
  })

  t.test('settleClaim postpones the deadline if a commit without one was made since the claim', async t => {
    const { id, claimedUntil } = await claimedRoom(t)
    await commitRoom(t, fixture, id, { deadlineAt: null })
    await rooms.settleClaim(id, { claimedUntil, at: at(60_000) })
    await isDueAfter(t, id, 60_000)
  })

  t.test('bringForward moves a deadline that settleClaim has postponed', async t => {
    const { id, claimedUntil } = await claimedRoom(t)
    await rooms.settleClaim(id, { claimedUntil, at: at(60_000) })
    await rooms.bringForward(id, at(7_000))
    await rooms.bringForward(id, at(70_000))
    await isDueAfter(t, id, 7_000)
  })

  t.test('settleClaim postpones nothing once another node has claimed the room', async t => {
    const { id, claimedUntil } = await claimedRoom(t)
    fixture.clock.advance(5_000)
    const other = await claimWithMarker(fixture, id)
    t.strictSame(other.due, [room(id)])
    await rooms.settleClaim(id, { claimedUntil, at: at(60_000) })
    await rooms.settleClaim(id, { claimedUntil: other.claimedUntil, at: at(50_000) })
    await isDueAfter(t, id, 4_999)
  })

  t.test('settleClaim creates no deadline', async t => {
    const { id, claimedUntil } = await claimedRoom(t)
    await commitRoom(t, fixture, id, { expireInMs: 60_000 })
    await rooms.settleClaim(id, { claimedUntil, at: at(1) })
    await rooms.settleClaim(fixture.id('missing'), { claimedUntil, at: at(1) })
    fixture.clock.advance(60_000)
    t.strictSame(await claim(id), nothing)
  })

  t.test('a room is stale when its log has waited too long, until the log is published', async t => {
    const id = fixture.id('r')
    await commitRoom(t, fixture, id, { items: [deliverTo('bob')] })
    fixture.clock.advance(600)
    await commitRoom(t, fixture, id, { items: [publishItem(2)] })
    fixture.clock.advance(399)
    t.strictSame(await claim(id), nothing)
    fixture.clock.advance(1)
    t.strictSame(await claim(id), { due: [], stale: [room(id)] }, 'the oldest entry counts')
    t.strictSame(await claim(id), nothing, 'it is not returned again for another staleMs')
    fixture.clock.advance(600)
    await nextBatch(fixture, room(id), { published: roomStamp(1) })
    fixture.clock.advance(999)
    t.strictSame(await claim(id), nothing, 'a batch restarts the time')
    await fixture.store.fanouts.renew(room(id), { node: 'node-1', leaseMs: 1_000, now: fixture.clock.now() })
    fixture.clock.advance(999)
    t.strictSame(await claim(id), nothing, 'a renewal restarts the time')
    fixture.clock.advance(1)
    t.strictSame(await claim(id), { due: [], stale: [room(id)] }, 'the publisher made no progress')
    await nextBatch(fixture, room(id), { published: roomStamp(2) })
    fixture.clock.advance(60_000)
    t.strictSame(await claim(id), nothing)
  })

  // Expiry runs on the clock of the engine, which is real time on Redis: the manual clock advances until the room has expired.
  const isGone = (id: string) => async () => {
    fixture.clock.advance(5)
    return (await rooms.load(id, 'all')) === null
  }
  const settle = (id: string, version: number) => nextBatch(fixture, room(id), { published: roomStamp(version) })

  t.test('an ended room has no deadline, expires with all it had, and may begin again', async t => {
    const id = fixture.id('r')
    const logEntry = { id: 'l1', value: '"x"', keep: 9 }
    await commitRoom(t, fixture, id, joinOf(fixture, 'alice', { logEntry, deadlineAt: at(1) }))
    await commitRoom(t, fixture, id, {
      writes: { over: '1' },
      deadlineAt: at(1),
      emptyDeadlineAt: at(1),
      expireInMs: 30
    })
    fixture.clock.advance(1)
    t.strictSame(await claim(id), nothing)
    await until('the room has expired', isGone(id))
    t.strictSame(await rooms.log(id, { limit: 9 }), [])
    await rooms.bringForward(id, at(0))
    t.strictSame(await claim(id), nothing)
    const again = await rooms.commit(id, joinOf(fixture, 'alice', { logEntry, participantsMax: 1, deadlineAt: at(2) }))
    t.strictSame(again, { status: 'ok', version: 1, fanoutLease: false }, 'no participant and no log entry is left')
    fixture.clock.advance(1)
    t.strictSame(await claim(id), nothing, 'no deadline is left')
    fixture.clock.advance(1)
    t.strictSame(await claim(id), { due: [room(id)], stale: [] })
  })

  t.test('an ended room with a log does not expire; its time begins when the log is published', async t => {
    const [id, other] = [fixture.id('r'), fixture.id('r')]
    await commitRoom(t, fixture, id, { expireInMs: 10, items: [publishItem(1)] })
    await commitRoom(t, fixture, other, { expireInMs: 30 })
    await until('another room with more time has expired', isGone(other))
    t.equal((await rooms.load(id, []))?.publishedVersion, 0)
    await settle(id, 1)
    await until('the room has expired', isGone(id))
  })

  t.test('an ended room with a new log entry does not expire before it is published', async t => {
    const [id, other] = [fixture.id('r'), fixture.id('r')]
    await commitRoom(t, fixture, id, { expireInMs: 200 })
    await commitRoom(t, fixture, id, { expireInMs: 200, items: [publishItem(2)] })
    await commitRoom(t, fixture, other, { expireInMs: 250 })
    await until('another room has expired', isGone(other))
    t.equal((await rooms.load(id, []))?.publishedVersion, 1)
  })

  t.test('further calls of next do not postpone the expiry of an ended room', async t => {
    const id = fixture.id('r')
    await commitRoom(t, fixture, id, { expireInMs: 30, items: [publishItem(1)] })
    await until('the room has expired although next is called all the time', async () => {
      await settle(id, 1)
      return isGone(id)()
    })
  })

  t.test('no key of an ended room expires after a later commit without an expiry, published or not', async t => {
    const [id, published, other] = [fixture.id('r'), fixture.id('r'), fixture.id('r')]
    const logEntry = { id: 'l1', value: '"x"', keep: 9 }
    await commitRoom(t, fixture, id, joinOf(fixture, 'alice', { logEntry }))
    await commitRoom(t, fixture, id, { expireInMs: 200 })
    await commitRoom(t, fixture, id, { emptyDeadlineAt: at(0) })
    await commitRoom(t, fixture, published, { expireInMs: 10, items: [publishItem(1)] })
    await commitRoom(t, fixture, published)
    await settle(published, 1)
    await commitRoom(t, fixture, other, { expireInMs: 250 })
    await until('another room has expired', isGone(other))
    t.match(await rooms.load(id, 'all'), { version: 3, participantCount: 1 })
    t.strictSame(await rooms.log(id, { limit: 9 }), [{ id: 'l1', value: '"x"', version: 1 }])
    const retried = await rooms.commit(id, joinOf(fixture, 'bob', { logEntry }))
    t.strictSame(retried, { status: 'known', version: 1 })
    t.equal((await rooms.load(published, []))?.version, 2)
  })
}
