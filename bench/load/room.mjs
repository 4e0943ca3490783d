// The users of a room, each with a stream and a keep-alive connection on one of the nodes.
import { createToken } from '../harness/tokens.mjs'
import { HttpUser } from './http-user.mjs'
import { inParallel } from './pairs.mjs'

const OPENED_AT_ONCE = 32
const LIMIT_MS = 120_000

export class Crowd {
  #people
  #path
  #received = 0
  #expected = Number.POSITIVE_INFINITY
  #allReceived = () => {}

  constructor({ size, ports, secret, roomId }) {
    this.#path = `/v1/rooms/${roomId}`
    this.#people = Array.from({ length: size }, (_, i) => {
      const name = `${roomId}-${i}`
      const port = ports[i % ports.length]
      const token = createToken(secret, { sub: name, device: name })
      return new HttpUser({ name, token, nodes: { stream: port, post: port }, onEvent: type => this.#receive(type) })
    })
  }

  #receive(type) {
    if (type !== 'room.participant_joined' && type !== 'chat.message') return
    if (++this.#received >= this.#expected) this.#allReceived()
  }

  /** Runs `work` and waits until `count` more events have arrived. Times in milliseconds. */
  async #until(count, work) {
    const startedAt = performance.now()
    const all = new Promise((resolve, reject) => {
      const missing = () => new Error(`${this.#expected - this.#received} events are missing`)
      const timer = setTimeout(() => reject(missing()), LIMIT_MS)
      this.#expected = this.#received + count
      this.#allReceived = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    await work()
    const answeredMs = performance.now() - startedAt
    await all
    return { answeredMs, receivedMs: performance.now() - startedAt, deliveries: count }
  }

  async open() {
    await inParallel(this.#people, OPENED_AT_ONCE, person => person.open())
  }

  /** All join, `width` at a time. Each receives an event for every user who joins later. */
  joinAll({ width }) {
    const { length } = this.#people
    return this.#until((length * (length - 1)) / 2, () =>
      inParallel(this.#people, width, person => this.#post(person, '/participants', '{}'))
    )
  }

  /** The users take turns to write `count` messages, `width` in flight at a time. All others receive each message. */
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
