// All sessions of this process.
import { isDeepStrictEqual } from 'node:util'
import { fromMediasoup, MediaError } from './errors.js'
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
    if (this.isDraining) throw new MediaError('overloaded', 'The service is shutting down')
    if (this.#entries.size >= this.#context.settings.sessionsMax)
      throw new MediaError('overloaded', 'The service has as many sessions as it may have')
    const entry = { request, opening: null, session: null }
    entry.opening = this.#open(id, entry)
    this.#entries.set(id, entry)
    return { session: await entry.opening, isNew: true }
  }

  async #open(id, entry) {
    let slot = null
    const onClose = () => {
      if (slot) slot.sessions = Math.max(0, slot.sessions - 1)
      if (this.#entries.get(id) === entry) this.#entries.delete(id)
    }
    try {
      slot = await this.#workers.leastLoaded()
      if (!slot) throw new MediaError('overloaded', 'No media worker runs')
      slot.sessions++
      entry.session = await Session.open(id, entry.request, { ...this.#context, slot, onClose })
    } catch (error) {
      onClose()
      throw fromMediasoup(error, 'overloaded')
    }
    // A DELETE came, or the worker died, while it was opened.
    if (this.#entries.get(id) !== entry || slot.worker !== entry.session.worker) {
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
