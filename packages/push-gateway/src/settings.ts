// The settings of the gateway, from the environment. README.md lists them.
import { readFileSync } from 'node:fs'
import { createApns } from './apns.js'
import type { DeliveryOptions, Providers } from './deliveries.js'
import { createFcm, type ServiceAccount } from './fcm.js'
import { PAYLOAD_PARTS, type PayloadPart } from './message.js'
import { createWebPush } from './web-push.js'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Settings extends Pick<DeliveryOptions, 'providers' | 'payload' | 'concurrency' | 'replyWithinMs'> {
  readonly host: string
  readonly port: number
  readonly secrets: readonly string[]
}

/** @param ca certificates to trust besides those of Node, for tests @throws Error that names the setting */
export function readSettings(env: Environment, ca?: string): Settings {
  const secrets = list(env.WEBHOOK_SECRETS)
  if (secrets.length === 0 || !secrets.every(secret => secret.startsWith('whsec_')))
    throw new Error('WEBHOOK_SECRETS must be secrets that begin with whsec_, separated by commas')
  const providers = createProviders(env, { timeoutMs: wholeNumber(env, 'TIMEOUT_MS', 3000), ca })
  if (Object.values(providers).every(provider => provider === null))
    throw new Error('Set up at least one push service: VAPID_PRIVATE_KEY, APNS_KEY_FILE or FCM_SERVICE_ACCOUNT_FILE')
  return {
    host: env.HOST || '127.0.0.1',
    port: wholeNumber(env, 'PORT', 8090),
    secrets,
    providers,
    payload: readPayload(list(env.PUSH_PAYLOAD)),
    concurrency: Math.max(1, wholeNumber(env, 'CONCURRENCY', 64)),
    replyWithinMs: wholeNumber(env, 'REPLY_WITHIN_MS', 4000)
  }
}

interface Connection {
  readonly timeoutMs: number
  readonly ca: string | undefined
}

function createProviders(env: Environment, connection: Connection): Providers {
  return {
    webpush: env.VAPID_PRIVATE_KEY
      ? createWebPush({
          vapid: {
            subject: required(env, 'VAPID_SUBJECT'),
            publicKey: required(env, 'VAPID_PUBLIC_KEY'),
            privateKey: env.VAPID_PRIVATE_KEY
          },
          allowPrivate: env.WEB_PUSH_ALLOW_PRIVATE === 'on',
          ...connection
        })
      : null,
    apns: env.APNS_KEY_FILE
      ? createApns({
          key: readFileSync(env.APNS_KEY_FILE, 'utf8'),
          keyId: required(env, 'APNS_KEY_ID'),
          teamId: required(env, 'APNS_TEAM_ID'),
          topics: list(required(env, 'APNS_TOPICS')),
          url: env.APNS_URL || 'https://api.push.apple.com',
          sandboxUrl: env.APNS_SANDBOX_URL || 'https://api.sandbox.push.apple.com',
          ...connection
        })
      : null,
    fcm: env.FCM_SERVICE_ACCOUNT_FILE
      ? createFcm({
          account: JSON.parse(readFileSync(env.FCM_SERVICE_ACCOUNT_FILE, 'utf8')) as ServiceAccount,
          url: env.FCM_URL || 'https://fcm.googleapis.com',
          ...connection
        })
      : null
  }
}

const list = (text = ''): string[] =>
  text
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '')

function required(env: Environment, name: string): string {
  const value = env[name]
  if (!value) throw new Error(`${name} is missing`)
  return value
}

function wholeNumber(env: Environment, name: string, fallback: number): number {
  const text = env[name]
  if (!text) return fallback
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${name} must be a whole number`)
  return Number(text)
}

function readPayload(names: readonly string[]): PayloadPart[] {
  return names.map(name => {
    const part = PAYLOAD_PARTS.find(each => each === name)
    if (part === undefined) throw new Error(`PUSH_PAYLOAD may name ${PAYLOAD_PARTS.join(', ')}`)
    return part
  })
}
