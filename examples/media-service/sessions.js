// All sessions of this process.
import { isDeepStrictEqual } from 'node:util'
import { MediaError } from './errors.js'
import { Session } from './session.js'

export class Sessions {
  /** @type {Map<string, {request: object, opening: Promise<Session>, session: Session | null}>} */
  #entries = new Map()
  #workers
  #context
  isDraining = false

  /** @param context `settings`, `codecs` and `log`, for each session */
  constructor(workers, context) {
    this.#workers = workers
    this.#context = context
  }

  get size() {
    return this.#entries.size
  }

  get all() {
    return [...this.#entries.values()].flatMap(({ session }) => (session ? [session] : []))
  }

  /** @returns {Promise<{session: Session, isNew: boolean}>} */
  async open(id, request) {
    const existing = this.#entries.get(id)
    if (existing) {
      if (!isDeepStrictEqual(existing.request, request))
        throw new MediaError('conflict', 'The session exists with other parameters')
      const session = await existing.opening
      session.keepOpen()
      return { session, isNew: false }
    }
    const slot = this.#workers.leastLoaded()
    if (this.isDraining) throw new MediaError('overloaded', 'The service is shutting down')
    if (!slot) throw new MediaError('overloaded', 'No media worker runs')
    if (this.#entries.size >= this.#context.settings.sessionsMax)
      throw new MediaError('overloaded', 'The service has as many sessions as it may have')
    return { session: await this.#open(id, request, slot), isNew: true }
  }

  async #open(id, request, slot) {
    const entry = { request, opening: null, session: null }
    const onClose = () => {
      slot.sessions = Math.max(0, slot.sessions - 1)
      if (this.#entries.get(id) === entry) this.#entries.delete(id)
    }
    slot.sessions++
    entry.opening = Session.open(id, request, { ...this.#context, slot, onClose })
    this.#entries.set(id, entry)
    try {
      entry.session = await entry.opening
    } catch (error) {
      onClose()
      throw error
    }
    // A DELETE came while it was opened.
    if (this.#entries.get(id) !== entry) {
      entry.session.close()
      throw new MediaError('session_not_found', 'The session was closed while it was opened')
    }
    return entry.session
  }

  /** @returns {Promise<Session>} */
  async get(id) {
    const entry = this.#entries.get(id)
    if (!entry) throw new MediaError('session_not_found', 'No such session')
    const session = await entry.opening
    session.keepOpen()
    return session
  }

  close(id) {
    const entry = this.#entries.get(id)
    this.#entries.delete(id)
    entry?.session?.close()
  }

  /** The worker of this slot died. */
  loseAllOn(slot) {
    for (const session of this.all) if (session.slot === slot) session.lose('worker_died')
  }

  closeAll() {
    for (const session of this.all) session.close()
  }
}
