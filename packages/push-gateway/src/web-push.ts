// Web Push: RFC 8030 (delivery), RFC 8291 (encryption), RFC 8292 (VAPID).
import { hash } from 'node:crypto'
import { Agent, request } from 'node:https'
import webPush from 'web-push'
import {
  GONE,
  isTransient,
  type Notification,
  type Outcome,
  type Provider,
  refused,
  retryLater,
  SENT,
  ttlSeconds,
  type WebPushSubscription
} from './provider.js'
import { isPrivateHost, lookUpPublic, PrivateAddress } from './public-address.js'

export interface WebPushOptions {
  readonly vapid: { readonly subject: string; readonly publicKey: string; readonly privateKey: string }
  /** Allows endpoints at private addresses. */
  readonly allowPrivate: boolean
  readonly timeoutMs: number
  /** Certificates to trust, PEM; by default those of Node. */
  readonly ca?: string | undefined
}

const SOCKETS_MAX = 64

export function createWebPush({ vapid, allowPrivate, timeoutMs, ca }: WebPushOptions): Provider<WebPushSubscription> {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: SOCKETS_MAX,
    ...(allowPrivate ? {} : { lookup: lookUpPublic }),
    ...(ca === undefined ? {} : { ca })
  })

  return {
    async send(subscription, notification) {
      const { endpoint, keys } = subscription
      if (!allowPrivate && isPrivateHost(new URL(endpoint).hostname)) return refused(new PrivateAddress().message)
      const details = webPush.generateRequestDetails({ endpoint, keys }, JSON.stringify(notification.data), {
        vapidDetails: vapid,
        TTL: ttlSeconds(notification),
        urgency: 'high',
        topic: topicOf(notification),
        contentEncoding: 'aes128gcm'
      })
      const signal = AbortSignal.timeout(timeoutMs)
      return post(endpoint, { agent, signal, headers: details.headers, body: details.body }).catch(error => {
        if (error instanceof PrivateAddress) return refused(error.message)
        throw error
      })
    },
    close: () => agent.destroy()
  }
}

/** A message replaces the one with the same topic that is not delivered yet. RFC 8030, section 5.4: at most 32 characters of base64url. */
const topicOf = ({ callId }: Notification): string => hash('sha256', callId, 'base64url').slice(0, 32)

interface Post {
  readonly agent: Agent
  readonly signal: AbortSignal
  readonly headers: NodeJS.Dict<string | number>
  readonly body: Buffer | null
}

/** The body of the reply is dropped: the server is chosen by a user. */
function post(url: string, { agent, signal, headers, body }: Post): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, signal, headers: headers as Record<string, string> }, reply => {
      const status = reply.statusCode ?? 0
      let bytes = 0
      // Read to its end, so that the connection is used again, unless it is long.
      reply.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > REPLY_MAX_BYTES) reply.destroy()
      })
      reply.on('error', () => undefined)
      resolve(outcomeOf(status, reply.headers['retry-after']))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

const REPLY_MAX_BYTES = 16_384

function outcomeOf(status: number, retryAfter: unknown): Outcome {
  if (status >= 200 && status < 300) return SENT
  if (status === 404 || status === 410) return GONE
  return isTransient(status) ? retryLater(status, retryAfter) : refused(`status ${status}`)
}
