// Requests that the media service executes before the room commits, so that what the room says exists.
import { NO_CHANGE, PART, type RoomDecision } from '../../domain/room/state.js'
import { decideUndo } from '../../domain/sfu/closing.js'
import { AppError, type ErrorCode } from '../../errors.js'
import type { Context } from '../context.js'
import { commitOptimistically } from '../optimistic-commit.js'
import { type ReadRoom, readRoom } from '../room/parts.js'
import { changeRoom } from '../room/update-room.js'
import { settleClosed } from './reconcile.js'
import type { SessionUse } from './sessions.js'

interface AskedChange<Asked, D extends RoomDecision> {
  readonly roomId: string
  readonly parts: readonly string[]
  readonly payer: string
  /** The room as it was read a moment ago. Absent: it is read first. */
  readonly room?: ReadRoom | undefined
  /** Changes if another request may have undone what the service was asked for: askedStateOf. */
  readonly stateOf: (room: ReadRoom) => string
  /** Is repeated if the state has changed since `room` was read. @throws AppError if the request is refused */
  readonly ask: (room: ReadRoom, now: number) => Promise<Asked>
  readonly decide: (room: ReadRoom, now: number, asked: Asked) => D
}

/**
 * Asks the media service, then commits, on the condition that no other request was in between; otherwise both are repeated. So of two
 * requests at the same time, the one whose commit is last has asked the service last.
 * @throws AppError what `ask`, `decide` and changeRoom throw
 */
export function askThenCommit<Asked, D extends RoomDecision>(
  context: Context,
  { room: first, stateOf, ask, decide, ...scope }: AskedChange<Asked, D>
): Promise<D> {
  let known = first
  return commitOptimistically<ReadRoom, { asked: Asked; state: string }, D>(context, {
    async load() {
      const room = known ?? (await readRoom(context, scope.roomId, scope.parts))
      known = undefined
      return room
    },
    decide: async (room, now) => ({ asked: await ask(room, now), state: stateOf(room) }),
    withoutCommit: () => null,
    async commit({ asked, state }) {
      const { decision } = await changeRoom<D | typeof STALE>(context, scope, (room, now) =>
        stateOf(room) === state ? decide(room, now, asked) : STALE
      )
      return 'isStale' in decision ? { retryOn: undefined } : { result: decision }
    }
  })
}

const STALE = { ...NO_CHANGE, isStale: true } as const

/** Refusals after which nothing was committed. After other errors the commit may stand, and a retry repeats it. */
const REFUSALS: readonly ErrorCode[] = [
  ...(['not_in_room', 'room_not_found', 'room_closed', 'banned', 'not_permitted'] as const),
  ...(['too_many_media', 'rate_limited'] as const)
]

interface FailedCommit {
  /** What the media service has created for it. */
  readonly created: Parameters<typeof decideUndo>[1]['created']
  readonly error: unknown
}

/** Closes what the media service has created for a commit that was refused, unless another request has committed it. Always throws. */
export async function undoUnlessKept(
  context: Context,
  { client, owner, room: { roomId } }: SessionUse,
  { created, error }: FailedCommit
): Promise<never> {
  if (!(error instanceof AppError && REFUSALS.includes(error.code))) throw error
  const { participantId } = owner
  const parts = [
    ...[PART.settings, PART.sfu, PART.participant(participantId)],
    ...[PART.producersOfParticipant(participantId), PART.unsettledMediaOfParticipant(participantId)]
  ]
  try {
    const { decision } = await changeRoom(context, { roomId, parts }, room => decideUndo(room, { ...owner, created }))
    if (decision.closing) await settleClosed(context, roomId, { client, unsettled: decision.closing })
  } catch (cause) {
    context.log.debug(
      { err: cause, roomId },
      'what a refused commit has created is not closed; it closes with its transport'
    )
  }
  throw error
}
