// A room for tests of the rules: it applies decisions as the store does, and records the events that each participant receives.
import assert from 'node:assert/strict'
import { decideBan, decideUnban } from '../../src/domain/room/bans.js'
import * as life from '../../src/domain/room/lifecycle.js'
import { decideUpdate } from '../../src/domain/room/participant-update.js'
import * as rules from '../../src/domain/room/participants.js'
import {
  NO_CHANGE,
  PART,
  type ParticipantRecord,
  participantIdOf,
  type RoomDecision,
  type RoomParts,
  type Settings
} from '../../src/domain/room/state.js'
import { AppError } from '../../src/errors.js'
import type { Actor, RoomClaim } from '../../src/schemas/claims.js'
import type { Endpoint } from '../../src/schemas/common.js'
import type { JoinRoomRequest, RoomRequest, UpdateParticipantRequest } from '../../src/schemas/room.js'
import { freeze } from './calls.js'
import { faultsOf } from './events.js'

export const T0 = Date.parse('2026-11-21T10:00:00.000Z')
export const ROOM = 'r1'
export const LINGER_MS = 30_000

/** Without `claim` the token makes no claims about rooms. */
export const actorOf = (user: string, device = 'phone', claim?: RoomClaim): Actor => ({
  user,
  device,
  expiresAt: null,
  ...(claim ? { rooms: { [ROOM]: claim } } : {})
})

export interface ReceivedEvent {
  readonly type: string
  readonly version: number
  readonly data: Readonly<Record<string, unknown>>
}

type Decide = (parts: RoomParts) => RoomDecision
const keyOf = ({ user, device }: Endpoint) => `${user}/${device}`

export class RoomFixture {
  now = T0
  version = 0
  readonly maxParticipants: number
  readonly #parts = new Map<string, unknown>()
  /** The events of each device, by user/device. */
  readonly received = new Map<string, ReceivedEvent[]>()
  #count = 0

  constructor(maxParticipants = 100) {
    this.maxParticipants = maxParticipants
  }

