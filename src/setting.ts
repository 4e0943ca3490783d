// The type of a setting, and the parsers that turn its text into a value.
import { isIP } from 'node:net'
import { parseRedisUrl } from './redis-url.js'

export interface Setting<T> {
  /** Turns the text into the value. @throws Error whose message follows the name of the setting: "must be …" */
  readonly parse: (text: string) => T
  /** As text. It also applies if the variable is empty. */
  readonly default: string
  readonly description: string
  readonly secret?: boolean
}

export function setting<T>(parse: (text: string) => T, fallback: string, description: string): Setting<T> {
  return { parse, default: fallback, description }
}

export function secret<T>(parse: (text: string) => T, description: string): Setting<T> {
  return { parse, default: '', description, secret: true }
}

export function text(value: string): string {
  return value
}

export function optional<T>(parse: (text: string) => T) {
  return (value: string): T | null => (value === '' ? null : parse(value))
}

export function list<T>(parse: (text: string) => T) {
  return (value: string): readonly T[] =>
    Object.freeze(
      value
        .split(',')
        .map(item => item.trim())
        .filter(item => item !== '')
        .map(parse)
    )
}

export function integer(low: number, high: number) {
  return (value: string): number => {
    const number = Number(value)
    if (/^\d+$/.test(value) && number >= low && number <= high) return number
    throw new Error(`must be a whole number from ${low} to ${high}`)
  }
}

/** Milliseconds; a timer of Node cannot wait longer than 2^31 - 1. */
export function duration(low: number) {
  return integer(low, 2_147_483_647)
}

export function flag(value: string): boolean {
  if (value === 'true' || value === 'false') return value === 'true'
  throw new Error('must be true or false')
}

export function oneOf<const T extends string>(...values: readonly T[]) {
  return (value: string): T => {
    const found = values.find(each => each === value)
    if (found !== undefined) return found
    throw new Error(`must be one of ${values.join(', ')}`)
  }
}

export function webUrl(value: string): string {
  if (!/^https?:\/\//.test(value) || !URL.canParse(value)) throw new Error('must be an http or https URL')
  const { username, password } = new URL(value)
  // Logs and errors may contain the URL.
  if (username !== '' || password !== '') throw new Error('must not contain a user name or password')
  return value
}

/** An origin, `*`, or all subdomains of one. Apps have schemes of their own: capacitor://localhost. */
export function origin(value: string): string {
  if (value === '*' || isWebOrigin(value.replace('://*.', '://any.')) || APP_ORIGIN.test(value)) return value
  throw new Error(
    'must be origins such as https://example.com, https://*.example.com or capacitor://localhost, without a path'
  )
}

/** As browsers write it: in lower case and without a default port. The domain behind a `*.` has at least two labels, or is localhost. */
const isWebOrigin = (value: string) =>
  /^https?:\/\/(?!any\.(?!localhost)[^.]*$)[^*]+$/.test(value) && URL.canParse(value) && new URL(value).origin === value

/** The URL standard gives the schemes of apps no origin, so `new URL` does not check it. */
const APP_ORIGIN = /^(?!https?:)[a-z][a-z0-9+.-]*:\/\/[a-z0-9_-]+(\.[a-z0-9_-]+)*(:\d{1,5})?$/

export interface IceUrl {
  readonly url: string
  /** Null: for clients of every region. */
  readonly region: string | null
}

/** A STUN or TURN URL (RFC 7064, RFC 7065), which has no fragment: `#` and the region follow it. */
export function iceUrl(...schemes: readonly string[]) {
  return (value: string): IceUrl => {
    const [url = '', region = null, ...more] = value.split('#')
    const { scheme = '', port = '0', transport } = ICE_URL.exec(url)?.groups ?? {}
    const isUrl =
      schemes.includes(scheme) && Number(port) <= 65_535 && (transport === undefined || scheme.startsWith('turn'))
    if (isUrl && (region === null || ICE_REGION.test(region)) && more.length === 0) return { url, region }
    throw new Error(
      `must be URLs such as ${schemes[0]}:example.com:3478, or ${schemes[0]}:example.com:3478#eu for a region`
    )
  }
}

/** Browsers make no connection with a URL that they cannot parse. */
const ICE_URL =
  /^(?<scheme>[a-z]+):(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?<port>\d{1,5}))?(?:\?transport=(?<transport>udp|tcp))?$/

/** The name of a region, which an operator chooses. */
const ICE_REGION = /^[A-Za-z0-9_-]{1,32}$/

export function redisUrl(value: string): string | null {
  if (value === '') return null
  parseRedisUrl(value)
  return value
}

/** As long as RFC 7518, section 3.2, requires of a key for HS256. The same bound applies to secrets that are sent as Bearer. */
export function longSecret(value: string): string {
  if (Buffer.byteLength(value) >= 32) return value
  throw new Error('must be at least 32 bytes long')
}

/** A list for rotation: the first one signs, and all of them verify. */
export function secrets(value: string): readonly string[] {
  const items = value === '' ? [] : value.split(',').map(item => item.trim())
  if (items.every(item => Buffer.byteLength(item) >= 32)) return Object.freeze(items)
  throw new Error('must be secrets of at least 32 bytes, separated by commas')
}

/** A list for rotation: the first one encrypts, and all of them decrypt. */
export function encryptionKeys(value: string): readonly string[] {
  const items = value === '' ? [] : value.split(',').map(item => item.trim())
  if (items.every(isEncryptionKey)) return Object.freeze(items)
  throw new Error('must be keys of 32 bytes in base64, separated by commas')
}

const isEncryptionKey = (text: string): boolean => {
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === 32 && bytes.toString('base64') === text
}

/** A list for rotation: the first one signs, and all of them verify. */
export function signingSeeds(value: string): readonly string[] {
  const items = value === '' ? [] : value.split(',').map(item => item.trim())
  if (items.every(isSigningSeed) && new Set(items).size === items.length) return Object.freeze(items)
  throw new Error('must be different keys of 32 bytes in base64url, separated by commas')
}

const isSigningSeed = (text: string): boolean => {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.length === 32 && bytes.toString('base64url') === text
}

/** An IP address or a range of them in CIDR notation. */
export function addressRange(value: string): string {
  const [address = '', prefix = '0', ...more] = value.split('/')
  const version = isIP(address)
  const isPrefix = /^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 6 ? 128 : 32)
  if (version > 0 && isPrefix && more.length === 0) return value
  throw new Error('must be IP addresses or ranges such as 10.0.0.0/8')
}
