// Producers. To create one, the media service is asked first, then the room commits: a retry with the same id repeats both and finds what the
// first request has left.
import type { MediaServiceClient } from '../../adapters/media-service.js'
import { partsOfAccess, requireParticipant } from '../../domain/room/access.js'
import { NO_CHANGE, PART, type ParticipantRecord } from '../../domain/room/state.js'
import { decideClose } from '../../domain/sfu/closing.js'
import { decidePause, decideProduce, type PauseCommand, sourceOf } from '../../domain/sfu/producers.js'
import { sessionIdIn } from '../../domain/sfu/session.js'
import { sentMediaOf, viewSentMedia } from '../../domain/sfu/state.js'
import { beginPause, pausingOf } from '../../domain/sfu/unsettled.js'
import { AppError, type ErrorCode } from '../../errors.js'
import { joinIds } from '../../id-text.js'
import type { Actor } from '../../schemas/claims.js'
import type { CreateProducerRequest, Producer, ProducersReply } from '../../schemas/sfu.js'
import { type Context, perContext } from '../context.js'
import { createLatestTask } from '../latest-task.js'
import { commitOptimistically } from '../optimistic-commit.js'
import { type ReadRoom, readRoom } from '../room/parts.js'
import type { RoomPath } from '../room/paths.js'
import { changeOpenRoom, changeRoom } from '../room/update-room.js'
import { checkAppData, checkMediaParameters } from './media-bounds.js'
import { settleAfter, settleClosed } from './reconcile.js'
import { type Creation, mediaIdOf, partsOfClose, partsOfOwnMedia, partsOfSender } from './requests.js'
import { type SessionUse, withSession } from './sessions.js'

export interface ProducerPath extends RoomPath {
  /** The participant that sends it. Absent: the actor's own. */
  readonly participantId?: string
  readonly producerId: string
}

interface Created<Item> {
  readonly created: Item
  readonly isNew: boolean
}

/**
 * All other participants receive it. A repeat with the same id returns the first producer.
 * @throws AppError as withSession, and too_large, media_not_found, media_conflict, invalid_media_parameters, too_many_media
 */
export function createProducer(
  context: Context,
  actor: Actor,
  { roomId, idempotencyKey, producerId: id, rtpParameters, ...request }: RoomPath & CreateProducerRequest & Creation
): Promise<Created<Producer>> {
  const { transportId, kind, paused = false, appData = {} } = request
  checkMediaParameters('rtpParameters', rtpParameters)
  checkAppData(appData)
  const source = sourceOf(request)
  const producerId = mediaIdOf(context, actor, { name: 'producerId', id, roomId, idempotencyKey })
  const parts = partsOfOwnMedia(actor)
  return withSession(context, { actor, roomId, action: `publish:${source}`, parts }, async use => {
    const { client, owner, room, session } = use
    const producer = { producerId, transportId, kind, source, type: 'simple', paused, appData } as const
    const command = { actor, sessionId: session.sessionId, producer }
    // Refused before the media service is asked, if the session was open when the room was read.
    if (sessionIdIn(room) === session.sessionId) decideProduce(room, command, context.clock.now())
    const { type } = await client.putProducer(owner, producerId, { transportId, kind, rtpParameters, paused })
    const commit = () =>
      changeRoom(context, { roomId, parts, payer: actor.user }, (read, now) =>
        decideProduce(read, { ...command, producer: { ...producer, type } }, now)
      )
    const { decision } = await commit().catch(error =>
      undoUnlessKept(context, use, { kind: 'producers', id: producerId, error })
    )
    return { created: decision.added, isNew: decision.isNew }
  })
}

/** Refusals after which nothing was committed. After other errors the commit may stand, and a retry repeats it. */
const REFUSALS: readonly ErrorCode[] = [
  ...(['not_in_room', 'room_not_found', 'room_closed', 'banned', 'not_permitted'] as const),
  ...(['too_many_media', 'rate_limited'] as const)
]

interface FailedCommit {
  readonly kind: 'producers' | 'data-producers'
  readonly id: string
  readonly error: unknown
}

/** Closes what the media service has created for a commit that was refused, unless an earlier request has committed it. Always throws. */
export async function undoUnlessKept(
  context: Context,
  { client, owner, session, access, room: { roomId } }: SessionUse,
  { kind, id, error }: FailedCommit
): Promise<never> {
  if (!(error instanceof AppError && REFUSALS.includes(error.code))) throw error
  try {
    const { participant } = access
    const room = await readRoom(context, roomId, [PART.producersOf(participant)])
    const { producers, dataProducers } = sentMediaOf(room, participant, session.sessionId)
    const kept =
      kind === 'producers' ? producers.map(each => each.producerId) : dataProducers.map(each => each.dataProducerId)
    if (!kept.includes(id)) await client.remove(owner, kind, id)
  } catch (cause) {
    context.log.debug({ err: cause, roomId }, 'producer of a refused commit not closed; it closes with its transport')
  }
  throw error
}

