// Firebase Cloud Messaging, HTTP v1. firebase.google.com/docs/reference/fcm/rest/v1/projects.messages; the access token by RFC 7523.
import { importPKCS8, SignJWT } from 'jose'
import { Http2Client, type Http2ClientOptions, type Http2Reply } from './http2-client.js'
import {
  type FcmSubscription,
  GONE,
  isTransient,
  type Notification,
  type Outcome,
  type Provider,
  refused,
  retryLater,
  SENT,
  ttlSeconds
} from './provider.js'

/** The members of a service account's JSON file that are needed. */
export interface ServiceAccount {
  readonly project_id: string
  readonly client_email: string
  readonly private_key: string
  readonly token_uri: string
}

export interface FcmOptions extends Http2ClientOptions {
  readonly account: ServiceAccount
  readonly url: string
}

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging'
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
/** A token is replaced before it expires. */
const RENEW_BEFORE_MS = 60_000
const RETRY_TOKEN_MS = 1000

export function createFcm(options: FcmOptions): Provider<FcmSubscription> {
  const { account, url } = options
  const client = new Http2Client(url, options)
  const tokens = createAccessTokens(options)

  async function post({ token }: FcmSubscription, notification: Notification): Promise<Http2Reply> {
    const android = { priority: 'high', ttl: `${ttlSeconds(notification)}s` }
    return client.post({
      path: `/v1/projects/${account.project_id}/messages:send`,
      headers: { authorization: `Bearer ${await tokens.current()}`, 'content-type': 'application/json' },
      body: JSON.stringify({ message: { token, data: toStrings(notification.data), android } })
    })
  }

  return {
    async send(subscription, notification) {
      const reply = await post(subscription, notification)
      if (reply.status !== 401) return outcomeOf(reply)
      tokens.renew()
      return outcomeOf(await post(subscription, notification))
    },
    close: () => {
      client.close()
      tokens.close()
    }
  }
}

/** FCM passes on texts only. */
const toStrings = (data: Notification['data']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)])
  )

/** The access token, which all requests share. */
function createAccessTokens({ account, ...options }: FcmOptions) {
  const endpoint = new URL(account.token_uri)
  const client = new Http2Client(endpoint.origin, options)
  let known: { readonly token: Promise<string>; until: number } | null = null

  async function fetchToken(kept: { until: number }): Promise<string> {
    const { status, text } = await client.post({
      path: endpoint.pathname,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: GRANT, assertion: await signAssertion(account) }).toString()
    })
    if (status !== 200) throw new Error(`the token endpoint replied ${status}`)
    const { access_token, expires_in } = JSON.parse(text) as { access_token: string; expires_in: number }
    kept.until = Date.now() + expires_in * 1000 - RENEW_BEFORE_MS
    return access_token
  }

  function start(): Promise<string> {
    const kept = { until: Infinity }
    const token = fetchToken(kept)
    const started = Object.assign(kept, { token })
    // Requests meanwhile share the failure; a later one tries again.
    token.catch(() => {
      started.until = Date.now() + RETRY_TOKEN_MS
    })
    known = started
    return token
  }

  return {
    current: (): Promise<string> => (known === null || known.until <= Date.now() ? start() : known.token),
    renew: () => {
      known = null
    },
    close: () => client.close()
  }
}

async function signAssertion({ client_email, private_key, token_uri }: ServiceAccount): Promise<string> {
  return new SignJWT({ scope: SCOPE })
    .setProtectedHeader({ alg: 'RS256' })
    .setIssuer(client_email)
    .setAudience(token_uri)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(await importPKCS8(private_key, 'RS256'))
}

function outcomeOf({ status, text, retryAfter }: Http2Reply): Outcome {
  if (status === 200) return SENT
  // A 404 without this code is about the project, and says nothing of the token.
  if (status === 404 && /"errorCode"\s*:\s*"UNREGISTERED"/.test(text)) return GONE
  return isTransient(status) ? retryLater(status, retryAfter) : refused(`status ${status}`)
}
