// The optional service that knows the rooms: GET {ROOM_SERVICE_URL}/internal/rooms/{id} is answered with 200 and a ServiceRoom, or
// with 404. Anything else, or nothing in time, counts as no answer.
import { Compile } from 'typebox/compile'
import type { Config } from '../config.js'
import { ServiceRoom } from '../schemas/room-service.js'

type RoomServiceConfig = Pick<Config, 'roomServiceTimeoutMs' | 'roomServiceSecret'>

const shape = Compile(ServiceRoom)

/** Null: it knows no such room. @throws Error when it does not answer as agreed */
export async function askRoomService(
  url: string,
  { roomServiceTimeoutMs, roomServiceSecret }: RoomServiceConfig,
  roomId: string
): Promise<ServiceRoom | null> {
  const response = await fetch(`${url.replace(/\/$/, '')}/internal/rooms/${encodeURIComponent(roomId)}`, {
    headers: {
      accept: 'application/json',
      ...(roomServiceSecret === null ? {} : { authorization: `Bearer ${roomServiceSecret}` })
    },
    redirect: 'error',
    // Covers the body too: a service that answers and then trickles is no better than one that is silent.
    signal: AbortSignal.timeout(roomServiceTimeoutMs)
  })
  if (response.status === 200) {
    const room: unknown = await response.json()
    if (shape.Check(room)) return room
    throw new Error('answered with what is no room')
  }
  await response.body?.cancel()
  if (response.status === 404) return null
  throw new Error(`answered with ${response.status}`)
}
