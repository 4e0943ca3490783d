// The streams peer, like many servers in use today. Socket.IO 4 on several nodes, joined by the Redis Streams adapter. The token is
// verified once, at connect. A call is a Redis hash; every message reads it once, to find out whether the sender is a party and who
// the other side is, and is emitted to that user's room. No busy check, no deadlines, no queue for devices that are away.
import { createServer } from 'node:http'
import { createAdapter } from '@socket.io/redis-streams-adapter'
import jwt from 'jsonwebtoken'
import { createClient } from 'redis'
import { Server } from 'socket.io'

const { PORT, HOST, REDIS_URL, JWT_SECRET, REDIS_TIME_LIMITS } = process.env
const CALL_TTL_SECONDS = 3600

// As in the adapter's documentation. node-redis 6 then gives each command a time limit (5 s), which costs this server a third of
// its time; the benchmark also measures the peer without it.
const redis = createClient({
  url: REDIS_URL,
  ...(REDIS_TIME_LIMITS === 'off' && { commandOptions: { timeout: undefined } })
})
redis.on('error', error => console.error(error.message))
await redis.connect()

const http = createServer((_request, response) => response.end('ok'))
const io = new Server(http, { transports: ['websocket'], serveClient: false, adapter: createAdapter(redis) })
// Recommended by Socket.IO to save memory: drops the first HTTP request.
io.engine.on('connection', socket => {
  socket.request = null
})

io.use((socket, next) => {
  try {
    const claims = jwt.verify(socket.handshake.auth.token, JWT_SECRET, { algorithms: ['HS256'] })
    socket.data.user = claims.sub
    next()
  } catch {
    next(new Error('unauthorized'))
  }
})

const key = callId => `call:${callId}`
const emitTo = (user, event, data) => io.to(`user:${user}`).emit(event, data)

async function readCall(callId, user) {
  const [caller, callee, state] = await redis.hmGet(key(callId), ['caller', 'callee', 'state'])
  if (caller === user) return { state, other: callee, side: 'caller' }
  if (callee === user) return { state, other: caller, side: 'callee' }
  return null
}

async function create(user, { callId, to, media }) {
  if (typeof callId !== 'string' || typeof to !== 'string') return { status: 400 }
  const fields = { caller: user, callee: to, state: 'ringing', createdAt: Date.now() }
  await redis.multi().hSet(key(callId), fields).expire(key(callId), CALL_TTL_SECONDS).exec()
  emitTo(to, 'call.incoming', { callId, from: user, media })
  return { status: 201 }
}

async function accept(user, { callId }) {
  const call = await readCall(callId, user)
  if (call?.side !== 'callee') return { status: 404 }
  if (call.state !== 'ringing') return { status: 409 }
  await redis.hSet(key(callId), { state: 'connecting', answeredAt: Date.now() })
  emitTo(call.other, 'call.accepted', { callId, from: user })
  return { status: 200 }
}

async function connected(user, { callId }) {
  const call = await readCall(callId, user)
  if (!call) return { status: 404 }
  await redis.hSet(key(callId), { state: 'connected', connectedAt: Date.now() })
  emitTo(call.other, 'call.connected', { callId, from: user })
  return { status: 200 }
}

async function describe(event, user, { callId, sdp }) {
  if (typeof sdp !== 'string') return { status: 400 }
  const call = await readCall(callId, user)
  if (!call) return { status: 404 }
  if (call.state !== 'connecting') return { status: 409 }
  emitTo(call.other, event, { callId, from: user, sdp })
  return { status: 202 }
}

async function candidates(user, { callId, candidates }) {
  if (!Array.isArray(candidates) || candidates.length > 64) return { status: 400 }
  const call = await readCall(callId, user)
  if (!call) return { status: 404 }
  if (call.state === 'ringing' || call.state === 'ended') return { status: 409 }
  emitTo(call.other, 'signal.candidates', { callId, from: user, candidates })
  return { status: 202 }
}

async function hangup(user, { callId }) {
  const call = await readCall(callId, user)
  if (!call) return { status: 404 }
  await redis.hSet(key(callId), { state: 'ended', endedBy: user, endedAt: Date.now() })
  emitTo(call.other, 'call.ended', { callId, reason: 'hangup' })
  return { status: 200 }
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
  socket.join(`user:${user}`)
  for (const [name, act] of Object.entries(ACTIONS)) {
    socket.on(name, async (message, reply) => {
      const result = await act(user, message ?? {})
      reply?.(result)
    })
  }
})

http.listen(Number(PORT), HOST)
process.on('SIGTERM', () => process.exit())
