// The optional service that knows the rooms: GET {ROOM_SERVICE_URL}/internal/rooms/{id} is answered with 200 and a RoomDefinition, or
// with 404. Anything else, or nothing in time, counts as no answer: an error document with status 200 is no room.
import { Compile } from 'typebox/compile'
import type { Config } from '../config.js'
import { RoomDefinition } from '../schemas/room-service.js'
import { ask } from './outgoing.js'

type RoomServiceConfig = Pick<Config, 'roomServiceUrl' | 'roomServiceTimeoutMs' | 'roomServiceSecret'>

/** Of an answer: as large as what it may push. */
const MAX_BYTES = 256 * 1024

const shape = Compile(RoomDefinition)

/** Null: it knows no such room. @throws Error when it does not answer as agreed */
export async function askRoomService(
  { roomServiceUrl, roomServiceTimeoutMs, roomServiceSecret }: RoomServiceConfig,
  roomId: string
): Promise<RoomDefinition | null> {
  const { status, text } = await ask(urlOf(roomServiceUrl ?? '', roomId).href, {
    headers: {
      accept: 'application/json',
      ...(roomServiceSecret === null ? {} : { authorization: `Bearer ${roomServiceSecret}` })
    },
    timeoutMs: roomServiceTimeoutMs,
    maxBytes: MAX_BYTES
  })
  if (status === 404) return null
  if (status !== 200) throw new Error(`answered with ${status}`)
  const room: unknown = JSON.parse(text)
  if (shape.Check(room)) return room
  const [first] = shape.Errors(room)
  throw new Error(`answered with what is no room: ${first?.instancePath} ${first?.message}`)
}

/** The id is one segment of the path. `.` and `..` would be none: a URL resolves them, and encoding leaves them as they are. */
export function urlOf(base: string, roomId: string): URL {
  if (roomId === '.' || roomId === '..') throw new Error('has no such path')
  const url = new URL(base)
  url.pathname = `${url.pathname.replace(/\/$/, '')}/internal/rooms/${encodeURIComponent(roomId)}`
  return url
}
