// A small but complete receiver of webhooks: it verifies the signature, recognises repeats, keeps the events and lists them.
// The guide is docs/guides/webhooks.md.
//
//   export WEBHOOK_SECRETS=whsec_$(openssl rand -base64 24)
//   node examples/services/webhook-receiver.mjs 9200
//   WEBHOOK_URLS=http://127.0.0.1:9200/hook WEBHOOK_ALLOW_PRIVATE=true npm start
//   curl http://127.0.0.1:9200/events
//
// It can be told to misbehave, to see what happens then; `{}` ends it:
//
//   curl -X PUT -d '{"status":429,"retryAfter":5}' http://127.0.0.1:9200/behaviour
//   curl -X PUT -d '{"status":410}' http://127.0.0.1:9200/behaviour
//   curl -X PUT -d '{"delayMs":20000}' http://127.0.0.1:9200/behaviour
//   curl -X PUT -d '{"closes":true}' http://127.0.0.1:9200/behaviour
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

const BODY_MAX = 1024 * 1024
/** Older messages are refused, so that one that was recorded cannot be sent again later. */
const TOLERANCE_S = 300

/** `secrets`: each `whsec_…`. While one rotates, a message is signed with both, and one that verifies is enough. */
export function isSigned({ headers, body, secrets, now = Date.now() }) {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures = '' } = headers
  if (!id || !(Math.abs(now / 1000 - Number(timestamp)) <= TOLERANCE_S)) return false
  return secrets.some(secret => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
    const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest()
    return signatures.split(' ').some(each => {
      const [version, signature = ''] = each.split(',')
      const given = Buffer.from(signature, 'base64')
      return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected)
    })
  })
}

/**
 * `behaviour` decides the reply to a message that verifies: `{status, retryAfter, delayMs, closes, location, bytes}`, all optional. `onEvent` is
 * called once for each event. `kept` stands for a database: the events by their `webhook-id`.
 */
export function createWebhookReceiver({
  secrets,
  behaviour = () => ({}),
  onEvent = () => {},
  kept = new Map(),
  now = Date.now
}) {
  const counts = { requests: 0, repeats: 0, refused: 0 }
  let told = {}

  async function take(request, reply) {
    counts.requests++
    const body = await textOf(request)
    if (!isSigned({ headers: request.headers, body, secrets, now: now() })) {
      counts.refused++
      return answer(reply, 401, { detail: 'No signature is right' })
    }
    const event = JSON.parse(body)
    const id = request.headers['webhook-id']
    const {
      status = 204,
      retryAfter,
      delayMs = 0,
      closes = false,
      location,
      bytes
    } = { ...told, ...(await behaviour(event, id)) }
    if (delayMs > 0) await wait(delayMs)
    if (closes) return request.socket.destroy()
    if (status >= 200 && status < 300) {
      // The id names the event: one that comes again was answered before, but the reply was lost.
      if (kept.has(id)) counts.repeats++
      else {
        kept.set(id, event)
        onEvent(event, id)
      }
    }
    const headers = {
      ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
      ...(location ? { location } : {})
    }
    reply.writeHead(status, headers).end(bytes ? Buffer.alloc(bytes) : undefined)
  }

  const server = createServer(async (request, reply) => {
    try {
      if (request.method === 'POST') await take(request, reply)
      else if (request.method === 'PUT' && request.url === '/behaviour') {
        told = JSON.parse(await textOf(request))
        answer(reply, 200, told)
      } else if (request.method === 'GET' && request.url === '/events')
        answer(reply, 200, { ...counts, events: [...kept.values()] })
      else answer(reply, 404, { detail: 'Nothing exists at this path' })
    } catch (error) {
      answer(reply, 400, { detail: String(error) })
    }
  })
  return Object.assign(server, { kept, counts })
}

async function textOf(request) {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk
    if (text.length > BODY_MAX) throw new Error('The body is too large')
  }
  return text
}

function answer(reply, status, body) {
  reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const secrets = (process.env.WEBHOOK_SECRETS ?? '').split(/\+(?=whsec_)/).filter(Boolean)
  if (secrets.length === 0) throw new Error('Set WEBHOOK_SECRETS to the secret of this receiver')
  const onEvent = ({ type, data }) => console.log(`${type} ${data.callId ?? data.roomId ?? data.user ?? ''}`)
  const server = createWebhookReceiver({ secrets, onEvent }).listen(
    Number(process.argv[2] ?? 9200),
    '127.0.0.1',
    () => {
      console.log(`The webhook receiver listens on http://127.0.0.1:${server.address().port}`)
    }
  )
}
