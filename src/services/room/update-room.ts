// Changes of a room: the steps of the optimistic commit (optimistic-commit.ts) for the parts of a room. Only the parts that a rule needs
// are read, and the commit is conditional on these parts only.
import type { Config } from '../../config.js'
import { operatorEventsOf } from '../../domain/room/operator-events.js'
import { NO_CHANGE, PART, type RoomDecision, type RoomEvent } from '../../domain/room/state.js'
import { AppError } from '../../errors.js'
import type { FollowUp, OutboxItem } from '../../store/aggregate.js'
import { type LogEntry, type RoomCommit, requestFilter } from '../../store/rooms.js'
import { deliveryCost } from '../budgets.js'
import type { Context } from '../context.js'
import { checkEveryMs, mediaSettlesInMs } from '../intervals.js'
import { type CommitOutcome, commitOptimistically } from '../optimistic-commit.js'
import { deliverWebhooks, webhooksIn } from '../webhooks/queue-events.js'
import { type ReadRoom, readRoom, toText } from './parts.js'

/** What is committed: a decision of the rules, and tasks that run when it has been published. */
interface RoomChange extends RoomDecision {
  readonly tasks?: readonly FollowUp[]
}

interface ChangeResult<D extends RoomChange = RoomDecision> {
  readonly decision: D
  /** The room as it was read for the decision. */
  readonly room: ReadRoom
  readonly version: number
  /** An entry with the id of the decision's log entry is in the log already, and `version` wrote it. Nothing was written. */
  readonly isRepeat: boolean
  /** The log entries that are too many with the new one. */
  readonly excess: readonly LogEntry[]
}

/** Which parts a change reads, and on which its commit is conditional. */
export interface RoomScope {
  readonly roomId: string
  /** What is read first. Default: `parts`, if that is a list. */
  readonly read?: readonly string[]
  /**
   * The commit is refused if one of these has changed since it was read. A function names them from what was read first; those that are
   * missing there are read together with it, in one more step.
   */
  readonly parts: readonly string[] | ((room: ReadRoom) => readonly string[])
  /** The user whose budget pays for what the change publishes. */
  readonly payer?: string | undefined
}

/** What was read, and the parts on which the commit is conditional. */
interface LoadedParts {
  readonly room: ReadRoom
  readonly parts: readonly string[]
}

/** Reads again until all named parts were read at the same instant. */
async function loadParts(context: Context, { roomId, read, parts }: RoomScope): Promise<LoadedParts> {
  const first = read ?? (typeof parts === 'function' ? [] : parts)
  for (let wanted = first; ; ) {
    const room = await readRoom(context, roomId, wanted)
    const named = typeof parts === 'function' ? parts(room) : parts
    if (named.every(requestFilter(wanted))) return { room, parts: named }
    wanted = [...first, ...named]
  }
}

/**
 * Decides and commits. `decide` is pure, or asks the media service for something that may be repeated: a commit that conflicts decides again.
 * What it relies on must be among `parts` of the scope; other parts that were read may have changed by the time of the commit.
 * @throws AppError whatever `decide` throws; rate_limited, room_full, too_many_bans, store_unavailable
 */
export function changeRoom<D extends RoomChange>(
  context: Context,
  scope: RoomScope,
  decide: (room: ReadRoom, now: number) => D | Promise<D>
): Promise<ChangeResult<D>> {
  let { payer } = scope
  return commitOptimistically<LoadedParts, D, ChangeResult<D>>(context, {
    load: () => loadParts(context, scope),
    decide: ({ room }, now) => decide(room, now),
    withoutCommit: (decision, { room }) =>
      changesSomething(decision) ? null : { decision, room, version: room.version, isRepeat: false, excess: [] },
    async commit(decision, { state, now }) {
      if (payer !== undefined) await chargeRecipients(context, payer, { decision, room: state.room })
      // Charged once, also if the commit conflicts and is repeated.
      payer = undefined
      return commit(context, { ...state, decision, now })
    }
  })
}

/** Changes nothing in a room that is over: a commit after the end would stop its expiry. */
export const changeOpenRoom = (
  context: Context,
  { parts, ...scope }: RoomScope & { readonly parts: readonly string[] },
  decide: (room: ReadRoom, now: number) => RoomChange | Promise<RoomChange>
): Promise<ChangeResult<RoomChange>> =>
  changeRoom(context, { ...scope, parts: [PART.settings, ...parts] }, (room, now) =>
    room.settings?.closed === null ? decide(room, now) : NO_CHANGE
  )

