// A room as the store keeps it, in the hands of a test: decisions are applied to it, and whoever is in hears what they say.
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

/** Somebody with a token, which says nothing of rooms unless a claim is given. */
export const somebody = (user: string, device = 'phone', claim?: RoomClaim): Actor => ({
  user,
  device,
  expiresAt: null,
  ...(claim ? { rooms: { [ROOM]: claim } } : {})
})

export interface Heard {
  readonly type: string
  readonly version: number
  readonly data: Readonly<Record<string, unknown>>
}

type Decide = (parts: RoomParts) => RoomDecision
const placeOf = ({ user, device }: Endpoint) => `${user}/${device}`

export class RoomFixture {
  now = T0
  version = 0
  readonly maxParticipants: number
  readonly #parts = new Map<string, unknown>()
  /** What came to each device, by user/device. */
  readonly heard = new Map<string, Heard[]>()
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
      participantCount: this.members().length
    }
  }

  member(who: Endpoint): ParticipantRecord | null {
    return this.parts.get<ParticipantRecord>(PART.participantOf(who))
  }

  members(): ParticipantRecord[] {
    return [...this.#parts]
      .filter(([name]) => name.startsWith(PART.participants))
      .map(([, member]) => member as ParticipantRecord)
  }

  /** By user/device. */
  get participants(): ReadonlyMap<string, string> {
    return new Map(this.members().map(member => [placeOf(member), member.participantId]))
  }

  // ── What people do ──

  join(actor: Actor, { metadata = {}, replace = false }: JoinRoomRequest = {}): RoomDecision | AppError {
    const { maxParticipants } = this
    const participantId = participantIdOf(actor, `.p${++this.#count}`)
    return this.attempt(parts =>
      rules.decideJoin(parts, { actor, participantId, metadata, replace, maxParticipants }, this.now)
    )
  }

  remove(actor: Actor, whom: Endpoint): RoomDecision | AppError {
    return this.#about(whom, (parts, target) => rules.decideRemoval(parts, { actor, target }, this.now))
  }

  change(actor: Actor, whom: Endpoint, body: UpdateParticipantRequest): RoomDecision | AppError {
    return this.#about(whom, (parts, target) => decideUpdate(parts, { actor, target, body }, this.now))
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

  // ── What happens to them ──

  goesAway(who: Endpoint): RoomDecision | AppError {
    return this.#about(who, (_, member) => rules.markAway(member, this.now))
  }

  comesBack(who: Endpoint): RoomDecision | AppError {
    return this.#about(who, (_, member) => rules.markBack(member))
  }

  isLost(who: Endpoint): RoomDecision | AppError {
    return this.#about(who, (parts, member) =>
      rules.leaveRoom(parts, member, { reason: 'lost', by: null, now: this.now })
    )
  }

  closesIfEmpty(): RoomDecision | AppError {
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

  #about(
    who: Endpoint,
    decide: (parts: RoomParts, member: ParticipantRecord) => RoomDecision
  ): RoomDecision | AppError {
    const member = this.member(who)
    return member ? this.attempt(parts => decide(parts, member)) : new AppError('participant_not_found')
  }

  /** As the store does it: all or nothing, under the next version. */
  #commit({ writes, participantsMax = Infinity, events }: RoomDecision): void {
    if (Object.keys(writes).length === 0 && events.length === 0) return
    const letsIn = Object.keys(writes).some(
      name => name.startsWith(PART.participants) && writes[name] !== null && !this.#parts.has(name)
    )
    if (letsIn && this.members().length >= participantsMax) throw new AppError('room_full')
    this.version++
    for (const [name, value] of Object.entries(writes)) {
      if (value === null) this.#parts.delete(name)
      else this.#parts.set(name, freeze(JSON.parse(JSON.stringify(value))))
    }
    for (const event of events) this.#tell(event)
  }

  #tell({ to, type, data }: RoomDecision['events'][number]): void {
    const envelope = {
      type,
      timestamp: new Date(this.now).toISOString(),
      data: { roomId: ROOM, ...data, version: this.version }
    }
    assert.deepEqual(faultsOf(JSON.parse(JSON.stringify(envelope))), [], 'an event is as the contract says')
    const places =
      'all' in to
        ? [...this.participants].filter(([, participant]) => participant !== to.except).map(([place]) => place)
        : 'device' in to
          ? [placeOf(to)]
          : []
    for (const place of places) {
      this.heard.set(place, [...(this.heard.get(place) ?? []), { type, version: this.version, data }])
    }
  }
}

/** One line: who hears what, `quiet` if nobody does, `nothing` when nothing changes, or the code of the error. */
export function outcomeOf(outcome: RoomDecision | AppError): string {
  if (outcome instanceof AppError) return outcome.code
  if (outcome === NO_CHANGE) return 'nothing'
  const told = outcome.events.map(({ to, type, data }) => {
    const name = type.replace(/^room\.(participant_)?/, '')
    const why = data.reason === undefined ? '' : `(${data.reason})`
    if (!('all' in to)) return `${'device' in to ? placeOf(to) : `${to.user} but ${to.except}`} ${name}${why}`
    return `all${to.except === undefined ? '' : ` but ${to.except.split('.').at(-1)}`} ${name}${why}`
  })
  return told.join('; ') || 'quiet'
}
