// Messages that the chat service did not get.
import type { ChatDeadLetter } from './api.js'
import { createDeadLetters } from './dead-letters.js'
import { countText, timeText } from './texts.js'
import type { OpenView } from './view.js'

const PATH = '/admin/chat/dead-letters'

export const openChat: OpenView = shell => {
  const letters = createDeadLetters<ChatDeadLetter>(shell, {
    path: PATH,
    empty: 'No dead letters: the chat service has every message, or there is none.',
    columns: [
      { head: 'Given up at', text: ({ at }) => timeText(at) },
      { head: 'Room', text: ({ roomId }) => roomId },
      { head: 'Message', text: ({ messageId }) => messageId },
      { head: 'Reason', text: ({ reason, status }) => (status === null ? reason : `${reason}: ${status}`) }
    ],
    whatOf: ({ messageId, roomId }) => ({ kind: `message ${messageId} of room`, id: roomId }),
    read: async (query, signal) => {
      const { deadLetters: rows, next } = await shell.api.send('GET', PATH, { query, signal })
      return { rows, next }
    },
    replayAllText:
      'The messages are sent to the chat service again, the oldest first. Those that it refuses stay here.',
    replayAll: async () => {
      const [replayed, refused] = await replayAll(after => shell.api.send('POST', `${PATH}/replay`, { query: after }))
      return `${countText(replayed, 'message')} sent again, ${refused} refused.`
    }
  })
  return { title: 'Chat', ...letters }
}

interface Replayed {
  readonly replayed: number
  readonly refused: number
  readonly next: string | null
}

/** One request replays a part of them. Resolves to how many were replayed, and how many refused. */
async function replayAll(replay: (after: { after?: string }) => Promise<Replayed>): Promise<[number, number]> {
  let [replayed, refused] = [0, 0]
  let next: string | null = null
  do {
    const reply: Replayed = await replay(next === null ? {} : { after: next })
    replayed += reply.replayed
    refused += reply.refused
    next = reply.next
  } while (next !== null)
  return [replayed, refused]
}
