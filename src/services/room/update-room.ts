// Rooms in the loop of optimistic-commit.ts. Only the parts that a rule looks at are read, and a commit stands on no others.
import type { Config } from '../../config.js'
import { NOTHING, PART, type RoomDecision, type RoomEvent } from '../../domain/room/state.js'
import { AppError } from '../../errors.js'
import type { FollowUp, OutboxItem } from '../../store/aggregate.js'
import { isAskedBy, type Logged, type RoomCommit } from '../../store/rooms.js'
import { deliveryCost } from '../budgets.js'
import type { Context } from '../context.js'
import { checkEveryMs } from '../intervals.js'
import { type CommitAttempt, commitOptimistically } from '../optimistic-commit.js'
import { type ReadRoom, readRoom, toText } from './parts.js'

/** What is committed: a decision of the rules, and what is next when it has been published. */
interface RoomChange extends RoomDecision {
  readonly tasks?: readonly FollowUp[]
}

interface Changed<D extends RoomChange = RoomDecision> {
  readonly decision: D
  /** As it was read for the decision. */
  readonly room: ReadRoom
  readonly version: number
  /** The decision's line is in the log already, since this version; nothing was written. */
  readonly known: boolean
  /** Lines that are too many with the decision's. */
  readonly excess: readonly Logged[]
}

/** What a change is made on. */
export interface RoomBasis {
  readonly roomId: string
  /** What is read; without it, the parts. */
  readonly read?: readonly string[]
  /**
   * What the commit stands on; a function where only the room itself can name it. Parts that were not read with the first ones are read
   * with them then.
   */
  readonly parts: readonly string[] | ((room: ReadRoom) => readonly string[])
  /** The user whose budget pays for what the change publishes. */
  readonly payer?: string | undefined
}

/** What was read, and the parts of it that a commit stands on. */
interface Read {
  readonly room: ReadRoom
  readonly parts: readonly string[]
}

async function readBasis(context: Context, { roomId, read, parts }: RoomBasis): Promise<Read> {
  const first = read ?? (typeof parts === 'function' ? [] : parts)
  for (let wanted = first; ; ) {
    const room = await readRoom(context, roomId, wanted)
    const named = typeof parts === 'function' ? parts(room) : parts
    if (named.every(isAskedBy(wanted))) return { room, parts: named }
    wanted = [...first, ...named]
  }
}

/**
 * `decide` is pure, and looks at nothing but the parts named, and of others at what may be old when the commit is made.
 * @throws AppError whatever `decide` throws; rate_limited, room_full, too_many_bans, store_unavailable
 */
export function changeRoom<D extends RoomChange>(
  context: Context,
  basis: RoomBasis,
  decide: (room: ReadRoom, now: number) => D
): Promise<Changed<D>> {
  let { payer } = basis
  return commitOptimistically<Read, D, Changed<D>>(context.clock, {
    load: () => readBasis(context, basis),
    decide: ({ room }, now) => decide(room, now),
    withoutCommit: (decision, { room }) =>
      changesSomething(decision) ? null : { decision, room, version: room.version, known: false, excess: [] },
    async commit(decision, { state, now }) {
      if (payer !== undefined) await charge(context, payer, { decision, room: state.room })
      // A race that was lost is not paid for.
      payer = undefined
      return commit(context, { ...state, decision, now })
    }
  })
}

/** Changes nothing in a room that is over: a commit after the end would keep it from expiring. */
export const changeOpenRoom = (
  context: Context,
  { parts, ...basis }: RoomBasis & { readonly parts: readonly string[] },
  decide: (room: ReadRoom, now: number) => RoomChange
): Promise<Changed<RoomChange>> =>
  changeRoom(context, { ...basis, parts: [PART.settings, ...parts] }, (room, now) =>
    room.settings?.closed === null ? decide(room, now) : NOTHING
  )

