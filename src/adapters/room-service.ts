// The optional room service (openapi/room-service.yaml). It replies to GET {ROOM_SERVICE_URL}/internal/rooms/{id} with 200 and a
// RoomDefinition, or with 404. Any other reply, or none in time, is a failure; so is a 200 with another document.
import { Compile } from 'typebox/compile'
import type { Config } from '../config.js'
import { RoomDefinition } from '../schemas/room-service.js'
import { sendRequest } from './outgoing.js'

type RoomServiceConfig = Pick<Config, 'roomServiceUrl' | 'roomServiceTimeoutMs' | 'roomServiceSecret'>

/** Of a reply. A room that the service pushes has the same bound, BODY_LIMIT. */
const MAX_BYTES = 256 * 1024

const shape = Compile(RoomDefinition)

/** Null: the service does not know the room. @throws Error after a failure */
export async function askRoomService(
  { roomServiceUrl, roomServiceTimeoutMs, roomServiceSecret }: RoomServiceConfig,
  roomId: string
): Promise<RoomDefinition | null> {
  const { status, text } = await sendRequest(urlOf(roomServiceUrl ?? '', roomId).href, {
    headers: {
      accept: 'application/json',
      ...(roomServiceSecret === null ? {} : { authorization: `Bearer ${roomServiceSecret}` })
    },
    timeoutMs: roomServiceTimeoutMs,
    maxBytes: MAX_BYTES
  })
  if (status === 404) return null
  if (status !== 200) throw new Error(`replied with ${status}`)
  const room: unknown = JSON.parse(text)
  if (shape.Check(room)) return room
  const [first] = shape.Errors(room)
  throw new Error(`replied without a valid room: ${first?.instancePath} ${first?.message}`)
}

/** The id becomes one segment of the path. `.` and `..` cannot: a URL resolves them, and encoding does not change them. */
export function urlOf(base: string, roomId: string): URL {
  if (roomId === '.' || roomId === '..') throw new Error(`the room id ${roomId} cannot be a path segment`)
  const url = new URL(base)
  url.pathname = `${url.pathname.replace(/\/$/, '')}/internal/rooms/${encodeURIComponent(roomId)}`
  return url
}
