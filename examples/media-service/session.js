// A session: what the service has for one room.
import { MediaError } from './errors.js'
import { Notices } from './notices.js'
import { Participant } from './participant.js'
import { Pusher } from './pusher.js'
import { SessionRouters } from './routers.js'
import { Speakers } from './speakers.js'

/** @typedef {{roomId: string, service: string, idleTimeoutMs: number, confirmAfterMs: number, limits: Record<string, number>}} OpenSessionRequest */

export class Session {
  /** @type {Map<string, Participant>} */
  participants = new Map()
  isClosed = false
  /** @type {SessionRouters} */
  routers
  /** @type {Speakers} */
  speakers
  #onClose
  #idle
  #confirm

  /** @param {string} id @param {OpenSessionRequest} request @param {SessionContext} context */
  constructor(id, request, { slot, settings, log, onClose }) {
    this.id = id
    this.request = request
    this.slot = slot
    /** The slot may get another worker. */
    this.worker = slot.worker
    this.webRtcServer = slot.webRtcServer
    this.settings = settings
    this.#onClose = onClose
    this.notices = new Notices(() => this.pusher.wake())
    const { roomId, service } = request
    this.pusher = new Pusher(
      { sessionId: id, roomId, service },
      {
        settings,
        log,
        notices: this.notices,
        onUnknown: () => this.close(),
        onOverflow: () => this.lose('events_lost')
      }
    )
    this.#idle = setTimeout(() => this.close(), request.idleTimeoutMs).unref()
    this.#confirm = setInterval(() => this.pusher.confirm(), request.confirmAfterMs).unref()
  }

  /**
   * @typedef {{slot: import('./workers.js').Slot, settings: import('./settings.js').Settings, log: import('pino').Logger, onClose: () => void,
   *   codecs: readonly object[]}} SessionContext
   * @param {string} id @param {OpenSessionRequest} request @param {SessionContext} context
   */
  static async open(id, request, context) {
    const session = new Session(id, request, context)
    try {
      session.routers = await SessionRouters.open(session.worker, context.codecs)
      session.speakers = await Speakers.open(session)
      return session
    } catch (error) {
      session.close()
      throw error
    }
  }

  get rtpCapabilities() {
    return this.routers.main.media.rtpCapabilities
  }

  /** A request for the session arrived. */
  keepOpen() {
    this.#idle.refresh()
    this.#confirm.refresh()
  }

  /** The participant, who is added if this is the first transport. */
  enter(participantId, since) {
    let participant = this.participants.get(participantId)
    if (!participant) {
      participant = new Participant(participantId, since, this.request.limits)
      this.participants.set(participantId, participant)
    }
    return participant
  }

  participant(participantId) {
    const participant = this.participants.get(participantId)
    if (participant) return participant
    throw new MediaError('not_found', 'The participant has no transport')
  }

  /** Closes all participants who are not listed, except those who came after the list was made. */
  keepParticipants({ version, participants }) {
    const listed = new Set(participants)
    for (const { id, since } of [...this.participants.values()])
      if (!listed.has(id) && since <= version) this.closeParticipant(id)
  }

  closeParticipant(participantId) {
    this.participants.get(participantId)?.close()
    this.participants.delete(participantId)
  }

  /** Closes everything. Nothing is pushed any more. */
  close() {
    this.#release()
    this.pusher.close()
  }

  /** The session cannot go on. Signalpost learns it by the last event. */
  lose(reason) {
    this.#release()
    this.pusher.pushLast({ type: 'session_lost', reason })
  }

  #release() {
    if (this.isClosed) return
    this.isClosed = true
    clearTimeout(this.#idle)
    clearInterval(this.#confirm)
    this.routers?.close()
    this.#onClose()
  }
}
