// Pairs of users who call each other, spread over the nodes: pair i has its caller on node i and its callee on node i + 1,
// so that every message crosses, and all nodes do the same share of sending and receiving.
import { SDP } from '../fixtures.mjs'
import { createToken } from '../harness/tokens.mjs'
import { HttpUser } from './http-user.mjs'
import { SocketIoUser } from './socketio-user.mjs'

const USERS = { http: HttpUser, socketio: SocketIoUser }
const OPENED_AT_ONCE = 32
const EVENT_TIMEOUT_MS = 20_000

/** One side of a pair: a user, and promises for the events it waits for. */
class Side {
  #expected = new Map()
  #onCandidates = () => {}
  user

  constructor({ protocol, name, token, nodes }) {
    this.name = name
    this.user = new USERS[protocol]({ name, token, nodes, onEvent: (type, data) => this.#take(type, data) })
  }

  onCandidates(listen) {
    this.#onCandidates = listen
  }

  /** The data of the next event of this type; ask before the step that causes it. */
  expect(type) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.name}: no ${type}`)), EVENT_TIMEOUT_MS)
      this.#expected.set(type, data => {
        clearTimeout(timer)
        resolve(data)
      })
    })
  }

  /** Acts and insists on success. */
  async act(verb, callId, fields = '') {
    const reply = await this.user.act(verb, callId, fields)
    if (reply.status < 200 || reply.status > 299) throw new Error(`${verb}: ${reply.status} ${reply.body}`)
    return reply
  }

  #take(type, data) {
    if (type === 'signal.candidates') return this.#onCandidates(data)
    const settle = this.#expected.get(type)
    this.#expected.delete(type)
    settle?.(data)
  }
}

let lastCall = 0

export class Pair {
  constructor({ protocol, secret, index, ports, oneWay }) {
    const from = ports[oneWay ? 0 : index % ports.length]
    const to = ports[(oneWay ? 1 : index + 1) % ports.length]
    const side = (name, port) => {
      const token = createToken(secret, { sub: name, device: name })
      return new Side({ protocol, name, token, nodes: { stream: port, post: port } })
    }
    this.caller = side(`caller-${index}`, from)
    this.callee = side(`callee-${index}`, to)
  }

  async open() {
    await Promise.all([this.caller.user.open(), this.callee.user.open()])
  }

  /**
   * Create, accept, offer, answer: each step begins when the event of the one before has arrived, and the replies may come later.
   * Resolves when all replies are there; `describedAt` is when both sides had the other's description.
   */
  async connect() {
    const callId = `call-${process.pid}-${++lastCall}`
    const { caller, callee } = this
    const replies = []
    const step = (receiver, type, act) => {
      const event = receiver.expect(type)
      const reply = act()
      replies.push(reply)
      return Promise.race([event, reply.then(() => event)])
    }
    await step(callee, 'call.incoming', () => this.create(callId))
    await step(caller, 'call.accepted', () => callee.act('accept', callId))
    const offer = await step(callee, 'signal.offer', () =>
      caller.act('offer', callId, `"sdp":${JSON.stringify(SDP.caller)}`)
    )
    const revision = /"revision":(\d+)/.exec(offer)
    const about = revision ? `,${revision[0]}` : ''
    await step(caller, 'signal.answer', () =>
      callee.act('answer', callId, `"sdp":${JSON.stringify(SDP.callee)}${about}`)
    )
    this.describedAt = performance.now()
    await Promise.all(replies)
    this.callId = callId
    return callId
  }

  create(callId = `call-${process.pid}-${++lastCall}`) {
    return this.caller.act('create', callId, `"to":"${this.callee.name}","media":"video"`)
  }

  /** The media flows: from here on no deadline ends the call. */
  async settle() {
    const connected = this.caller.expect('call.connected')
    await this.callee.act('connected', this.callId)
    await connected
  }

  async hangup() {
    const ended = this.callee.expect('call.ended')
    await this.caller.act('hangup', this.callId)
    await ended
  }

  close() {
    this.caller.user.close()
    this.callee.user.close()
  }
}

/** Runs `job` for each item, at most `width` at a time. */
export async function inParallel(items, width, job) {
  const rest = items.values()
  const work = async () => {
    for (const item of rest) await job(item)
  }
  await Promise.all(Array.from({ length: width }, work))
}

export async function openPairs({ count, ...options }) {
  const pairs = Array.from({ length: count }, (_, index) => new Pair({ ...options, index }))
  await inParallel(pairs, OPENED_AT_ONCE, pair => pair.open())
  return pairs
}
