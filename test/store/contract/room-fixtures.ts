// What contract tests of rooms commit and publish, with short defaults.
import type { Test } from 'tap'
import type { AggregateRef, OutboxItem, Stamp } from '../../../src/store/aggregate.js'
import type { FanoutOptions, FanoutRef } from '../../../src/store/fanout.js'
import type { RoomCommit } from '../../../src/store/rooms.js'
import type { StoreFixture } from '../contract.js'

export const room = (id: string): AggregateRef & FanoutRef => ({ kind: 'room', id })

export const roomCommitOf = (fixture: StoreFixture, parts: Partial<RoomCommit> = {}): RoomCommit => ({
  reads: {},
  writes: {},
  participantsMax: 1_000,
  items: [],
  tag: 'tag',
  deadlineAt: null,
  emptyDeadlineAt: fixture.clock.now() + 3_600_000,
  expireInMs: null,
  node: 'node-1',
  now: fixture.clock.now(),
  ...parts
})

/** The stamp of the commit of this version; null for version 0, before the first commit. */
export const roomStamp = (version: number, tag = 'tag'): Stamp | null => (version === 0 ? null : { version, tag })

/** An event for all recipients except this participant. */
export const publishItem = (n: number | string, except?: string): OutboxItem => ({
  do: 'publish',
  ...(except !== undefined && { except }),
  event: { type: 'room.x', timestamp: '2026-11-21T10:00:00.000Z', data: { n, text: 'grüße | "quoted"\n' } }
})

/** The field of a participant: its head, and a second line that the store does not interpret. */
export const participantText = (
  user: string,
  participantId: string,
  { device = 'phone', since = null as number | null, more = '' } = {}
): string => `${JSON.stringify({ user, device, participantId, since })}\n${JSON.stringify({ more })}`

/** The commit of a join: it expects no field of this participant, and writes one. */
export const joinOf = (fixture: StoreFixture, user: string, parts: Partial<RoomCommit> = {}): RoomCommit =>
  roomCommitOf(fixture, {
    reads: { [`participant:${user}`]: null },
    writes: { [`participant:${user}`]: participantText(user, `p-${user}`) },
    ...parts
  })

/** Commits, expects success, and resolves to the version. */
export async function commitRoom(
  t: Test,
  fixture: StoreFixture,
  id: string,
  parts: Partial<RoomCommit> = {}
): Promise<number> {
  const result = await fixture.store.rooms.commit(id, roomCommitOf(fixture, parts))
  t.equal(result.status, 'ok')
  return result.status === 'ok' ? result.version : 0
}

export const LEASE_MS = 2_000

/** The next step of fan-out, without bounds by default. */
export const nextBatch = (fixture: StoreFixture, ref: FanoutRef, parts: Partial<FanoutOptions> = {}) =>
  fixture.store.fanouts.next(ref, {
    ...{ node: 'node-1', published: null, appendsMax: 1_000_000, entriesMax: 1_000, from: null, page: 200 },
    ...{ leaseMs: LEASE_MS, now: fixture.clock.now() },
    ...parts
  })
