// A room in which everyone sends to everyone: one Peer for each other participant. A user who leaves and comes back is another
// participant, with another Peer.
import { Peer } from './peer.js'

/** The picture is sent once to each other participant, so it is small. */
const SCALE_DOWN_BY = 2

/** Refusals of a signal when the other participant, or this one, has just left. The events of the room report that. */
const GONE = ['participant_not_found', 'not_in_room', 'room_not_found', 'room_closed']

export class Mesh {
  #own
  #options
  #peers = new Map()

  /**
   * `own` is our participant id; `media` is sent to all others; `post(action, body)` sends a description or candidates to the room.
   * `onStream(participantId, picture, stream)`: the media of a participant. Of its pictures there is only the `camera`.
   */
  constructor({ own, ...options }) {
    this.#own = own
    this.#options = options
  }

  /** Of two participants the one who joined later makes the first offer. */
  add(participantId, { offers }) {
    const { iceServers, media, post, onStream, onError } = this.#options
    const peer = new Peer({
      iceServers,
      media,
      scaleDownBy: SCALE_DOWN_BY,
      post: (action, body) => post(action, { to: participantId, ...body }),
      onError: error => {
        if (this.#peers.get(participantId) === peer && !GONE.includes(error.code)) onError(error)
      }
    })
    this.#peers.set(participantId, peer)
    onStream(participantId, 'camera', peer.received)
    if (offers) peer.addMedia()
  }

  receive(type, { from, to, ...data }) {
    // The mailbox belongs to the tab: it may still have signals for the participant that this page was before it was reloaded.
    if (to === this.#own) this.#peers.get(from.participantId)?.receive(type, data)
  }

  remove(participantId) {
    this.#peers.get(participantId)?.close()
    this.#peers.delete(participantId)
  }

  /** What is sent and received, with statistics. */
  async report() {
    const reports = [...this.#peers].map(async ([participantId, peer]) => {
      const stats = await peer.getStats()
      const rows = [true, false].flatMap(isSent => ['audio', 'video'].map(source => ({ isSent, source })))
      return rows.map(row => ({ ...row, participantId, stats }))
    })
    return (await Promise.all(reports)).flat()
  }

  close() {
    for (const participantId of this.#peers.keys()) this.remove(participantId)
  }
}
