// A small but complete chat service: it keeps each message from Signalpost once, and lists the messages of a room.
// The contract is openapi/chat-service.yaml.
//
//   node examples/services/chat-service.mjs 9100
//   CHAT_SERVICE_URL=http://127.0.0.1:9100 npm start
//   curl http://127.0.0.1:9100/rooms/standup/messages
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'

const BODY_MAX = 64 * 1024

/**
 * `refuses` returns the reason for which a message is refused, or null. `kept` stands for a database: a service that is started again
 * gets that of the one before.
 */
export function createChatService({ kept = new Map(), refuses = () => null } = {}) {
  async function take(request, reply) {
    const message = JSON.parse(await textOf(request))
    const reason = refuses(message)
    if (reason) return answer(reply, 422, { detail: reason })
    const room = kept.get(message.roomId) ?? new Map()
    kept.set(message.roomId, room)
    // Room id and message id identify a message. If it comes again, the reply to the first delivery was lost.
    const isNew = !room.has(message.messageId)
    if (isNew) room.set(message.messageId, message)
    answer(reply, isNew ? 201 : 200, { messageId: message.messageId })
  }

  return createServer(async (request, reply) => {
    const room = /^\/rooms\/([^/]+)\/messages$/.exec(request.url ?? '')?.[1]
    try {
      if (request.method === 'POST' && request.url === '/messages') await take(request, reply)
      else if (request.method === 'GET' && room !== undefined) {
        answer(reply, 200, { messages: [...(kept.get(decodeURIComponent(room))?.values() ?? [])] })
      } else answer(reply, 404, { detail: 'Nothing exists at this path' })
    } catch (error) {
      answer(reply, 400, { detail: String(error) })
    }
  })
}

async function textOf(request) {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk
    if (text.length > BODY_MAX) throw new Error('The body is too large')
  }
  return text
}

function answer(reply, status, body) {
  reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const server = createChatService().listen(Number(process.argv[2] ?? 9100), '127.0.0.1', () => {
    console.log(`The chat service listens on http://127.0.0.1:${server.address().port}`)
  })
}
