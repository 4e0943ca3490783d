// A room in which each sends to each: one Peer for each of the others. Who goes takes theirs along; who comes back is another
// participant, and gets another one.
import { Peer } from './peer.js'

/** How a signal is refused when somebody has just gone, perhaps we. The room's events say the rest. */
const GONE = ['participant_not_found', 'not_in_room', 'room_not_found', 'room_closed']

export class Mesh {
  #own
  #options
  #peers = new Map()

  /**
   * `own` is our participant id, `media` what we send to everybody; `post(action, body)` sends a description or candidates to the
   * room.
   */
  constructor({ own, ...options }) {
    this.#own = own
    this.#options = options
  }

  /** What this participant sends, from now on. Of two, the one who came later makes the first offer. */
  meet(participantId, { offers }) {
    const { iceServers, media, post, onError } = this.#options
    const peer = new Peer({
      iceServers,
      media,
      post: (action, body) => post(action, { to: participantId, ...body }),
      onError: error => {
        if (this.#peers.get(participantId) === peer && !GONE.includes(error.code)) onError(error)
      }
    })
    this.#peers.set(participantId, peer)
    if (offers) peer.begin()
    return peer.received
  }

  knows(participantId) {
    return this.#peers.has(participantId)
  }

  hear(type, { from, to, ...data }) {
    // The mailbox is the tab's: there may still be something in it for the page before this one was loaded again.
    if (to === this.#own) this.#peers.get(from.participantId)?.hear(type, data)
  }

  part(participantId) {
    this.#peers.get(participantId)?.close()
    this.#peers.delete(participantId)
  }

  close() {
    for (const participantId of this.#peers.keys()) this.part(participantId)
  }
}
