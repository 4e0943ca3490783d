// The main peer: Socket.IO 4 as people harden it for production. Nodes are joined by the Redis adapter (pub/sub); both users are
// reserved with SET NX; a call changes state under WATCH, MULTI and EXEC; unanswered calls time out from one sorted set; every signal is
// checked against the call; events other than candidates go only to a user who is connected, and the client acknowledges them.
import { createServer } from 'node:http'
import { createAdapter } from '@socket.io/redis-adapter'
import jwt from 'jsonwebtoken'
import { createClient, createClientPool } from 'redis'
import { Server } from 'socket.io'

const { PORT, HOST, REDIS_URL, JWT_SECRET, TRANSPORTS = 'websocket' } = process.env
const CALL_TTL_SECONDS = 3600
const SOCKETS_TTL_SECONDS = 30
const RING_TIMEOUT_MS = 30_000
const SWEEP_MS = 1000
const SWEEP_LIMIT = 100
const ACKNOWLEDGE_TIMEOUT_MS = 5000
const ATTEMPTS = 5
const TIMEOUTS = 'call:timeouts'

// node-redis gives each command a time limit of 5 s by default, which costs a third of a server's time. This peer has none, so it is harder to beat.
const untimed = { url: REDIS_URL, commandOptions: { timeout: undefined } }
const redis = createClient(untimed)
const publisher = createClient(untimed)
const subscriber = createClient({ url: REDIS_URL })
const pool = createClientPool(untimed, { minimum: 2, maximum: 32 })
const clients = [redis, publisher, subscriber, pool]
for (const client of clients) client.on('error', error => console.error(error.message))
await Promise.all(clients.map(client => client.connect()))

const http = createServer((_request, response) => response.end('ok'))
const adapter = createAdapter(publisher, subscriber)
const io = new Server(http, { transports: TRANSPORTS.split(','), serveClient: false, adapter })
// Recommended by Socket.IO to save memory: drops the first HTTP request.
io.engine.on('connection', socket => {
  socket.request = null
})

io.use((socket, next) => {
  try {
    socket.data.user = jwt.verify(socket.handshake.auth.token, JWT_SECRET, { algorithms: ['HS256'] }).sub
    next()
  } catch {
    next(new Error('unauthorized'))
  }
})

const callKey = callId => `call:${callId}`
const reservationKey = user => `active:${user}`
const socketsKey = user => `sockets:user:${user}`
const roomOf = user => `user:${user}`

const NEXT_STATES = { RINGING: ['ACCEPTED', 'REJECTED', 'CANCELLED', 'TIMEOUT', 'ENDED'], ACCEPTED: ['ENDED'] }

/** Whether the user is connected to any node and acknowledged the event. */
async function deliver(user, event, data) {
  const sockets = await io.in(roomOf(user)).fetchSockets()
  if (sockets.length === 0) return false
  return new Promise(resolve => {
    io.to(roomOf(user))
      .timeout(ACKNOWLEDGE_TIMEOUT_MS)
      .emit(event, data, error => resolve(!error))
  })
}

/** Resolves to the call before the change, or to null if its state does not allow the change. */
function transition(callId, to, fields = {}) {
  return pool.execute(async client => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await client.watch(callKey(callId))
      const call = await client.hGetAll(callKey(callId))
      if (!NEXT_STATES[call.state]?.includes(to)) {
        await client.unwatch()
        return null
      }
      const commit = client.multi().hSet(callKey(callId), { state: to, ...fields })
      if (to === 'ACCEPTED' || to === 'ENDED') commit.zRem(TIMEOUTS, callId)
      if (to !== 'ACCEPTED') commit.del([reservationKey(call.caller), reservationKey(call.callee)])
      try {
        await commit.exec()
        return call
      } catch {} // Another request changed the call after WATCH.
    }
    return null
  })
}

async function readCall(callId, user) {
  const call = await redis.hGetAll(callKey(callId))
  if (call.caller === user) return { state: call.state, other: call.callee }
  if (call.callee === user) return { state: call.state, other: call.caller }
  return null
}