async function commit<D extends RoomChange>(
  context: Context,
  decided: DecidedChange<D>
): Promise<CommitOutcome<LoadedParts, ChangeResult<D>>> {
  const { room, decision } = decided
  const written = toCommit(context, decided)
  const result = await context.store.rooms.commit(room.roomId, written)
  if (result.status === 'full') throw new AppError(result.of === 'participants' ? 'room_full' : 'too_many_bans')
  if (result.status === 'conflict') return { retryOn: undefined }
  const { version } = result
  if (result.status === 'known') return { result: { decision, room, version, isRepeat: true, excess: [] } }
  if (result.fanoutLease) startRoomFanout(context, room.roomId)
  deliverWebhooks(context, { kind: 'room', id: room.roomId }, { ...written, ...result })
  if (decision.endsMedia) context.closeMediaOfFormer(room.roomId)
  return { result: { decision, room, version, isRepeat: false, excess: result.excess ?? [] } }
}

/** Charges the payer for the bytes of each event and its number of recipients. @throws AppError rate_limited */
async function chargeRecipients(
  { budgets }: Context,
  payer: string,
  { decision, room }: { decision: RoomChange; room: ReadRoom }
): Promise<void> {
  const costs = decision.events.map(({ to, data }) => {
    const recipients = 'all' in to ? Math.max(0, room.participantCount - (to.except === undefined ? 0 : 1)) : 1
    return deliveryCost(recipients, Buffer.byteLength(JSON.stringify(data)))
  })
  const cost = costs.reduce((sum, each) => sum + each, 0)
  if (cost > 0) await budgets.spend(payer, 'deliveries', cost)
}

/** Publishes the room's fan-out log to its recipients, in the background. */
export function startRoomFanout(context: Context, roomId: string): void {
  context.startFanout({ kind: 'room', id: roomId })
}

/**
 * Schedules tasks for when all commits up to `version` have been published: they are written to the fan-out log behind those commits, and
 * the node that publishes the log runs them. False: the commits have been published already or the room is over, and nothing was scheduled.
 */
export async function afterPublication(
  context: Context,
  roomId: string,
  { version, tasks }: { readonly version: number; readonly tasks: readonly FollowUp[] }
): Promise<boolean> {
  const { decision } = await changeOpenRoom(context, { roomId, parts: [] }, ({ publishedVersion }) =>
    publishedVersion >= version ? NO_CHANGE : { ...NO_CHANGE, tasks }
  )
  return decision !== NO_CHANGE
}

const changesSomething = ({ writes, events, tasks = [], endsRoom }: RoomChange) =>
  endsRoom === true || events.length + tasks.length > 0 || Object.keys(writes).length > 0

interface DecidedChange<D extends RoomChange = RoomChange> extends LoadedParts {
  readonly decision: D
  readonly now: number
}

function toCommit(context: Context, { room, parts, decision, now }: DecidedChange): RoomCommit {
  const { config, ids, node } = context
  const { writes, participantsMax, logEntry, events, tasks = [], endsRoom } = decision
  const texts = Object.entries(writes).map(([part, value]) => [part, value === null ? null : toText(part, value)])
  return {
    reads: Object.fromEntries(parts.map(part => [part, room.stampOf(part)])),
    writes: Object.fromEntries(texts) as Record<string, string | null>,
    participantsMax: participantsMax ?? Number.MAX_SAFE_INTEGER,
    ...(logEntry
      ? { logEntry: { id: logEntry.id, value: JSON.stringify(logEntry.value), ...logRetention(config) } }
      : {}),
    webhooks: webhooksIn(context, now, () => operatorEventsOf(room.roomId, decision)),
    items: [...events.map(event => toItem(room.roomId, event, now)), ...tasks.map(toFollowUp)],
    tag: ids.tag(),
    deadlineAt: deadlineOf(decision, config, now),
    emptyDeadlineAt: now + config.roomLingerMs,
    expireInMs: endsRoom ? config.retentionMs : null,
    node,
    now
  }
}

/** A new session, or none, is also for WHIP and WHEP clients to be checked: they were in another one. */
function deadlineOf({ deadlineAt, endsMedia, writes }: RoomChange, config: Config, now: number): number {
  const at = deadlineAt ?? now + checkEveryMs(config)
  return endsMedia || PART.sfu in writes ? Math.min(at, now + mediaSettlesInMs(config)) : at
}

/** With a chat service the commit drops no entries, because the service may not have them yet; queueMessage does. */
const logRetention = ({ chatHistoryMax: keep, chatServiceUrl }: Config) => ({
  keep,
  keepsExcess: chatServiceUrl !== null
})

function toItem(roomId: string, { to, type, data }: RoomEvent, now: number): OutboxItem {
  const event = { type, timestamp: new Date(now).toISOString(), data: { roomId, ...data } }
  if ('all' in to) return { do: 'publish', ...(to.except === undefined ? {} : { except: to.except }), event }
  return { do: 'deliver', ...to, event }
}

const toFollowUp = (task: FollowUp): OutboxItem => ({ do: 'follow', task })
