import type { Test } from 'tap'
import type { Commit } from '../../../src/store/aggregate.js'
import type { StoreFixture } from '../contract.js'
import { call, commitOf, mailTo, touch } from './fixtures.js'
import { joinOf, participantText, room, roomCommitOf, roomStamp } from './room-fixtures.js'
import { newEvent, queueOf, queueSteps } from './webhook-fixtures.js'

/** What commits queue for webhooks. */
export function webhookCommitContract(t: Test, fixture: StoreFixture): void {
  const { aggregates, rooms } = fixture.store
  const { next, versions } = queueSteps(fixture)

  t.test('a commit queues its events for each destination, in order and unchanged', async t => {
    const ref = call(fixture.id('c'))
    const [first, second] = [fixture.id('d'), fixture.id('d')]
    const webhooks = [
      newEvent(1, { destinations: [first, second] }),
      newEvent(2, { destinations: [second], type: 'call.record', expiresAt: fixture.clock.now() + 60_000 }),
      newEvent(3, { destinations: [first] })
    ]
    const result = await aggregates.commit(ref, commitOf(fixture, 0, { webhooks }))
    t.equal(result.ok && result.webhooksRefused, undefined)
    const queued = async (destination: string) => {
      const step = await next(queueOf(ref, destination))
      return step.status === 'batch' ? step.events.map(({ position: _, ...event }) => event) : step.status
    }
    const expected = (index: number) => {
      const { destinations: _, ...event } = webhooks[index] ?? newEvent('')
      return { version: 1, tag: 't1', index, ...event }
    }
    t.strictSame(await queued(first), [expected(0), expected(2)])
    t.strictSame(await queued(second), [expected(0), expected(1)])
    await aggregates.commit(ref, commitOf(fixture, 1, { webhooks: [newEvent(4, { destinations: [second] })] }))
    t.strictSame(await versions(queueOf(ref, second)), [1, 1, 2], 'behind those that wait')
  })

  t.test('a commit with mail, one whose mail is held back and one of a presence queue their events', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    const kinds: Record<string, Partial<Commit>> = {
      'with mail': { mail: [mailTo(bob)] },
      'held back': { mail: [mailTo(bob)], isHeld: true },
      ended: { mail: [mailTo(bob)], expireInMs: 60_000 }
    }
    for (const [name, parts] of Object.entries(kinds)) {
      const ref = call(fixture.id('c'))
      t.match(await aggregates.commit(ref, commitOf(fixture, 0, { ...parts, webhooks: [newEvent(1)] })), { ok: true })
      t.strictSame(await versions(queueOf(ref)), [1], name)
    }
    const presence = { kind: 'presence', id: bob } as const
    await aggregates.commit(presence, commitOf(fixture, 0, { webhooks: [newEvent(1)] }))
    t.strictSame(await versions(queueOf(presence)), [1])
  })

  t.test('the event of a room has the version that its commit got', async t => {
    const id = fixture.id('r')
    const webhooks = [newEvent('a')]
    await rooms.commit(id, joinOf(fixture, 'alice', { tag: 'one', webhooks }))
    await rooms.commit(id, roomCommitOf(fixture, { tag: 'two' }))
    const third = { tag: 'three', webhooks, writes: { settings: '{}', 'producer:x': '{}' } }
    t.match(await rooms.commit(id, roomCommitOf(fixture, third)), { status: 'ok', version: 3 })
    t.match(await next(queueOf(room(id))), {
      events: [
        { version: 1, tag: 'one', envelope: webhooks[0]?.envelope },
        { version: 3, tag: 'three' }
      ]
    })
    const stored = await rooms.load(id, 'all')
    t.strictSame([...(stored?.fields.keys() ?? [])].sort(), ['participant:alice', 'producer:x', 'settings'])
  })

  t.test('a commit that is refused queues nothing', async t => {
    const [ref, id] = [call(fixture.id('c')), fixture.id('r')]
    const webhooks = [newEvent(1)]
    await aggregates.commit(ref, commitOf(fixture, 0))
    t.match(await aggregates.commit(ref, commitOf(fixture, 0, { webhooks })), { ok: false })
    const stranger = { user: fixture.id('bob'), entries: [], keepalive: { device: 'phone', authExpiresAt: null } }
    t.match(await aggregates.commit(ref, commitOf(fixture, 1, { mail: [stranger], webhooks })), { unregistered: true })
    t.strictSame(await versions(queueOf(ref)), 'idle')
    const logEntry = { id: 'l', value: '1', keep: 9 }
    const isRefused = async (parts: object, status: string) =>
      t.match(await rooms.commit(id, roomCommitOf(fixture, { webhooks, ...parts })), { status })
    await isRefused({ reads: { settings: roomStamp(7) } }, 'conflict')
    await isRefused({ writes: { 'participant:a': participantText('a', 'p1') }, participantsMax: 0 }, 'full')
    await rooms.commit(id, roomCommitOf(fixture, { logEntry }))
    await isRefused({ logEntry }, 'known')
    t.strictSame(await versions(queueOf(room(id))), 'idle')
  })
}
