// Apple Push Notification service, VoIP notifications, with a provider token. developer.apple.com: "Sending notification requests to APNs",
// "Establishing a token-based connection to APNs", "Handling notification responses from APNs".
import { hash } from 'node:crypto'
import { importPKCS8, SignJWT } from 'jose'
import { Http2Client, type Http2ClientOptions, type Http2Reply } from './http2-client.js'
import {
  type ApnsSubscription,
  GONE,
  isTransient,
  type Notification,
  type Outcome,
  type Provider,
  refused,
  retryLater,
  SENT
} from './provider.js'

export interface ApnsOptions extends Http2ClientOptions {
  /** The .p8 file, PEM. */
  readonly key: string
  readonly keyId: string
  readonly teamId: string
  /** The topics that subscriptions may name. The first is that of subscriptions without one. */
  readonly topics: readonly string[]
  readonly url: string
  readonly sandboxUrl: string
}

/** APNs refuses a token that is older than an hour, and one that is replaced more often than every 20 minutes. */
const TOKEN_MS = 45 * 60_000
/** In a reply with status 400. */
const GONE_REASONS = ['BadDeviceToken', 'DeviceTokenNotForTopic']

export function createApns(options: ApnsOptions): Provider<ApnsSubscription> {
  const { topics, url, sandboxUrl } = options
  const production = new Http2Client(url, options)
  const sandbox = new Http2Client(sandboxUrl, options)
  const tokens = createTokens(options)

  async function post(subscription: ApnsSubscription, notification: Notification): Promise<Http2Reply> {
    const { token, topic } = subscription
    return (subscription.sandbox ? sandbox : production).post({
      path: `/3/device/${token}`,
      headers: {
        authorization: `bearer ${await tokens.current()}`,
        'apns-topic': topic ?? topics[0] ?? '',
        'apns-push-type': 'voip',
        'apns-priority': '10',
        'apns-expiration': String(Math.ceil(notification.expiresAt / 1000)),
        'apns-collapse-id': collapseIdOf(notification),
        'content-type': 'application/json'
      },
      body: JSON.stringify({ aps: {}, ...notification.data })
    })
  }

  return {
    async send(subscription, notification) {
      const { topic } = subscription
      if (topic !== null && !topics.includes(topic)) return refused('the topic is not one of APNS_TOPICS')
      const reply = await post(subscription, notification)
      if (!isExpiredToken(reply)) return outcomeOf(reply)
      tokens.renew()
      return outcomeOf(await post(subscription, notification))
    },
    close() {
      production.close()
      sandbox.close()
    }
  }
}

/** At most 64 bytes. */
const collapseIdOf = ({ callId }: Notification): string => hash('sha256', callId, 'base64url')

/** The provider token, which all requests share. */
function createTokens({ key, keyId, teamId }: ApnsOptions) {
  let known: { readonly token: Promise<string>; readonly until: number } | null = null

  async function sign(): Promise<string> {
    const secret = await importPKCS8(key, 'ES256')
    return new SignJWT().setProtectedHeader({ alg: 'ES256', kid: keyId }).setIssuer(teamId).setIssuedAt().sign(secret)
  }

  return {
    current(): Promise<string> {
      if (known === null || known.until <= Date.now()) known = { token: sign(), until: Date.now() + TOKEN_MS }
      return known.token
    },
    renew: () => {
      known = null
    }
  }
}

const isExpiredToken = ({ status, text }: Http2Reply): boolean =>
  status === 403 && reasonIn(text) === 'ExpiredProviderToken'

function outcomeOf({ status, text, retryAfter }: Http2Reply): Outcome {
  if (status === 200) return SENT
  const reason = reasonIn(text)
  if (status === 410 || (status === 400 && GONE_REASONS.includes(reason))) return GONE
  return isTransient(status) ? retryLater(status, retryAfter) : refused(`status ${status} ${reason}`)
}

function reasonIn(text: string): string {
  try {
    const { reason } = JSON.parse(text) as { readonly reason?: unknown }
    return typeof reason === 'string' ? reason.slice(0, 64) : ''
  } catch {
    return ''
  }
}
