// What a client makes of a room: the reply to its joining, and every event since. In the end it must know what the room is.
import assert from 'node:assert/strict'
import type { Participant } from '../../src/schemas/room.js'

export interface Report {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

/** As a participant stands in the eyes of the others; `away` and the rest. */
type Known = Pick<Participant, 'participantId'> & Readonly<Record<string, unknown>>

interface Reply {
  readonly version: number
  readonly participants: readonly Known[]
}

export class RoomReplica {
  readonly participantId: string
  readonly participants: Map<string, Known>
  /** Its own participation has ended, by itself or not. */
  hasLeft = false
  isOver = false
  readonly #version: number
  #newest = 0
  readonly #seen = new Set<string>()

  constructor(participantId: string, { version, participants }: Reply) {
    this.participantId = participantId
    this.#version = version
    this.participants = new Map(participants.map(each => [each.participantId, each]))
    assert.ok(this.participants.has(participantId), 'who joins is among those it is told of')
  }

  /** Takes what comes from the stream, in this order. */
  receive({ type, data }: Report): void {
    const version = Number(data.version)
    const about = (data.participant as Known | undefined)?.participantId ?? String(data.participantId)
    const name = `${version} ${type} ${about}`
    assert.ok(!this.hasLeft, `${name} comes after it has left`)
    assert.ok(!this.isOver, `${name} comes after the room is over`)
    assert.ok(!this.#seen.has(name), `${name} comes once`)
    assert.ok(type !== 'room.participant_joined' || about !== this.participantId, `${name} is an echo`)
    assert.ok(version >= this.#newest, `${name} comes in order, after ${this.#newest}`)
    this.#newest = version
    this.#seen.add(name)
    // The reply was made when the room was at some version: what led there has been told by it.
    if (version > this.#version) this.apply({ type, data })
  }

  /** What an event says; also what somebody knows from the reply to what it did. */
  apply({ type, data }: Report): void {
    if (type === 'room.participant_joined' || type === 'room.participant_updated') {
      const participant = data.participant as Known
      this.participants.set(participant.participantId, participant)
    } else if (type === 'room.participant_left') {
      this.participants.delete(String(data.participantId))
      this.hasLeft ||= data.participantId === this.participantId
    } else if (type === 'room.closed') this.isOver = true
  }
}
