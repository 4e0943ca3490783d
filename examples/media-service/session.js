// A session: what the service has for one room.
import { MediaError } from './errors.js'
import { Notices } from './notices.js'
import { Participant } from './participant.js'
import { Pusher } from './pusher.js'
import { SessionRouters } from './routers.js'
import { Speakers } from './speakers.js'

export class Session {
  /** @type {Map<string, Participant>} */
  participants = new Map()
  isClosed = false
  #idle

  /**
   * @param {object} request the body of openSession
   * @param {{slot: object, settings: import('./settings.js').Settings, codecs: readonly object[], log: object, onClose: () => void}} context
   */
  static async open(id, request, context) {
    const session = new Session()
    const { slot, settings, log } = context
    Object.assign(session, { id, request, slot, settings, log, onClose: context.onClose, worker: slot.worker })
    session.webRtcServer = slot.webRtcServer
    session.routers = await SessionRouters.open(slot.worker, context.codecs)
    session.notices = new Notices(() => session.pusher.wake())
    const names = { sessionId: id, roomId: request.roomId, service: request.service }
    session.pusher = new Pusher(names, {
      settings,
      log,
      notices: session.notices,
      onUnknown: () => session.close(),
      onOverflow: () => session.lose('events_lost')
    })
    session.speakers = await Speakers.open(session)
    session.#idle = setTimeout(() => session.close(), request.idleTimeoutMs).unref()
    return session
  }

  get rtpCapabilities() {
    return this.routers.main.media.rtpCapabilities
  }

  /** A request for the session arrived. */
  keepOpen() {
    this.#idle.refresh()
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
    this.routers.close()
    this.onClose(this)
  }
}
