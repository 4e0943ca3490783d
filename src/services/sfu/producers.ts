// Producers. To create one, the media service is asked first, then the room commits: a retry with the same id repeats both and finds what the
// first request has left.
import type { MediaServiceClient } from '../../adapters/media-service.js'
import { partsOfAccess, requireParticipant } from '../../domain/room/access.js'
import { PART, type ParticipantRecord } from '../../domain/room/state.js'
import { decideClose } from '../../domain/sfu/closing.js'
import { decidePause, decideProduce, type PauseCommand, sourceOf } from '../../domain/sfu/producers.js'
import { sessionIdIn } from '../../domain/sfu/session.js'
import { askedStateOf, sentMediaOf, viewSentMedia } from '../../domain/sfu/state.js'
import { beginPause, pausingOf } from '../../domain/sfu/unsettled.js'
import { AppError } from '../../errors.js'
import { joinIds } from '../../id-text.js'
import type { Actor } from '../../schemas/claims.js'
import type { CreateProducerRequest, Producer, ProducersReply } from '../../schemas/sfu.js'
import { type Context, perContext } from '../context.js'
import { createLatestTask } from '../latest-task.js'
import { readRoom } from '../room/parts.js'
import type { RoomPath } from '../room/paths.js'
import { changeOpenRoom, changeRoom } from '../room/update-room.js'
import { askThenCommit, undoUnlessKept } from './ask-then-commit.js'
import { checkAppData, checkMediaParameters } from './media-bounds.js'
import { settleAfter, settleClosed } from './reconcile.js'
import { type Creation, mediaIdOf, partsOfClose, partsOfOwnMedia, partsOfSender } from './requests.js'
import { withSession } from './sessions.js'

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
    const { added, isNew } = await askThenCommit(context, {
      ...{ roomId, parts, payer: actor.user },
      // Otherwise the session was opened after the room was read.
      room: sessionIdIn(room) === session.sessionId ? room : undefined,
      stateOf: read => askedStateOf(read, owner),
      ask(read, now) {
        // Refused before the media service is asked.
        decideProduce(read, command, now)
        const { closings } = sentMediaOf(read, owner, session.sessionId)
        return client.putProducer(owner, producerId, { transportId, kind, rtpParameters, paused, closings })
      },
      decide: (read, now, { type }) => decideProduce(read, { ...command, producer: { ...producer, type } }, now)
    }).catch(error => undoUnlessKept(context, use, { created: { producers: [producerId] }, error }))
    return { created: added, isNew }
  })
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

async function commitPause(context: Context, { roomId, client, command }: Pause): Promise<Producer> {
  const { actor, participantId, producerId, paused } = command
  const unsettled = PART.unsettledMediaOfParticipant(participantId)
  await changeOpenRoom(context, { roomId, parts: [unsettled] }, room => beginPause(room, command))
  const { producer } = await askThenCommit(context, {
    ...{ roomId, parts: partsOfPause(command), payer: actor.user },
    stateOf: room => askedStateOf(room, command, producerId),
    ask(room, now) {
      decidePause(room, command, now)
      return client.patchProducer(command, producerId, { paused })
    },
    decide: (room, now) => decidePause(room, command, now)
  })
  return producer
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
