// For orientation: what HTTP in and SSE out over Redis cost at least in Node. node:http, one script, no token check, no limit,
// no validation, no cursor. It has the part of Signalpost's API that the load generator uses.
import { createServer } from 'node:http'
import { createClient } from 'redis'

const { PORT, HOST, REDIS_URL } = process.env

const RELAY = `
local call = redis.call('HMGET', KEYS[1], 'caller', 'callee')
local other = (call[1] == ARGV[1] and call[2]) or (call[2] == ARGV[1] and call[1])
if not other then return '' end
local id = redis.call('XADD', 'mailbox:' .. other, 'MAXLEN', '~', 1000, '*', 'e', ARGV[2])
redis.call('PUBLISH', 'user:' .. other, 'id: ' .. id .. '\\n' .. ARGV[2])
return id`

const redis = await createClient({ url: REDIS_URL, commandOptions: { timeout: undefined } })
  .on('error', () => {})
  .connect()
const subscriber = await redis
  .duplicate()
  .on('error', () => {})
  .connect()
const sha = await redis.scriptLoad(RELAY)

const EVENT = {
  accept: 'call.accepted',
  offer: 'signal.offer',
  answer: 'signal.answer',
  connected: 'call.connected',
  hangup: 'call.ended'
}

async function stream(user, response) {
  const listen = frame => response.write(frame)
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  await subscriber.subscribe(`user:${user}`, listen)
  response.write('event: hello\ndata: {}\n\n')
  response.on('close', () => subscriber.unsubscribe(`user:${user}`, listen))
}

async function act(user, path, body) {
  const [, , , callId, verb] = path.split('/')
  if (!callId) {
    await redis.hSet(`call:${body.callId}`, { caller: user, callee: body.to })
    return relay(user, body.callId, 'call.incoming', body)
  }
  return relay(user, callId, verb === 'candidates' ? 'signal.candidates' : EVENT[verb], { callId, ...body })
}

async function relay(user, callId, event, data) {
  const frame = `event: ${event}\ndata: ${JSON.stringify({ type: event, data })}\n\n`
  await redis.evalSha(sha, { keys: [`call:${callId}`], arguments: [user, frame] })
  return { revision: 1 }
}

const server = createServer((request, response) => {
  const user = request.headers['x-device-id']
  if (request.method === 'GET') return request.url.startsWith('/v1/events') ? stream(user, response) : response.end()
  const chunks = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', async () => {
    const reply = await act(user, request.url, JSON.parse(chunks.length > 0 ? Buffer.concat(chunks) : '{}'))
    const text = JSON.stringify(reply)
    response.writeHead(202, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
  })
})
server.keepAliveTimeout = 72_000
server.listen(Number(PORT), HOST)
process.on('SIGTERM', () => process.exit())