async function commit<D extends RoomChange>(
  context: Context,
  decided: Decided<D>
): Promise<CommitAttempt<Read, Changed<D>>> {
  const { room, decision } = decided
  const result = await context.store.rooms.commit(room.roomId, toCommit(context, decided))
  if (result.status === 'full') throw new AppError(result.of === 'members' ? 'room_full' : 'too_many_bans')
  if (result.status === 'conflict') return { retryOn: undefined }
  const { version } = result
  if (result.status === 'known') return { result: { decision, room, version, known: true, excess: [] } }
  if (result.fanoutLease) startFanout(context, room.roomId)
  return { result: { decision, room, version, known: false, excess: result.excess ?? [] } }
}

/** @throws AppError rate_limited */
async function charge(
  { budgets }: Context,
  payer: string,
  { decision, room }: { decision: RoomChange; room: ReadRoom }
): Promise<void> {
  const costs = decision.events.map(({ to, data }) => {
    const recipients = 'all' in to ? Math.max(0, room.memberCount - (to.except === undefined ? 0 : 1)) : 1
    return deliveryCost(recipients, Buffer.byteLength(JSON.stringify(data)))
  })
  const cost = costs.reduce((sum, each) => sum + each, 0)
  if (cost > 0) await budgets.spend(payer, 'deliveries', cost)
}

/** Publishes what the room's commits have left to everybody in it, in the background. */
export function startFanout(context: Context, roomId: string): void {
  context.startFanout({ kind: 'room', id: roomId })
}

/**
 * Has these tasks done when everything up to `version` has been published: they stand in the room's log behind it, and whichever node
 * publishes does them. False: it has been published already, or the room is over, and nothing was written.
 */
export async function afterPublication(
  context: Context,
  roomId: string,
  { version, tasks }: { version: number; tasks: readonly FollowUp[] }
): Promise<boolean> {
  const { decision } = await changeOpenRoom(context, { roomId, parts: [] }, ({ publishedVersion }) =>
    publishedVersion >= version ? NOTHING : { ...NOTHING, tasks }
  )
  return decision !== NOTHING
}

const changesSomething = ({ writes, events, tasks = [], over }: RoomChange) =>
  over === true || events.length + tasks.length > 0 || Object.keys(writes).length > 0

interface Decided<D extends RoomChange = RoomChange> extends Read {
  readonly decision: D
  readonly now: number
}

function toCommit(context: Context, { room, parts, decision, now }: Decided): RoomCommit {
  const { config, ids, node } = context
  const { writes, membersMax, line, events, tasks = [], deadlineAt, over } = decision
  const texts = Object.entries(writes).map(([part, value]) => [part, value === null ? null : toText(part, value)])
  return {
    reads: Object.fromEntries(parts.map(part => [part, room.stampOf(part)])),
    writes: Object.fromEntries(texts) as Record<string, string | null>,
    membersMax: membersMax ?? Number.MAX_SAFE_INTEGER,
    ...(line ? { line: { id: line.id, value: JSON.stringify(line.value), ...keeping(config) } } : {}),
    items: [...events.map(event => toItem(room.roomId, event, now)), ...tasks.map(toFollowUp)],
    tag: ids.tag(),
    deadlineAt: deadlineAt ?? now + checkEveryMs(config),
    emptyDeadlineAt: now + config.roomLingerMs,
    expireInMs: over ? config.retentionMs : null,
    node,
    now
  }
}

/** What a chat service may not have yet is not dropped by the way. */
const keeping = ({ chatHistoryMax: keep, chatServiceUrl }: Config) => ({ keep, holds: chatServiceUrl !== null })

function toItem(roomId: string, { to, type, data }: RoomEvent, now: number): OutboxItem {
  const event = { type, timestamp: new Date(now).toISOString(), data: { roomId, ...data } }
  if ('all' in to) return { do: 'publish', ...(to.except === undefined ? {} : { except: to.except }), event }
  return { do: 'deliver', ...to, event }
}

const toFollowUp = (task: FollowUp): OutboxItem => ({ do: 'follow', task })
