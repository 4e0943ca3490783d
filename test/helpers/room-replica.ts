// The state of a room as a client derives it from the reply to its join and the events after it. In the end it must equal the room.
import assert from 'node:assert/strict'
import type { Participant } from '../../src/schemas/room.js'

export interface RoomEvent {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

/** A participant as others see it. */
type KnownParticipant = Pick<Participant, 'participantId'> & Readonly<Record<string, unknown>>

interface Reply {
  readonly version: number
  readonly participants: readonly KnownParticipant[]
}

export class RoomReplica {
  readonly participantId: string
  readonly participants: Map<string, KnownParticipant>
  /** Its own participation has ended. */
  hasLeft = false
  isClosed = false
  readonly #version: number
  #newest = 0
  readonly #received = new Set<string>()

  constructor(participantId: string, { version, participants }: Reply) {
    this.participantId = participantId
    this.#version = version
    this.participants = new Map(participants.map(each => [each.participantId, each]))
    assert.ok(this.participants.has(participantId), 'the reply contains its own participant')
  }

  /** To be called with the events of the stream, in their order. */
  receive({ type, data }: RoomEvent): void {
    const version = Number(data.version)
    const about = (data.participant as KnownParticipant | undefined)?.participantId ?? String(data.participantId)
    const name = `${version} ${type} ${about}`
    assert.ok(!this.hasLeft, `${name} arrives after it has left`)
    assert.ok(!this.isClosed, `${name} arrives after the room was closed`)
    assert.ok(!this.#received.has(name), `${name} arrives once`)
    assert.ok(type !== 'room.participant_joined' || about !== this.participantId, `${name} is its own join`)
    assert.ok(version >= this.#newest, `${name} arrives in order, after ${this.#newest}`)
    this.#newest = version
    this.#received.add(name)
    // The reply contains the changes up to its version.
    if (version > this.#version) this.apply({ type, data })
  }

  /** Applies a change, from an event or from the reply to a request of this client. */
  apply({ type, data }: RoomEvent): void {
    if (type === 'room.participant_joined' || type === 'room.participant_updated') {
      const participant = data.participant as KnownParticipant
      this.participants.set(participant.participantId, participant)
    } else if (type === 'room.participant_left') {
      this.participants.delete(String(data.participantId))
      this.hasLeft ||= data.participantId === this.participantId
    } else if (type === 'room.closed') this.isClosed = true
  }
}
