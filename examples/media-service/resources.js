// What a participant has of one kind, by the ids that Signalpost chose. Creating is idempotent, also while it is under way.
import { isDeepStrictEqual } from 'node:util'
import { MediaError } from './errors.js'

/**
 * @template {{media: {closed: boolean, close(): void, observer: import('node:events').EventEmitter}}} Value  `media` is the object of mediasoup
 */
export class Resources {
  /** @type {Map<string, {request: object, closings: number, ready: Promise<Value>, value: Value | null}>} */
  #entries = new Map()
  #kind
  #max

  /** @param {string} kind for error messages @param {number} max how many there may be at once */
  constructor(kind, max) {
    this.#kind = kind
    this.#max = max
  }

  /** The value with this id. It is made, unless there is one that was made for the same request. The highest `closings` counts. */
  async create(id, { closings = 0, ...request }, make) {
    const existing = this.#entries.get(id)
    if (existing) {
      if (!isDeepStrictEqual(existing.request, request))
        throw new MediaError('conflict', `The ${this.#kind} exists with other parameters`)
      existing.closings = Math.max(existing.closings, closings)
      return existing.ready
    }
    if (this.#entries.size >= this.#max)
      throw new MediaError('limit_reached', `The participant may have ${this.#max} of: ${this.#kind}`)
    const entry = { request, closings, ready: this.#make(id, make), value: null }
    this.#entries.set(id, entry)
    return entry.ready
  }

  async #make(id, make) {
    // `make` runs after the entry is stored, so that a failure finds it.
    await null
    const entry = this.#entries.get(id)
    const remove = () => {
      if (this.#entries.get(id) === entry) this.#entries.delete(id)
    }
    try {
      const value = await make()
      value.media.observer.once('close', remove)
      if (this.#entries.get(id) !== entry) value.media.close()
      if (value.media.closed) throw new MediaError('not_found', `The ${this.#kind} was closed while it was created`)
      entry.value = value
      return value
    } catch (error) {
      remove()
      throw error
    }
  }

  /** @returns {Promise<Value>} */
  async get(id) {
    const entry = this.#entries.get(id)
    if (entry) return entry.ready
    throw new MediaError('not_found', `No such ${this.#kind}`)
  }

  /** Those that are ready. */
  get values() {
    return [...this.#entries.values()].flatMap(({ value }) => (value ? [value] : []))
  }

  /** Closes it, unless it was created with as many `closings` or more. */
  close(id, closings = Number.POSITIVE_INFINITY) {
    const entry = this.#entries.get(id)
    if (!entry || entry.closings >= closings) return
    this.#entries.delete(id)
    entry.value?.media.close()
  }

  closeAll() {
    for (const id of [...this.#entries.keys()]) this.close(id)
  }
}

/** Closes a consumer in the same moment as its producer. The worker does it too, but later. */
export function closeTogether(producer, consumer) {
  const close = () => consumer.close()
  if (producer.closed) close()
  producer.observer.once('close', close)
  consumer.observer.once('close', () => producer.observer.off('close', close))
}
