import type { Test } from 'tap'
import { type RoomCommit, TELL_WITHIN_MS } from '../../../src/store/rooms.js'
import type { Lab } from '../contract.js'
import { deliverTo } from './given.js'
import { commitRoom, roomCommitOf, roomStamp, seatOf, tellAll } from './given-rooms.js'

export function tellContract(t: Test, lab: Lab): void {
  const { rooms } = lab.store
  const holdMs = 2_000

  const tell = (id: string, node: string, settled: number, limit = 100, tag?: string) =>
    rooms.tell(id, { node, settled: roomStamp(settled, tag), limit, holdMs, now: lab.clock.now() })

  /** The versions that are to be told next; or what came instead. */
  async function versions(id: string, node: string, settled: number, limit?: number) {
    const told = await tell(id, node, settled, limit)
    return told.status === 'entries' ? told.entries.map(({ version }) => version) : told.status
  }

  /** Commits something to tell. Is it for this node to tell? */
  async function say(id: string, node: string, parts: Partial<RoomCommit> = {}): Promise<boolean> {
    const result = await rooms.commit(id, roomCommitOf(lab, { items: [tellAll('x')], node, ...parts }))
    return result.status === 'ok' && result.telling
  }

  t.test('what commits leave to be told waits, oldest first and as it was written, until it is settled', async t => {
    const id = lab.id('r')
    const items = [tellAll('all', 'p1'), deliverTo('bob'), tellAll('more')]
    await commitRoom(t, lab, id, { items, tag: 'one' })
    await commitRoom(t, lab, id, { tag: 'two' })
    await commitRoom(t, lab, id, { items: [tellAll(3)], tag: 'three' })
    t.equal((await rooms.load(id, []))?.pendingFrom, 1)
    const one = { version: 1, tag: 'one', items }
    const three = { version: 3, tag: 'three', items: [tellAll(3)] }
    t.strictSame(await tell(id, 'node-1', 0, 1), { status: 'entries', entries: [one], seats: [] })
    t.strictSame(await tell(id, 'node-1', 0), { status: 'entries', entries: [one, three], seats: [] })
    t.strictSame(await tell(id, 'node-1', 1, 100, 'forgotten'), { status: 'entries', entries: [one, three], seats: [] })
    t.strictSame(await tell(id, 'node-1', 1, 100, 'one'), { status: 'entries', entries: [three], seats: [] })
    t.equal((await rooms.load(id, []))?.pendingFrom, 3)
    t.strictSame(await tell(id, 'node-1', 3, 100, 'three'), { status: 'idle' })
    t.equal((await rooms.load(id, []))?.pendingFrom, null)
    t.strictSame(await tell(id, 'node-1', 3, 100, 'three'), { status: 'idle' })
  })

  t.test('who has a seat is told with it: since when, and not after it was left', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, { moves: [seatOf('alice', null, 'p1')], items: [tellAll(1)] })
    await commitRoom(t, lab, id, { moves: [seatOf('bob', null, 'p2')], items: [tellAll(2)] })
    const alice = { user: 'alice', device: 'phone', participantId: 'p1', since: 1 }
    const bob = { user: 'bob', device: 'phone', participantId: 'p2', since: 2 }
    const seats = async () => {
      const told = await tell(id, 'node-1', 0)
      return told.status === 'entries' && [...told.seats].sort((a, b) => a.since - b.since)
    }
    t.strictSame(await seats(), [alice, bob])
    await commitRoom(t, lab, id, { moves: [seatOf('alice', 'p1', null)], items: [tellAll(3)] })
    t.strictSame(await seats(), [bob])
  })

  t.test('a room nobody knows has nothing to tell, and is not made by asking', async t => {
    const id = lab.id('r')
    t.strictSame(await tell(id, 'node-1', 0), { status: 'idle' })
    t.equal(await rooms.load(id, 'all'), null)
  })

  t.test('one node at a time is told to tell', async t => {
    const id = lab.id('r')
    t.equal(await say(id, 'node-1'), true)
    t.equal(await say(id, 'node-2'), false)
    t.equal(await say(id, 'node-1'), true, 'who tells is told again')
    t.strictSame(await versions(id, 'node-2', 0), 'busy')
    t.strictSame(await versions(id, 'node-1', 0), [1, 2, 3], 'and finds what the other has committed')
  })

  t.test('a commit with nothing to tell asks nobody to tell, unless something waits', async t => {
    const id = lab.id('r')
    const quiet = { items: [] }
    t.equal(await say(id, 'node-1', quiet), false)
    t.equal(await say(id, 'node-2'), true, 'nobody was')
    lab.clock.advance(TELL_WITHIN_MS)
    t.equal(await say(id, 'node-3', quiet), true, 'somebody has to')
    t.strictSame(await versions(id, 'node-2', 0), 'busy')
  })

  t.test('busy settles nothing: only who tells knows what was told', async t => {
    const id = lab.id('r')
    await say(id, 'node-1')
    t.strictSame(await versions(id, 'node-2', 1), 'busy')
    t.strictSame(await versions(id, 'node-1', 0), [1])
  })

  t.test('a commit made by another node while one tells is found by the teller', async t => {
    const id = lab.id('r')
    await say(id, 'node-1')
    t.strictSame(await versions(id, 'node-1', 0), [1])
    t.equal(await say(id, 'node-2'), false)
    t.strictSame(await versions(id, 'node-1', 1), [2])
    t.strictSame(await versions(id, 'node-1', 2), 'idle')
  })

  t.test('after idle whoever commits next is told to tell', async t => {
    const id = lab.id('r')
    await say(id, 'node-1')
    t.strictSame(await versions(id, 'node-1', 1), 'idle')
    t.equal(await say(id, 'node-2'), true)
    t.strictSame(await versions(id, 'node-1', 0), 'busy')
    t.strictSame(await versions(id, 'node-2', 0), [2])
  })

  t.test('who was told to tell and does not begin in time is replaced by who commits next', async t => {
    const id = lab.id('r')
    await say(id, 'node-1')
    lab.clock.advance(TELL_WITHIN_MS - 1)
    t.equal(await say(id, 'node-2'), false)
    t.strictSame(await versions(id, 'node-2', 0), 'busy')
    lab.clock.advance(1)
    t.equal(await say(id, 'node-2'), true)
    t.strictSame(await versions(id, 'node-1', 0), 'busy')
    t.strictSame(await versions(id, 'node-2', 0), [1, 2, 3])
  })

  t.test('who tells and falls silent is replaced by who asks, and some of it is told again', async t => {
    const id = lab.id('r')
    for (let n = 1; n <= 3; n++) await say(id, 'node-1')
    t.strictSame(await versions(id, 'node-1', 0, 2), [1, 2])
    t.strictSame(await versions(id, 'node-1', 1, 2), [2, 3])
    lab.clock.advance(holdMs - 1)
    t.strictSame(await versions(id, 'node-2', 0), 'busy')
    lab.clock.advance(1)
    t.strictSame(await versions(id, 'node-2', 0), [2, 3])
    t.strictSame(await versions(id, 'node-1', 3), 'busy', 'the first comes too late')
    t.strictSame(await versions(id, 'node-2', 3), 'idle')
  })

  t.test('each question renews the time to tell, also for who was silent and not replaced', async t => {
    const id = lab.id('r')
    await say(id, 'node-1')
    for (const ms of [holdMs - 1, holdMs - 1, 3 * holdMs]) {
      await versions(id, 'node-1', 0)
      lab.clock.advance(ms)
    }
    t.strictSame(await versions(id, 'node-1', 0), [1])
    lab.clock.advance(holdMs - 1)
    t.strictSame(await versions(id, 'node-2', 0), 'busy')
    t.equal(await say(id, 'node-1'), true)
    lab.clock.advance(1)
    t.strictSame(await versions(id, 'node-2', 0), [1, 2], 'a commit does not renew it')
  })

  t.test(
    'what four nodes commit at once and tell as they are told to is told in order, once, and none is lost',
    async t => {
      const id = lab.id('r')
      const told: number[] = []
      const tellers = new Set<string>()
      const asked = new Set<string>()

      /** As a service does it: one loop a node, which goes on until there is nothing more for this node to tell. */
      async function work(node: string): Promise<void> {
        if (await say(id, node)) asked.add(node)
        if (tellers.has(node)) return
        tellers.add(node)
        while (asked.delete(node)) {
          for (let next = await versions(id, node, 0, 3); Array.isArray(next); ) {
            told.push(...next)
            next = await versions(id, node, told.at(-1) ?? 0, 3)
          }
        }
        tellers.delete(node)
      }
      await Promise.all(Array.from({ length: 80 }, (_, n) => work(`node-${n % 4}`)))
      t.strictSame(
        told,
        Array.from({ length: 80 }, (_, n) => n + 1)
      )
      t.equal((await rooms.load(id, []))?.pendingFrom, null)
    }
  )
}