  get parts(): RoomParts {
    const get = <T>(part: string) => (this.#parts.get(part) as T | undefined) ?? null
    const { settings, empty } = PART
    return {
      roomId: ROOM,
      version: this.version,
      settings: get<Settings>(settings),
      emptySince: get(empty),
      get,
      list: <T>(prefix: string) =>
        [...this.#parts]
          .filter(([name]) => name.startsWith(prefix))
          .map(([name, part]) => [name.slice(prefix.length), part as T] as const),
      participantCount: this.participants().length
    }
  }

  participant(device: Endpoint): ParticipantRecord | null {
    return this.parts.get<ParticipantRecord>(PART.participantOf(device))
  }

  participants(): ParticipantRecord[] {
    return [...this.#parts]
      .filter(([name]) => name.startsWith(PART.participants))
      .map(([, participant]) => participant as ParticipantRecord)
  }

  /** The participant ids, by user/device. */
  get participantIds(): ReadonlyMap<string, string> {
    return new Map(this.participants().map(participant => [keyOf(participant), participant.participantId]))
  }

  // ── Actions ──

  join(actor: Actor, { metadata = {}, replace = false }: JoinRoomRequest = {}): RoomDecision | AppError {
    const { maxParticipants } = this
    const participantId = participantIdOf(actor, `.p${++this.#count}`)
    return this.attempt(parts =>
      rules.decideJoin(parts, { actor, participantId, metadata, replace, maxParticipants }, this.now)
    )
  }

  remove(actor: Actor, participant: Endpoint): RoomDecision | AppError {
    return this.#decideAbout(participant, (parts, target) => rules.decideRemoval(parts, { actor, target }, this.now))
  }

  change(actor: Actor, participant: Endpoint, body: UpdateParticipantRequest): RoomDecision | AppError {
    return this.#decideAbout(participant, (parts, target) => decideUpdate(parts, { actor, target, body }, this.now))
  }

  ban(actor: Actor, user: string, forMs: number | null = null): RoomDecision | AppError {
    return this.attempt(parts => decideBan(parts, { actor, user, forMs }, this.now))
  }

  unban(actor: Actor, user: string): RoomDecision | AppError {
    return this.attempt(parts => decideUnban(parts, { actor, user }, this.now))
  }

  configure(actor: Actor, body: RoomRequest): RoomDecision | AppError {
    const { maxParticipants } = this
    return this.attempt(parts => life.decideSettings(parts, { actor, body, maxParticipants }, this.now))
  }

  close(actor: Actor): RoomDecision | AppError {
    return this.attempt(parts => life.decideClose(parts, actor, this.now))
  }

  // ── Events of the server ──

  markAway(device: Endpoint): RoomDecision | AppError {
    return this.#decideAbout(device, (_, participant) => rules.markAway(participant, this.now))
  }

  markReturned(device: Endpoint): RoomDecision | AppError {
    return this.#decideAbout(device, (_, participant) => rules.markReturned(participant))
  }

  loseDevice(device: Endpoint): RoomDecision | AppError {
    return this.#decideAbout(device, (parts, participant) =>
      rules.leaveRoom(parts, participant, { reason: 'lost', by: null, now: this.now })
    )
  }

  closeIfEmpty(): RoomDecision | AppError {
    return this.attempt(parts => life.decideCloseEmpty(parts, LINGER_MS, this.now))
  }

  attempt(decide: Decide): RoomDecision | AppError {
    try {
      const decision = decide(this.parts)
      this.#commit(decision)
      return decision
    } catch (error) {
      if (error instanceof AppError) return error
      throw error
    }
  }

  #decideAbout(
    device: Endpoint,
    decide: (parts: RoomParts, participant: ParticipantRecord) => RoomDecision
  ): RoomDecision | AppError {
    const participant = this.participant(device)
    return participant ? this.attempt(parts => decide(parts, participant)) : new AppError('participant_not_found')
  }

  /** As the store does: writes all of the decision under the next version, or nothing. */
  #commit({ writes, participantsMax = Infinity, events }: RoomDecision): void {
    if (Object.keys(writes).length === 0 && events.length === 0) return
    const isJoin = Object.keys(writes).some(
      name => name.startsWith(PART.participants) && writes[name] !== null && !this.#parts.has(name)
    )
    if (isJoin && this.participants().length >= participantsMax) throw new AppError('room_full')
    this.version++
    for (const [name, value] of Object.entries(writes)) {
      if (value === null) this.#parts.delete(name)
      else this.#parts.set(name, freeze(JSON.parse(JSON.stringify(value))))
    }
    for (const event of events) this.#publish(event)
  }

  #publish({ to, type, data }: RoomDecision['events'][number]): void {
    const envelope = {
      type,
      timestamp: new Date(this.now).toISOString(),
      data: { roomId: ROOM, ...data, version: this.version }
    }
    assert.deepEqual(faultsOf(JSON.parse(JSON.stringify(envelope))), [], 'the event matches its schema')
    const keys =
      'all' in to
        ? [...this.participantIds].filter(([, participantId]) => participantId !== to.except).map(([key]) => key)
        : 'device' in to
          ? [keyOf(to)]
          : []
    for (const key of keys) {
      this.received.set(key, [...(this.received.get(key) ?? []), { type, version: this.version, data }])
    }
  }
}

/** The events with their recipients; `quiet`: a change without events; `nothing`: no change; or the code of the error. */
export function outcomeOf(outcome: RoomDecision | AppError): string {
  if (outcome instanceof AppError) return outcome.code
  if (outcome === NO_CHANGE) return 'nothing'
  const events = outcome.events.map(({ to, type, data }) => {
    const name = type.replace(/^room\.(participant_)?/, '')
    const reason = data.reason === undefined ? '' : `(${data.reason})`
    if (!('all' in to)) return `${'device' in to ? keyOf(to) : `${to.user} but ${to.except}`} ${name}${reason}`
    return `all${to.except === undefined ? '' : ` but ${to.except.split('.').at(-1)}`} ${name}${reason}`
  })
  return events.join('; ') || 'quiet'
}
