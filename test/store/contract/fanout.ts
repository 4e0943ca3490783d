import type { Test } from 'tap'
import { FANOUT_LEASE_MS, type FanoutOptions } from '../../../src/store/fanout.js'
import type { RoomCommit } from '../../../src/store/rooms.js'
import type { StoreFixture } from '../contract.js'
import { deliverTo } from './fixtures.js'
import {
  commitRoom,
  LEASE_MS,
  nextBatch,
  participantText,
  publishItem,
  room,
  roomCommitOf,
  roomStamp
} from './room-fixtures.js'

export function fanoutContract(t: Test, fixture: StoreFixture): void {
  const { rooms, fanouts } = fixture.store

  const next = (id: string, parts?: Partial<FanoutOptions>) => nextBatch(fixture, room(id), parts)
  const renew = (id: string, node: string) =>
    fanouts.renew(room(id), { node, leaseMs: LEASE_MS, now: fixture.clock.now() })

  /** The versions of the next batch, or the status of another step. */
  async function versions(id: string, node: string, publishedVersion = 0, parts: Partial<FanoutOptions> = {}) {
    const step = await next(id, { node, published: roomStamp(publishedVersion), ...parts })
    return step.status === 'batch' ? step.entries.map(({ version }) => version) : step.status
  }

  /** Commits an item to publish. Resolves to whether the node has the lease. */
  async function publish(id: string, node: string, parts: Partial<RoomCommit> = {}): Promise<boolean> {
    const result = await rooms.commit(id, roomCommitOf(fixture, { items: [publishItem('x')], node, ...parts }))
    return result.status === 'ok' && result.fanoutLease
  }

  t.test('the log keeps its entries unchanged, oldest first, until they are published', async t => {
    const id = fixture.id('r')
    const task = { kind: 'pair', id: 'x' } as const
    const items = [publishItem('all', 'p1'), deliverTo('bob'), publishItem('more'), { do: 'follow', task } as const]
    await commitRoom(t, fixture, id, { items, tag: 'one' })
    await commitRoom(t, fixture, id, { tag: 'two' })
    await commitRoom(t, fixture, id, { items: [publishItem(3)], tag: 'three' })
    const publishedVersion = async () => (await rooms.load(id, []))?.publishedVersion
    t.equal(await publishedVersion(), 0)
    const one = { version: 1, tag: 'one', items }
    const three = { version: 3, tag: 'three', items: [publishItem(3)] }
    const batch = { status: 'batch', recipients: [], next: null }
    t.strictSame(await next(id, { entriesMax: 1 }), { ...batch, entries: [one] })
    t.strictSame(await next(id), { ...batch, entries: [one, three] })
    t.strictSame(await next(id, { published: one }), { ...batch, entries: [three] })
    t.equal(await publishedVersion(), 2)
    t.strictSame(await next(id, { published: three }), { status: 'idle' })
    t.equal(await publishedVersion(), 3)
    t.strictSame(await next(id, { published: three }), { status: 'idle' })
  })

  t.test('an entry is not dropped for another commit of the same version', async t => {
    const id = fixture.id('r')
    await publish(id, 'node-1', { tag: 'after the failover' })
    const forgotten = { published: { version: 1, tag: 'before' } }
    t.match(await next(id, forgotten), { status: 'batch', entries: [{ version: 1, tag: 'after the failover' }] })
  })

  t.test('recipients are the devices in the room, with the version at which each joined', async t => {
    const id = fixture.id('r')
    await commitRoom(t, fixture, id, {
      writes: { 'participant:a': participantText('alice', 'p1') },
      items: [publishItem(1)]
    })
    await commitRoom(t, fixture, id, {
      writes: { 'participant:b': participantText('bob', 'p2') },
      items: [publishItem(2)]
    })
    const alice = { user: 'alice', device: 'phone', participantId: 'p1', since: 1 }
    const bob = { user: 'bob', device: 'phone', participantId: 'p2', since: 2 }
    const recipients = async () => {
      const step = await next(id)
      return step.status === 'batch' && [...step.recipients].sort((a, b) => a.since - b.since)
    }
    t.strictSame(await recipients(), [alice, bob])
    await commitRoom(t, fixture, id, { writes: { 'participant:a': null }, items: [publishItem(3)] })
    t.strictSame(await recipients(), [bob])
  })

  t.test('a batch is bounded by entries × recipients, and has at least one entry', async t => {
    const id = fixture.id('r')
    for (let n = 0; n < 10; n++) {
      await commitRoom(t, fixture, id, {
        writes: { [`participant:${n}`]: participantText(`u${n}`, `p${n}`) },
        items: [publishItem(n)]
      })
    }
    const sizes = async (parts: Partial<FanoutOptions>) => {
      const step = await next(id, { page: 2, ...parts })
      return step.status === 'batch' && [step.entries.length, step.recipients.length, step.next]
    }
    t.strictSame(await sizes({ appendsMax: 39 }), [3, 10, null], 'the recipients of a room are not split')
    t.strictSame(await sizes({ appendsMax: 40 }), [4, 10, null])
    t.strictSame(await sizes({ appendsMax: 9 }), [1, 10, null])
    t.strictSame(await sizes({ appendsMax: 1_000, entriesMax: 7 }), [7, 10, null])
  })

  t.test('next and renew do not create a room that does not exist', async t => {
    const id = fixture.id('r')
    t.strictSame(await next(id), { status: 'idle' })
    t.equal(await renew(id, 'node-1'), false)
    t.equal(await rooms.load(id, 'all'), null)
  })

  t.test('a commit grants the lease to one node at a time', async t => {
    const id = fixture.id('r')
    t.equal(await publish(id, 'node-1'), true)
    t.equal(await publish(id, 'node-2'), false)
    t.equal(await publish(id, 'node-1'), true, 'the holder keeps it')
    t.strictSame(await versions(id, 'node-2'), 'busy')
    t.strictSame(await versions(id, 'node-1'), [1, 2, 3], 'the holder also gets what the other node has committed')
  })

  t.test('a commit without items grants the lease only if the log has entries', async t => {
    const id = fixture.id('r')
    const withoutItems = { items: [] }
    t.equal(await publish(id, 'node-1', withoutItems), false)
    t.equal(await publish(id, 'node-2'), true)
    fixture.clock.advance(FANOUT_LEASE_MS)
    t.equal(await publish(id, 'node-3', withoutItems), true)
    t.strictSame(await versions(id, 'node-2'), 'busy')
  })

  t.test('a node without the lease drops no entries', async t => {
    const id = fixture.id('r')
    await publish(id, 'node-1')
    t.strictSame(await versions(id, 'node-2', 1), 'busy')
    t.strictSame(await versions(id, 'node-1'), [1])
  })

  t.test('the next batch of the holder has what another node has committed meanwhile', async t => {
    const id = fixture.id('r')
    await publish(id, 'node-1')
    t.strictSame(await versions(id, 'node-1'), [1])
    t.equal(await publish(id, 'node-2'), false)
    t.strictSame(await versions(id, 'node-1', 1), [2])
    t.strictSame(await versions(id, 'node-1', 2), 'idle')
  })

  t.test('once the log is empty, the next commit grants the lease', async t => {
    const id = fixture.id('r')
    await publish(id, 'node-1')
    t.strictSame(await versions(id, 'node-1', 1), 'idle')
    t.equal(await renew(id, 'node-1'), false)
    t.equal(await publish(id, 'node-2'), true)
    t.strictSame(await versions(id, 'node-1'), 'busy')
    t.strictSame(await versions(id, 'node-2'), [2])
  })

  t.test('a node that does not start within FANOUT_LEASE_MS loses the lease to the next commit', async t => {
    const id = fixture.id('r')
    await publish(id, 'node-1')
    fixture.clock.advance(FANOUT_LEASE_MS - 1)
    t.equal(await publish(id, 'node-2'), false)
    t.strictSame(await versions(id, 'node-2'), 'busy')
    fixture.clock.advance(1)
    t.equal(await publish(id, 'node-2'), true)
    t.strictSame(await versions(id, 'node-1'), 'busy')
    t.strictSame(await versions(id, 'node-2'), [1, 2, 3])
  })

  t.test(
    'a node whose lease has lapsed loses it to the next caller, and can neither renew it nor drop entries',
    async t => {
      const id = fixture.id('r')
      for (let n = 1; n <= 3; n++) await publish(id, 'node-1')
      t.strictSame(await versions(id, 'node-1', 0, { entriesMax: 2 }), [1, 2])
      t.strictSame(await versions(id, 'node-1', 1, { entriesMax: 2 }), [2, 3])
      fixture.clock.advance(LEASE_MS - 1)
      t.strictSame(await versions(id, 'node-2'), 'busy')
      fixture.clock.advance(1)
      t.strictSame(await versions(id, 'node-2'), [2, 3])
      t.equal(await renew(id, 'node-1'), false, 'node-1 has lost the lease')
      t.strictSame(await versions(id, 'node-1', 3), 'busy')
      t.strictSame(await versions(id, 'node-2', 3), 'idle')
    }
  )

  t.test(
    'next and renew renew the lease, also a lapsed one that no other node has taken; a commit does not',
    async t => {
      const id = fixture.id('r')
      await publish(id, 'node-1')
      await versions(id, 'node-1')
      for (const [ms, step] of [
        [LEASE_MS - 1, 'next'],
        [LEASE_MS - 1, 'renew'],
        [3 * LEASE_MS, 'renew'],
        [3 * LEASE_MS, 'next']
      ] as const) {
        fixture.clock.advance(ms)
        if (step === 'next') t.strictSame(await versions(id, 'node-1'), [1])
        else t.equal(await renew(id, 'node-1'), true)
      }
      fixture.clock.advance(LEASE_MS - 1)
      t.strictSame(await versions(id, 'node-2'), 'busy')
      t.equal(await publish(id, 'node-1'), true)
      fixture.clock.advance(1)
      t.strictSame(await versions(id, 'node-2'), [1, 2])
    }
  )

  t.test('a lease of 0 ms is free at once', async t => {
    const id = fixture.id('r')
    await publish(id, 'node-1')
    await publish(id, 'node-1')
    t.strictSame(await versions(id, 'node-1', 1, { leaseMs: 0 }), [2])
    t.equal(await publish(id, 'node-2'), true)
    t.strictSame(await versions(id, 'node-1'), 'busy')
  })

  t.test('concurrent commits of four nodes are published in order, each once', async t => {
    const id = fixture.id('r')
    const published: number[] = []
    const publishing = new Set<string>()
    const leased = new Set<string>()

    /** A node has one task for each room, which starts again if a commit has granted the lease meanwhile. */
    async function work(node: string): Promise<void> {
      if (await publish(id, node)) leased.add(node)
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
