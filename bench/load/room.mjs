// A room full of people, each with a stream and a keep-alive connection on one of the nodes.
import { createToken } from '../harness/tokens.mjs'
import { HttpUser } from './http-user.mjs'
import { inParallel } from './pairs.mjs'

const OPENED_AT_ONCE = 32
const LIMIT_MS = 120_000

export class Crowd {
  #people
  #path
  #heard = 0
  #awaited = Number.POSITIVE_INFINITY
  #allHeard = () => {}

  constructor({ size, ports, secret, roomId }) {
    this.#path = `/v1/rooms/${roomId}`
    this.#people = Array.from({ length: size }, (_, i) => {
      const name = `${roomId}-${i}`
      const port = ports[i % ports.length]
      const token = createToken(secret, { sub: name, device: name })
      return new HttpUser({ name, token, nodes: { stream: port, post: port }, onEvent: type => this.#hear(type) })
    })
  }

  #hear(type) {
    if (type !== 'room.participant_joined' && type !== 'chat.message') return
    if (++this.#heard >= this.#awaited) this.#allHeard()
  }

  /** Runs `work` and waits until `count` more events have arrived. Times in milliseconds. */
  async #until(count, work) {
    const startedAt = performance.now()
    const all = new Promise((resolve, reject) => {
      const missing = () => new Error(`${this.#awaited - this.#heard} events are missing`)
      const timer = setTimeout(() => reject(missing()), LIMIT_MS)
      this.#awaited = this.#heard + count
      this.#allHeard = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    await work()
    const answeredMs = performance.now() - startedAt
    await all
    return { answeredMs, toldMs: performance.now() - startedAt, deliveries: count }
  }

  async open() {
    await inParallel(this.#people, OPENED_AT_ONCE, person => person.open())
  }

  /** Everybody joins, `width` at a time; whoever is in hears of all who come after. */
  joinAll({ width }) {
    const { length } = this.#people
    return this.#until((length * (length - 1)) / 2, () =>
      inParallel(this.#people, width, person => this.#post(person, '/participants', '{}'))
    )
  }

  /** People take turns to write `count` messages, `width` under way at a time; all others read each. */
  chat({ count, width }) {
    const turns = Array.from({ length: count }, (_, i) => this.#people[i % this.#people.length])
    const body = JSON.stringify({ content: 'See you all at ten, same place as last week.' })
    return this.#until(count * (this.#people.length - 1), () =>
      inParallel(turns, width, person => this.#post(person, '/messages', body))
    )
  }

  async #post(person, path, body) {
    const reply = await person.post(this.#path + path, body)
    if (reply.status !== 201) throw new Error(`${path}: ${reply.status} ${reply.body}`)
  }

  close() {
    for (const person of this.#people) person.close()
  }
}
