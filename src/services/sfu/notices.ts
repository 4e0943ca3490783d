// Notices of a media service: who speaks, and how good a stream is. They are sent to the devices that are connected now, and kept nowhere.

import { wait } from '../../clock.js'
import { PART, type ParticipantHead } from '../../domain/room/state.js'
import { sessionIdIn } from '../../domain/sfu/session.js'
import type { MediaNotice } from '../../schemas/media-service.js'
import type { Context } from '../context.js'
import { readRoom } from '../room/parts.js'

/** How often a notice about the same subject is sent. Of those that arrive in between, the last one is sent. */
const NOTICE_EVERY_MS = 1000

/** Also a recorder wants to know who speaks. */
const GROUPS = [PART.participantHeads, PART.hiddenHeads]

interface SessionNotices {
  readonly roomId: string
  readonly sessionId: string
  readonly notices: readonly MediaNotice[]
}

/** Sends the notices in the background, unless the room is on another session. */
export async function sendMediaNotices(
  context: Context,
  { roomId, sessionId, notices }: SessionNotices
): Promise<void> {
  if (notices.length === 0) return
  const room = await readRoom(context, roomId, [PART.settings, PART.sfu, ...GROUPS])
  if (sessionIdIn(room) !== sessionId) return
  const heads = GROUPS.flatMap(group => room.list<ParticipantHead>(group).map(([, head]) => head))
  for (const notice of notices) {
    const recipients =
      notice.type === 'active_speaker'
        ? heads
        : heads.filter(({ participantId }) => participantId === notice.participantId)
    if (recipients.length === 0) continue
    context.background.runAgain(`send media notice ${roomId} ${subjectOf(notice)}`, async closing => {
      await sendNotice(context, roomId, { notice, recipients })
      await wait(context.clock, NOTICE_EVERY_MS, closing)
    })
  }
}

function subjectOf(notice: MediaNotice): string {
  if (notice.type === 'active_speaker') return notice.type
  const { type, participantId, producerId, consumerId } = notice
  return JSON.stringify([type, participantId, producerId, consumerId])
}

async function sendNotice(
  { store, clock }: Context,
  roomId: string,
  { notice, recipients }: { readonly notice: MediaNotice; readonly recipients: readonly ParticipantHead[] }
): Promise<void> {
  const type = `sfu.${notice.type}`
  const timestamp = new Date(clock.now()).toISOString()
  const envelope = JSON.stringify({ type, timestamp, data: { roomId, ...dataOf(notice) } })
  await Promise.all(recipients.map(({ user, device }) => store.wakeups.notify(user, { device, type, envelope })))
}

/** The known members only: a newer service may send others. */
function dataOf(notice: MediaNotice): object {
  if (notice.type === 'active_speaker') return { participantId: notice.participantId }
  const { participantId, producerId, consumerId, score } = notice
  return {
    participantId,
    ...(producerId === undefined ? {} : { producerId }),
    ...(consumerId === undefined ? {} : { consumerId }),
    score: Math.round(score)
  }
}