const reserve = (user, callId) => redis.set(reservationKey(user), callId, { NX: true, EX: CALL_TTL_SECONDS })

async function create(user, { callId, to, media }) {
  const reserved = await Promise.all([redis.get(reservationKey(user)), redis.get(reservationKey(to))])
  if (reserved.some(Boolean) || !(await reserve(user, callId))) return { status: 409 }
  if (!(await reserve(to, callId))) {
    await redis.del(reservationKey(user))
    return { status: 409 }
  }
  const now = Date.now()
  await redis
    .multi()
    .hSet(callKey(callId), { caller: user, callee: to, state: 'RINGING', createdAt: now })
    .expire(callKey(callId), CALL_TTL_SECONDS)
    .zAdd(TIMEOUTS, { score: now + RING_TIMEOUT_MS, value: callId })
    .exec()
  return { status: (await deliver(to, 'call.incoming', { callId, from: user, media })) ? 201 : 409 }
}

async function accept(user, { callId }) {
  const call = await transition(callId, 'ACCEPTED', { answeredAt: Date.now() })
  if (call?.callee !== user) return { status: 409 }
  return { status: (await deliver(call.caller, 'call.accepted', { callId, from: user })) ? 200 : 409 }
}

async function connected(user, { callId }) {
  const call = await readCall(callId, user)
  if (!call) return { status: 404 }
  await redis.hSet(callKey(callId), { connectedAt: Date.now() })
  await deliver(call.other, 'call.connected', { callId })
  return { status: 200 }
}

async function describe(event, user, { callId, sdp }) {
  if (typeof sdp !== 'string') return { status: 400 }
  const call = await readCall(callId, user)
  if (call?.state !== 'ACCEPTED') return { status: 409 }
  return { status: (await deliver(call.other, event, { callId, from: user, sdp })) ? 202 : 409 }
}

async function candidates(user, { callId, candidates }) {
  if (!Array.isArray(candidates)) return { status: 400 }
  const call = await readCall(callId, user)
  if (call?.state !== 'ACCEPTED') return { status: 409 }
  io.to(roomOf(call.other)).emit('signal.candidates', { callId, from: user, candidates })
  return { status: 202 }
}

async function hangup(user, { callId }) {
  const call = await transition(callId, 'ENDED', { endedBy: user, endedAt: Date.now() })
  if (!call) return { status: 409 }
  const other = call.caller === user ? call.callee : call.caller
  return { status: (await deliver(other, 'call.ended', { callId, reason: 'hangup' })) ? 200 : 409 }
}

const ACTIONS = {
  create,
  accept,
  offer: describe.bind(null, 'signal.offer'),
  answer: describe.bind(null, 'signal.answer'),
  candidates,
  connected,
  hangup
}

io.on('connection', socket => {
  const { user } = socket.data
  socket.join(roomOf(user))
  const noted = redis.multi().sAdd(socketsKey(user), socket.id).expire(socketsKey(user), SOCKETS_TTL_SECONDS).exec()
  noted.catch(error => console.error(error.message))
  for (const [name, act] of Object.entries(ACTIONS)) {
    socket.on(name, async (message, reply) => {
      const result = await act(user, message ?? {})
      reply?.(result)
    })
  }
  socket.on('disconnect', () => redis.sRem(socketsKey(user), socket.id).catch(error => console.error(error.message)))
})

async function endUnanswered() {
  const due = await redis.zRangeByScore(TIMEOUTS, 0, Date.now(), { LIMIT: { offset: 0, count: SWEEP_LIMIT } })
  for (const callId of due) {
    if (await transition(callId, 'TIMEOUT')) await redis.zRem(TIMEOUTS, callId)
  }
}

setInterval(() => endUnanswered().catch(error => console.error(error.message)), SWEEP_MS).unref()

http.listen(Number(PORT), HOST)
process.on('SIGTERM', () => process.exit())
