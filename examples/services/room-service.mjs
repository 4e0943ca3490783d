// A room service in one file: it keeps rooms, answers Signalpost's questions about them, and reports changes to Signalpost.
//
//   ROOM_SERVICE_SECRET=… SIGNALPOST_URL=http://127.0.0.1:8080 node room-service.mjs
//   (Signalpost: ROOM_SERVICE_URL=http://127.0.0.1:8090, and the same ROOM_SERVICE_SECRET)
//
//   curl -X PUT -d '{"locked":true,"roles":{"alice":"host"}}' http://127.0.0.1:8090/rooms/standup
//   curl -X DELETE http://127.0.0.1:8090/rooms/standup     (Signalpost asks again, gets 404 and closes the room)
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'

const digest = text => createHash('sha256').update(text).digest()
/** Takes the same time for any guess, so that it does not show how much of the guess is right. */
const isSame = (shown, secret) => timingSafeEqual(digest(shown), digest(secret))

/** `rooms`: id → room, as in openapi/room-service.yaml. `signalpost`: the URL to which changes are reported; '' reports none. */
export function createRoomService({ rooms = new Map(), secret = '', signalpost = '' } = {}) {
  const authorization = `Bearer ${secret}`

  async function report(method, id, room) {
    if (signalpost === '') return
    const body =
      room === undefined ? {} : { body: JSON.stringify(room), headers: { 'content-type': 'application/json' } }
    await fetch(`${signalpost}/internal/rooms/${encodeURIComponent(id)}`, {
      method,
      ...body,
      headers: { ...body.headers, authorization },
      signal: AbortSignal.timeout(2000)
    })
  }

  async function answer(request) {
    const [, internal, segment] = /^(\/internal)?\/rooms\/([^/?]+)$/.exec(request.url) ?? []
    if (segment === undefined) return [404]
    const id = decodeURIComponent(segment)
    if (internal) {
      if (secret !== '' && !isSame(request.headers.authorization ?? '', authorization)) return [401]
      return rooms.has(id) ? [200, rooms.get(id)] : [404]
    }
    if (request.method === 'PUT') {
      let text = ''
      for await (const chunk of request) text += chunk
      rooms.set(id, JSON.parse(text))
      await report('PUT', id, rooms.get(id))
    } else if (request.method === 'DELETE') {
      rooms.delete(id)
      await report('DELETE', id)
    }
    return [204]
  }

  return createServer(async (request, reply) => {
    const [status, body] = await answer(request).catch(error => [502, { error: error.message }])
    reply.writeHead(status, { 'content-type': 'application/json' }).end(body && JSON.stringify(body))
  })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { PORT = '8090', ROOM_SERVICE_SECRET: secret, SIGNALPOST_URL: signalpost } = process.env
  createRoomService({ secret, signalpost }).listen(Number(PORT), '127.0.0.1')
}
