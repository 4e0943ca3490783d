// Pairs of users who call each other, spread over the nodes: pair i has its caller on node i and its callee on node i + 1,
// so every message goes from one node to another, and all nodes send and receive equally much.
import { candidatesJson, SDP, serialsIn } from '../fixtures.mjs'
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

  /** Resolves to the data of the next event of this type. To be called before the step that causes the event. */
  expect(type) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.name}: no ${type}`)), EVENT_TIMEOUT_MS)
      this.#expected.set(type, data => {
        clearTimeout(timer)
        resolve(data)
      })
    })
  }

  /** @throws Error unless the reply is a 2xx */
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
   * Create, accept, offer, answer. Each step begins when the event of the step before has arrived; its reply may come later.
   * Resolves when all replies have arrived. `describedAt` is when both sides had the other's description.
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

  /**
   * Create with offer and `count` candidates, accept with answer and as many: after these two steps both sides have everything of the other.
   * @throws Error if an event lacks a candidate
   */
  async connectAtOnce({ firstSerial, count }) {
    const callId = `call-${process.pid}-${++lastCall}`
    const { caller, callee } = this
    const signals = (type, side) =>
      `"${type}":{"sdp":${JSON.stringify(SDP[side])}},"candidates":${candidatesJson(side, firstSerial, count)},"end":true`
    const incoming = callee.expect('call.incoming')
    const created = this.create(callId, signals('offer', 'caller'))
    const received = [await incoming]
    const accepted = caller.expect('call.accepted')
    const accept = callee.act('accept', callId, signals('answer', 'callee'))
    received.push(await accepted)
    this.describedAt = performance.now()
    for (const data of received) if (serialsIn(data).length !== count) throw new Error('a candidate is missing')
    await Promise.all([created, accept])
    this.callId = callId
    return callId
  }

  create(callId = `call-${process.pid}-${++lastCall}`, signals = '') {
    return this.caller.act('create', callId, `"to":"${this.callee.name}","media":"video"${signals && `,${signals}`}`)
  }

  /** Reports the call as connected, so that no deadline ends it. */
  async reportConnected() {
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
