// A room in which everyone sends to everyone: one Peer for each other participant. A user who leaves and comes back is another
// participant, with another Peer.
import { Peer } from './peer.js'

/** Refusals of a signal when the other participant, or this one, has just left. The events of the room report that. */
const GONE = ['participant_not_found', 'not_in_room', 'room_not_found', 'room_closed']

export class Mesh {
  #own
  #options
  #peers = new Map()

  /**
   * `own` is our participant id; `media` is sent to all others; `post(action, body)` sends a description or candidates to the room.
   */
  constructor({ own, ...options }) {
    this.#own = own
    this.#options = options
  }

  /** Returns the media of this participant. Of two participants the one who joined later makes the first offer. */
  add(participantId, { offers }) {
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
    if (offers) peer.addMedia()
    return peer.received
  }

  has(participantId) {
    return this.#peers.has(participantId)
  }

  receive(type, { from, to, ...data }) {
    // The mailbox belongs to the tab: it may still have signals for the participant that this page was before it was reloaded.
    if (to === this.#own) this.#peers.get(from.participantId)?.receive(type, data)
  }

  remove(participantId) {
    this.#peers.get(participantId)?.close()
    this.#peers.delete(participantId)
  }

  close() {
    for (const participantId of this.#peers.keys()) this.remove(participantId)
  }
}
