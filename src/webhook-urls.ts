// Parses WEBHOOK_URLS and WEBHOOK_SECRETS.
import { createHash } from 'node:crypto'
import { WEBHOOK_TYPES } from './schemas/webhook.js'

/** A receiver of webhooks. */
export interface WebhookDestination {
  /** The first 12 hex digits of the SHA-256 of the URL: logs and metrics name a destination without its URL, which may be confidential. */
  readonly id: string
  /** Without the fragment. */
  readonly url: string
  /** The types that it receives. */
  readonly types: ReadonlySet<string>
}

/**
 * URLs separated by commas. The fragment of a URL is its filter: exact types and `call.*`, separated by commas, too.
 * @throws Error whose message follows the name of the setting
 */
export function webhookUrls(value: string): readonly WebhookDestination[] {
  const destinations = splitUrls(value).map(destinationOf)
  if (new Set(destinations.map(({ id }) => id)).size < destinations.length) throw new Error('must not name a URL twice')
  return Object.freeze(destinations)
}

/** A comma is followed by the next URL, or by the next filter of the same one. */
const splitUrls = (value: string): string[] =>
  value
    .split(/,(?=\s*[a-z]+:\/\/)/i)
    .map(item => item.trim())
    .filter(item => item !== '')

function destinationOf(item: string): WebhookDestination {
  const [url = '', filter, ...more] = item.split('#')
  if (!/^https?:\/\//.test(url) || !URL.canParse(url) || /[\s,]/.test(url) || more.length > 0)
    throw new Error('must be http or https URLs, separated by commas. Write a comma in a URL as %2C')
  const { username, password } = new URL(url)
  if (username !== '' || password !== '') throw new Error('must not contain a user name or password')
  return { id: createHash('sha256').update(url).digest('hex').slice(0, 12), url, types: typesOf(filter) }
}

/** Sent only where a filter names it: it has the subscriptions by which devices are woken. */
const BY_NAME = 'push'

function typesOf(filter: string | undefined): ReadonlySet<string> {
  if (filter === undefined) return new Set(WEBHOOK_TYPES.filter(type => type !== BY_NAME))
  const names = filter.split(',').map(name => name.trim())
  return new Set(
    names.flatMap(name => {
      const types = WEBHOOK_TYPES.filter(type =>
        name.endsWith('.*') ? type.startsWith(name.slice(0, -1)) : type === name
      )
      if (types.length === 0)
        throw new Error('must have filters such as #call.* or #call.ended,room.closed; one names no event')
      return types
    })
  )
}

/** The keys that sign for a destination: one, or two during a rotation. */
export type SigningKeys = readonly Buffer[]

/** As Standard Webhooks requires of a secret: 24 to 64 bytes. */
const KEY_BYTES = { least: 24, most: 64 }
/** A `+` is also a character of base64, so only the one before the next prefix separates. */
const BETWEEN_SECRETS = /\+(?=whsec_)/

/** Secrets separated by commas, one for each URL; two that are joined by `+` both sign. @throws Error as webhookUrls */
export function webhookSecrets(value: string): readonly SigningKeys[] {
  if (value === '') return []
  return Object.freeze(value.split(',').map(item => Object.freeze(item.trim().split(BETWEEN_SECRETS).map(keyOf))))
}

function keyOf(secret: string): Buffer {
  const [, text = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? []
  const key = Buffer.from(text, 'base64')
  const isValid = key.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '')
  if (isValid && key.length >= KEY_BYTES.least && key.length <= KEY_BYTES.most) return key
  throw new Error('must be whsec_ and 24 to 64 bytes in base64, one for each URL; two joined by + while one rotates')
}
