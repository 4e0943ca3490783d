// Short ways to say what a contract test of rooms is about.
import type { Test } from 'tap'
import type { AggregateRef, OutboxItem, Stamp } from '../../../src/store/aggregate.js'
import type { FanoutOptions, FanoutRef } from '../../../src/store/fanout.js'
import type { RoomCommit } from '../../../src/store/rooms.js'
import type { Lab } from '../contract.js'

export const room = (id: string): AggregateRef & FanoutRef => ({ kind: 'room', id })

export const roomCommitOf = (lab: Lab, parts: Partial<RoomCommit> = {}): RoomCommit => ({
  reads: {},
  writes: {},
  participantsMax: 1_000,
  items: [],
  tag: 'tag',
  deadlineAt: null,
  emptyDeadlineAt: lab.clock.now() + 3_600_000,
  expireInMs: null,
  node: 'node-1',
  now: lab.clock.now(),
  ...parts
})

/** The name of the commit of this version; null for 0, which is none. */
export const roomStamp = (version: number, tag = 'tag'): Stamp | null => (version === 0 ? null : { version, tag })

export const tellAll = (n: number | string, except?: string): OutboxItem => ({
  do: 'publish',
  ...(except !== undefined && { except }),
  event: { type: 'room.x', timestamp: '2026-11-21T10:00:00.000Z', data: { n, text: 'grüße | "quoted"\n' } }
})

/** The field of a device in a room: its head, and a line that the store does not look at. */
export const participantText = (
  user: string,
  participantId: string,
  { device = 'phone', since = null as number | null, more = '' } = {}
): string => `${JSON.stringify({ user, device, participantId, since })}\n${JSON.stringify({ more })}`

/** What a join is to the store: reads that the member is new, writes the member. */
export const joinOf = (lab: Lab, user: string, parts: Partial<RoomCommit> = {}): RoomCommit =>
  roomCommitOf(lab, {
    reads: { [`participant:${user}`]: null },
    writes: { [`participant:${user}`]: participantText(user, `p-${user}`) },
    ...parts
  })

/** Commits what must succeed; its version. */
export async function commitRoom(t: Test, lab: Lab, id: string, parts: Partial<RoomCommit> = {}): Promise<number> {
  const result = await lab.store.rooms.commit(id, roomCommitOf(lab, parts))
  t.equal(result.status, 'ok')
  return result.status === 'ok' ? result.version : 0
}

export const LEASE_MS = 2_000

/** What fan-out hands out next, with room for all of it unless said otherwise. */
export const nextBatch = (lab: Lab, ref: FanoutRef, parts: Partial<FanoutOptions> = {}) =>
  lab.store.fanouts.next(ref, {
    ...{ node: 'node-1', published: null, appendsMax: 1_000_000, entriesMax: 1_000, from: null, page: 200 },
    ...{ leaseMs: LEASE_MS, now: lab.clock.now() },
    ...parts
  })
