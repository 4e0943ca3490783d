// The receiver of the webhook.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import type { Deliveries } from './deliveries.js'
import { readPush } from './message.js'

export interface ServerOptions {
  /** One of them has signed each webhook. */
  readonly secrets: readonly string[]
  readonly deliveries: Deliveries
}

/** 1,000 devices with the longest subscriptions have more, but a user has 32 by default. */
const BODY_MAX_BYTES = 1_048_576
const REQUEST_WITHIN_MS = 10_000

export function createGateway({ secrets, deliveries }: ServerOptions): Server {
  const verifiers = secrets.map(secret => new Webhook(secret))

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/healthz') return reply(response, 200, { status: 'ok' })
    if (request.method !== 'POST') return reply(response, 405, { error: 'send webhooks by POST' })
    const text = await readBody(request)
    if (text === null) {
      response.setHeader('connection', 'close')
      return reply(response, 413, { error: 'the body is too large' })
    }
    const headers = request.headers as Record<string, string>
    if (!verifiers.some(verifier => isSigned(verifier, text, headers)))
      return reply(response, 401, { error: 'the signature or the time of the webhook is not right' })
    const message = readPush(text)
    if (message === null) return reply(response, 200, {})
    const { gone, retryAfterMs } = await deliveries.deliver(headers['webhook-id'] ?? '', message)
    if (retryAfterMs === null) return reply(response, 200, { gone })
    response.setHeader('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1000))))
    reply(response, 503, { error: 'a push service is busy or cannot be reached' })
  }

  const server = createServer((request, response) => {
    receive(request, response).catch(() => {
      if (!response.headersSent) reply(response, 500, { error: 'internal' })
    })
  })
  server.requestTimeout = REQUEST_WITHIN_MS
  return server.on('close', () => deliveries.close())
}

function isSigned(verifier: Webhook, text: string, headers: Record<string, string>): boolean {
  try {
    verifier.verify(text, headers)
    return true
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false
    throw error
  }
}

/** Null: too large. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  if (Number(request.headers['content-length']) > BODY_MAX_BYTES) return null
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > BODY_MAX_BYTES) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
