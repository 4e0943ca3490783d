import type { Test } from 'tap'
import { FANOUT_LEASE_MS, type FanoutOptions } from '../../../src/store/fanout.js'
import type { RoomCommit } from '../../../src/store/rooms.js'
import type { Lab } from '../contract.js'
import { deliverTo } from './fixtures.js'
import {
  commitRoom,
  LEASE_MS,
  nextBatch,
  participantText,
  room,
  roomCommitOf,
  roomStamp,
  tellAll
} from './room-fixtures.js'

export function fanoutContract(t: Test, lab: Lab): void {
  const { rooms, fanouts } = lab.store

  const next = (id: string, parts?: Partial<FanoutOptions>) => nextBatch(lab, room(id), parts)
  const renew = (id: string, node: string) => fanouts.renew(room(id), { node, leaseMs: LEASE_MS, now: lab.clock.now() })

  /** The versions that are to be published next; or what came instead. */
  async function versions(id: string, node: string, publishedVersion = 0, parts: Partial<FanoutOptions> = {}) {
    const step = await next(id, { node, published: roomStamp(publishedVersion), ...parts })
    return step.status === 'batch' ? step.entries.map(({ version }) => version) : step.status
  }

  /** Commits something to publish. Does this node have the lease now? */
  async function say(id: string, node: string, parts: Partial<RoomCommit> = {}): Promise<boolean> {
    const result = await rooms.commit(id, roomCommitOf(lab, { items: [tellAll('x')], node, ...parts }))
    return result.status === 'ok' && result.fanoutLease
  }

  t.test(
    'what commits leave to be published waits, oldest first and as it was written, until it is published',
    async t => {
      const id = lab.id('r')
      const task = { kind: 'pair', id: 'x' } as const
      const items = [tellAll('all', 'p1'), deliverTo('bob'), tellAll('more'), { do: 'follow', task } as const]
      await commitRoom(t, lab, id, { items, tag: 'one' })
      await commitRoom(t, lab, id, { tag: 'two' })
      await commitRoom(t, lab, id, { items: [tellAll(3)], tag: 'three' })
      const publishedVersion = async () => (await rooms.load(id, []))?.publishedVersion
      t.equal(await publishedVersion(), 0)
      const one = { version: 1, tag: 'one', items }
      const three = { version: 3, tag: 'three', items: [tellAll(3)] }
      const batch = { status: 'batch', recipients: [], next: null }
      t.strictSame(await next(id, { entriesMax: 1 }), { ...batch, entries: [one] })
      t.strictSame(await next(id), { ...batch, entries: [one, three] })
      t.strictSame(await next(id, { published: one }), { ...batch, entries: [three] })
      t.equal(await publishedVersion(), 2)
      t.strictSame(await next(id, { published: three }), { status: 'idle' })
      t.equal(await publishedVersion(), 3)
      t.strictSame(await next(id, { published: three }), { status: 'idle' })
    }
  )

  t.test('a version that was made twice is not dropped for the other', async t => {
    const id = lab.id('r')
    await say(id, 'node-1', { tag: 'after the failover' })
    const forgotten = { published: { version: 1, tag: 'before' } }
    t.match(await next(id, forgotten), { status: 'batch', entries: [{ version: 1, tag: 'after the failover' }] })
  })

  t.test('recipients are the devices in the room: since when, and not after they left', async t => {
    const id = lab.id('r')
    await commitRoom(t, lab, id, { writes: { 'participant:a': participantText('alice', 'p1') }, items: [tellAll(1)] })
    await commitRoom(t, lab, id, { writes: { 'participant:b': participantText('bob', 'p2') }, items: [tellAll(2)] })
    const alice = { user: 'alice', device: 'phone', participantId: 'p1', since: 1 }
    const bob = { user: 'bob', device: 'phone', participantId: 'p2', since: 2 }
    const recipients = async () => {
      const step = await next(id)
      return step.status === 'batch' && [...step.recipients].sort((a, b) => a.since - b.since)
    }
    t.strictSame(await recipients(), [alice, bob])
    await commitRoom(t, lab, id, { writes: { 'participant:a': null }, items: [tellAll(3)] })
    t.strictSame(await recipients(), [bob])
  })

  t.test('a batch is bounded by entries × recipients, and has one entry at least', async t => {
    const id = lab.id('r')
    for (let n = 0; n < 10; n++) {
      await commitRoom(t, lab, id, {
        writes: { [`participant:${n}`]: participantText(`u${n}`, `p${n}`) },
        items: [tellAll(n)]
      })
    }
    const sizes = async (parts: Partial<FanoutOptions>) => {
      const step = await next(id, { page: 2, ...parts })
      return step.status === 'batch' && [step.entries.length, step.recipients.length, step.next]
    }
    t.strictSame(await sizes({ appendsMax: 39 }), [3, 10, null], 'all of a room come at once')
    t.strictSame(await sizes({ appendsMax: 40 }), [4, 10, null])
    t.strictSame(await sizes({ appendsMax: 9 }), [1, 10, null])
    t.strictSame(await sizes({ appendsMax: 1_000, entriesMax: 7 }), [7, 10, null])
  })

  t.test('a room that does not exist has nothing to publish, and is not made by asking', async t => {
    const id = lab.id('r')
    t.strictSame(await next(id), { status: 'idle' })
    t.equal(await renew(id, 'node-1'), false)
    t.equal(await rooms.load(id, 'all'), null)
  })

  t.test('one node at a time gets the lease by a commit', async t => {
    const id = lab.id('r')
    t.equal(await say(id, 'node-1'), true)
    t.equal(await say(id, 'node-2'), false)
    t.equal(await say(id, 'node-1'), true, 'its holder has it')
    t.strictSame(await versions(id, 'node-2'), 'busy')
    t.strictSame(await versions(id, 'node-1'), [1, 2, 3], 'and finds what the other has committed')
  })

  t.test('a commit with nothing to publish grants no lease, unless something waits', async t => {
    const id = lab.id('r')
    const quiet = { items: [] }
    t.equal(await say(id, 'node-1', quiet), false)
    t.equal(await say(id, 'node-2'), true)
    lab.clock.advance(FANOUT_LEASE_MS)
    t.equal(await say(id, 'node-3', quiet), true)
    t.strictSame(await versions(id, 'node-2'), 'busy')
  })

  t.test('busy drops nothing: only the holder of the lease knows what was published', async t => {
    const id = lab.id('r')
    await say(id, 'node-1')
    t.strictSame(await versions(id, 'node-2', 1), 'busy')
    t.strictSame(await versions(id, 'node-1'), [1])
  })

  t.test('a commit made by another node meanwhile is found by the holder', async t => {
    const id = lab.id('r')
    await say(id, 'node-1')
    t.strictSame(await versions(id, 'node-1'), [1])
    t.equal(await say(id, 'node-2'), false)
    t.strictSame(await versions(id, 'node-1', 1), [2])
    t.strictSame(await versions(id, 'node-1', 2), 'idle')
  })

  t.test('after idle the next commit grants the lease', async t => {
    const id = lab.id('r')
    await say(id, 'node-1')
    t.strictSame(await versions(id, 'node-1', 1), 'idle')
    t.equal(await renew(id, 'node-1'), false)
    t.equal(await say(id, 'node-2'), true)
    t.strictSame(await versions(id, 'node-1'), 'busy')
    t.strictSame(await versions(id, 'node-2'), [2])
  })

  t.test('a node that got the lease and does not start in time loses it to the next commit', async t => {
    const id = lab.id('r')
    await say(id, 'node-1')
    lab.clock.advance(FANOUT_LEASE_MS - 1)
    t.equal(await say(id, 'node-2'), false)
    t.strictSame(await versions(id, 'node-2'), 'busy')
    lab.clock.advance(1)
    t.equal(await say(id, 'node-2'), true)
    t.strictSame(await versions(id, 'node-1'), 'busy')
    t.strictSame(await versions(id, 'node-2'), [1, 2, 3])
  })

  t.test('a node whose lease lapses without progress loses it to who asks, and can neither renew nor drop', async t => {
    const id = lab.id('r')
    for (let n = 1; n <= 3; n++) await say(id, 'node-1')
    t.strictSame(await versions(id, 'node-1', 0, { entriesMax: 2 }), [1, 2])
    t.strictSame(await versions(id, 'node-1', 1, { entriesMax: 2 }), [2, 3])
    lab.clock.advance(LEASE_MS - 1)
    t.strictSame(await versions(id, 'node-2'), 'busy')
    lab.clock.advance(1)
    t.strictSame(await versions(id, 'node-2'), [2, 3])
    t.equal(await renew(id, 'node-1'), false, 'the first comes too late')
    t.strictSame(await versions(id, 'node-1', 3), 'busy')
    t.strictSame(await versions(id, 'node-2', 3), 'idle')
  })

  t.test('each step renews the lease, also one that lapsed and was not taken; a commit does not', async t => {
    const id = lab.id('r')
    await say(id, 'node-1')
    await versions(id, 'node-1')
    for (const [ms, step] of [
      [LEASE_MS - 1, 'next'],
      [LEASE_MS - 1, 'renew'],
      [3 * LEASE_MS, 'renew'],
      [3 * LEASE_MS, 'next']
    ] as const) {
      lab.clock.advance(ms)
      if (step === 'next') t.strictSame(await versions(id, 'node-1'), [1])
      else t.equal(await renew(id, 'node-1'), true)
    }
    lab.clock.advance(LEASE_MS - 1)
    t.strictSame(await versions(id, 'node-2'), 'busy')
    t.equal(await say(id, 'node-1'), true)
    lab.clock.advance(1)
    t.strictSame(await versions(id, 'node-2'), [1, 2])
  })

  t.test('a lease given back is free at once', async t => {
    const id = lab.id('r')
    await say(id, 'node-1')
    await say(id, 'node-1')
    t.strictSame(await versions(id, 'node-1', 1, { leaseMs: 0 }), [2])
    t.equal(await say(id, 'node-2'), true)
    t.strictSame(await versions(id, 'node-1'), 'busy')
  })

  t.test('what four nodes commit at once is published in order, once, and none is lost', async t => {
    const id = lab.id('r')
    const published: number[] = []
    const publishing = new Set<string>()
    const leased = new Set<string>()

    /** As a node does it: one task a room, which begins again as long as commits have granted the lease meanwhile. */
    async function work(node: string): Promise<void> {
      if (await say(id, node)) leased.add(node)
      if (publishing.has(node)) return
      publishing.add(node)
      while (leased.delete(node)) {
        for (let step = await versions(id, node, 0, { entriesMax: 3 }); Array.isArray(step); ) {
          published.push(...step)
          step = await versions(id, node, published.at(-1), { entriesMax: 3 })
        }
      }
      publishing.delete(node)
    }
    await Promise.all(Array.from({ length: 80 }, (_, n) => work(`node-${n % 4}`)))
    t.strictSame(
      published,
      Array.from({ length: 80 }, (_, n) => n + 1)
    )
    t.equal((await rooms.load(id, []))?.publishedVersion, 80)
  })
}
