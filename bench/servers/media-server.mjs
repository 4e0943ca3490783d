// A media service without media (openapi/media-service.yaml). It keeps nothing, checks nothing, and replies at once with texts that are
// encoded once. A producer is of the kind that its id names.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { CONSUMERS, RTP_CAPABILITIES, TRANSPORT } from '../media-fixtures.mjs'

const { PORT, HOST } = process.env

const REPLIES = Object.fromEntries(
  Object.entries({
    health: { instance: randomUUID(), load: 0, sessions: 0 },
    session: { routerRtpCapabilities: RTP_CAPABILITIES },
    transports: TRANSPORT,
    producers: { type: 'simple', paused: false },
    consumer: { paused: false, preferredLayers: null, priority: 1 },
    ...CONSUMERS
  }).map(([name, reply]) => [name, JSON.stringify(reply)])
)

/** The text of the reply. Null: 204. */
function replyTo({ method, url }, body) {
  if (url === '/health') return REPLIES.health
  const [, , , participants, , kind, , verb] = url.split('/')
  if (method === 'DELETE' || verb === 'connect') return null
  if (participants === undefined) return REPLIES.session
  if (kind === undefined) return null
  if (kind !== 'consumers') return REPLIES[kind]
  return method === 'PATCH' ? REPLIES.consumer : REPLIES[JSON.parse(body).producer.producerId]
}

const server = createServer((request, response) => {
  const chunks = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', () => {
    const text = replyTo(request, Buffer.concat(chunks).toString())
    if (text === null) return response.writeHead(204).end()
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
  })
})
server.keepAliveTimeout = 72_000
server.listen(Number(PORT), HOST)
process.on('SIGTERM', () => process.exit())
