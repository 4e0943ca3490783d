// A load generator: a process of its own that gets its jobs over IPC. It ends when its parent ends.
import { setTimeout as sleep } from 'node:timers/promises'
import { createToken } from '../harness/tokens.mjs'
import { burst } from './burst.mjs'
import { createEach, makeCalls, startCalls } from './calls.mjs'
import { Conference } from './conference.mjs'
import { HttpUser } from './http-user.mjs'
import { inParallel, openPairs } from './pairs.mjs'
import { relay } from './relay.mjs'
import { repeatRequests } from './requests.mjs'
import { Crowd } from './room.mjs'
import { SocketIoUser } from './socketio-user.mjs'

const USERS = { http: HttpUser, socketio: SocketIoUser }

const RETRY_MS = 250
const RESUME_LIMIT_MS = 60_000

let pairs = []
let idle = []
let crowd = null
let conference = null
let startBurst = () => {}
let burstDone = null
let requests = null

const jobs = {
  /** Opens `count` pairs; with `connected`, each in a call. */
  async pairs({ connected, ...options }) {
    pairs = await openPairs(options)
    if (!connected) return
    await inParallel(pairs, 16, async pair => {
      await pair.connect()
      await pair.reportConnected()
    })
  },

  relay: options => relay({ pairs, ...options }),

  calls: options => makeCalls({ pairs, ...options }),

  startCalls: options => startCalls({ pairs, ...options }),

  createEach: ({ from, count }) => createEach(pairs.slice(from, from + count)),

  startRequests(options) {
    requests = repeatRequests(pairs, options)
  },

  stopRequests: () => requests.stop(),

  /** Opens `count` streams on one node, each of another user. */
  async idle({ protocol, secret, port, count, prefix }) {
    const names = Array.from({ length: count }, (_, i) => `${prefix}-${i}`)
    await inParallel(names, 48, async name => {
      const token = createToken(secret, { sub: name, device: name })
      const nodes = { stream: port, post: port }
      const user = new USERS[protocol]({ name, token, nodes, onEvent: () => {} })
      await user.open()
      idle.push(user)
    })
  },

  /** Opens `size` streams, spread over the nodes, of users who are in no room yet. */
  async crowd(options) {
    crowd?.close()
    crowd = new Crowd(options)
    await crowd.open()
  },

  joinAll: options => crowd.joinAll(options),

  chat: options => crowd.chat(options),

  async openConference(options) {
    conference = new Conference(options)
    await conference.open()
  },

  inConference: options => conference.take(options),

  closeConference: () => conference.close(),

  /** Fills the room of a burst; runBurst starts it. */
  openBurst: options =>
    new Promise((filled, failed) => {
      const started = new Promise(start => {
        startBurst = start
      })
      burstDone = burst(options, () => {
        filled()
        return started
      })
      burstDone.catch(failed)
    }),

  runBurst() {
    startBurst()
    return burstDone
  },

  /**
   * All idle streams connect to another node at once. A stream whose connection is reset tries again, as an EventSource does. Resolves to the
   * time until the last stream was live, the number of streams by their first event or error, and how often a connection was reset.
   */
  async resumeIdle({ port }) {
    const startedAt = performance.now()
    const answers = {}
    let resets = 0
    const resumeOne = async user => {
      for (;;) {
        try {
          const answer = await user.resume(port)
          answers[answer] = (answers[answer] ?? 0) + 1
          return
        } catch (error) {
          if (error.code !== 'ECONNRESET' || performance.now() - startedAt > RESUME_LIMIT_MS) {
            answers[error.message] = (answers[error.message] ?? 0) + 1
            return
          }
          resets++
          await sleep(RETRY_MS)
        }
      }
    }
    await Promise.all(idle.map(resumeOne))
    return { elapsedMs: performance.now() - startedAt, answers, resets }
  },

  closeIdle() {
    for (const user of idle) user.close()
    idle = []
  }
}

process.on('message', async ({ id, job, options }) => {
  try {
    process.send({ id, result: await jobs[job](options) })
  } catch (error) {
    process.send({ id, error: error.message })
  }
})
process.on('disconnect', () => process.exit())