/** @throws AppError as withSession, and participant_not_found, media_not_found */
export function updateProducer(
  context: Context,
  actor: Actor,
  { roomId, participantId, producerId, paused }: ProducerPath & { readonly paused: boolean }
): Promise<Producer> {
  return withSession(context, { actor, roomId, action: 'takePart' }, ({ client, session: { sessionId }, owner }) => {
    const command = { actor, sessionId, participantId: participantId ?? owner.participantId, producerId, paused }
    return setPaused(context, { roomId, client, command })
  })
}

/** Those of this node, by device and producer. */
const pausesOf = perContext(() => createLatestTask<Producer>())

interface Pause {
  readonly roomId: string
  readonly client: MediaServiceClient
  readonly command: PauseCommand
}

/**
 * Of the requests of a device that wait for an earlier one, only the last is executed: it replaces the others at once. So the media service is
 * asked a few times, however many requests there are.
 */
async function setPaused(context: Context, pause: Pause): Promise<Producer> {
  const { roomId, client, command } = pause
  const { actor, sessionId, participantId, producerId, paused } = command
  const unsettled = pausingOf(command, producerId)
  // A request that is refused here replaces no other.
  decidePause(await readRoom(context, roomId, partsOfPause(command)), command, context.clock.now())
  const name = joinIds(sessionId, participantId, producerId, actor.user, actor.device)
  const producer = await pausesOf(context)(name, () =>
    commitPause(context, pause).catch(async error => {
      await settleAfter(context, roomId, { client, unsettled, error })
      throw error
    })
  )
  return { ...producer, paused }
}

const partsOfPause = ({ actor, participantId }: PauseCommand) => [
  ...partsOfAccess(actor),
  PART.sfu,
  ...partsOfSender(participantId)
]

/**
 * The commit is conditional on that no request has paused or resumed the producer since before the media service was asked; otherwise both are
 * repeated. So of two requests at the same time, the one whose commit is last has asked the service last.
 */
async function commitPause(context: Context, { roomId, client, command }: Pause): Promise<Producer> {
  const { actor, participantId, producerId, paused } = command
  const scope = { roomId, parts: partsOfPause(command), payer: actor.user }
  const unsettled = PART.unsettledMediaOfParticipant(participantId)
  await changeOpenRoom(context, { roomId, parts: [unsettled] }, room => beginPause(room, command))
  return commitOptimistically<ReadRoom, ReturnType<typeof decidePause>, Producer>(context, {
    load: () => readRoom(context, roomId, scope.parts),
    async decide(room, now) {
      const asked = decidePause(room, command, now)
      await client.patchProducer(command, producerId, { paused })
      return asked
    },
    withoutCommit: () => null,
    async commit({ pausesBefore }) {
      const { decision } = await changeRoom(context, scope, (room, now) => {
        const decided = decidePause(room, command, now)
        return decided.pausesBefore === pausesBefore ? decided : { ...NO_CHANGE, producer: null }
      })
      return decision.producer === null ? { retryOn: undefined } : { result: decision.producer }
    }
  })
}

/**
 * The room commits first: a node that dies after it has asked the media service would leave a producer in the room that does not exist.
 * @throws AppError as withSession, and participant_not_found
 */
export function closeProducer(
  context: Context,
  actor: Actor,
  { roomId, participantId, producerId }: ProducerPath
): Promise<void> {
  const action = participantId === undefined ? 'takePart' : 'moderateMedia'
  return withSession(context, { actor, roomId, action }, async ({ client, session, owner }) => {
    const sender = { sessionId: session.sessionId, participantId: participantId ?? owner.participantId }
    const isClosed = (item: object) => 'producerId' in item && item.producerId === producerId
    const command = { actor, ...sender, isClosed, named: { producers: [producerId] } }
    const scope = { roomId, parts: partsOfClose(command), payer: actor.user }
    const { decision } = await changeRoom(context, scope, (room, now) => decideClose(room, command, now))
    await settleClosed(context, roomId, { client, unsettled: decision.closing })
  })
}

/** What all participants send in the session of now. Asks no media service. @throws AppError not_sfu, not_in_room, … */
export async function listProducers(context: Context, actor: Actor, { roomId }: RoomPath): Promise<ProducersReply> {
  const room = await readRoom(context, roomId, [...partsOfAccess(actor), PART.sfu, PART.participants, PART.producers])
  const { settings } = requireParticipant('takePart', room, { actor, now: context.clock.now() })
  if (settings.mode !== 'sfu') throw new AppError('not_sfu')
  const participants = room.list<ParticipantRecord>(PART.participants).map(([, participant]) => participant)
  const sessionId = sessionIdIn(room)
  return { sessionId, ...viewSentMedia(room, participants, sessionId) }
}
