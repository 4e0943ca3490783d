// Reads the environment into one frozen, typed object. All mistakes are reported together, each with the name of its setting. Values are
// not repeated, because they may be secrets.
import { hash } from 'node:crypto'
import type { Setting } from './setting.js'
import { SETTINGS } from './settings.js'

export type SettingName = keyof typeof SETTINGS

type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<CamelCase<Tail>>}`
  : Lowercase<S>

export type Config = {
  readonly [Name in SettingName as CamelCase<Name>]: ReturnType<(typeof SETTINGS)[Name]['parse']>
} & {
  /** Neither JWT_SECRET nor JWKS_URL is set: a public secret verifies tokens, and the server listens on loopback only. */
  readonly development: boolean
}

/** All mistakes in the environment, one sentence each. */
export class ConfigError extends Error {
  readonly mistakes: readonly string[]

  constructor(mistakes: readonly string[]) {
    super(
      `The configuration has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:\n${mistakes.map(mistake => `  ${mistake}`).join('\n')}`
    )
    this.name = 'ConfigError'
    this.mistakes = mistakes
  }
}

/** @throws {ConfigError} listing every mistake. */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const mistakes: string[] = []
  const values: Record<string, unknown> = {}
  for (const [name, { parse, default: fallback }] of Object.entries<Setting<unknown>>(SETTINGS)) {
    const key = camelCase(name)
    try {
      values[key] = parse(env[name]?.trim() || fallback)
    } catch (error) {
      mistakes.push(`${name} ${(error as Error).message}`)
      values[key] = parse(fallback)
    }
  }
  values.development = !env.JWT_SECRET?.trim() && !env.JWKS_URL?.trim()
  const config = values as Config
  if (config.development && config.signingKeys.length === 0) values.signingKeys = [DEVELOPMENT_SIGNING_KEY]
  mistakes.push(...contradictions(config))
  if (mistakes.length > 0) throw new ConfigError(mistakes)
  return Object.freeze(config)
}

/** Public, like the secret of development mode: it has to stay the same, so that the nodes and the next start accept each other's tokens. */
const DEVELOPMENT_SIGNING_KEY = hash('sha256', 'signalpost development only: not a secret', 'base64url')

const LOOPBACK = ['127.0.0.1', '::1', 'localhost']

/** Settings that are valid alone but not together. */
function contradictions(config: Config): string[] {
  const mistakes: string[] = []
  if (config.development && !LOOPBACK.includes(config.host)) {
    mistakes.push('HOST must be a loopback address (127.0.0.1, ::1, localhost) without JWT_SECRET or JWKS_URL')
  }
  // With both, a leaked secret could sign tokens for the users of the identity provider.
  if (config.jwtSecret.length > 0 && config.jwksUrl !== null)
    mistakes.push('JWT_SECRET and JWKS_URL must not both be set')
  mistakes.push(...adminMistakes(config))
  if (config.adminPort !== null && config.adminPort !== 0 && config.adminPort === config.port)
    mistakes.push('ADMIN_PORT must differ from PORT')
  if (config.presenceVisibility === 'policy' && config.policyUrl === null)
    mistakes.push('PRESENCE_VISIBILITY=policy requires POLICY_URL')
  mistakes.push(...mediaServiceMistakes(config))
  if (config.webhookUrls.length !== config.webhookSecrets.length)
    mistakes.push('WEBHOOK_SECRETS must have one item for each of WEBHOOK_URLS')
  if (config.turnUrls.length > 0 && config.turnSecrets.length === 0) mistakes.push('TURN_URLS requires TURN_SECRETS')
  if (config.turnUrls.length === 0 && config.iceTransportPolicy === 'relay')
    mistakes.push('ICE_TRANSPORT_POLICY=relay requires TURN_URLS')
  if (config.graceMs < config.awayAfterMs) mistakes.push('GRACE_MS must not be shorter than AWAY_AFTER_MS')
  // An open stream renews its device every third of PRESENCE_TTL_MS. With a shorter retention the device could expire in between.
  if (config.retentionMs < config.presenceTtlMs) mistakes.push('RETENTION_MS must not be shorter than PRESENCE_TTL_MS')
  if (config.presenceTtlMs < config.heartbeatMs) mistakes.push('PRESENCE_TTL_MS must not be shorter than HEARTBEAT_MS')
  return mistakes
}

function adminMistakes({ adminPort, adminHost, adminSecret, adminRole, development }: Config): string[] {
  const mistakes: string[] = []
  const isGuarded = adminSecret.length > 0 || adminRole !== null
  if (adminPort !== null && !isGuarded && !LOOPBACK.includes(adminHost))
    mistakes.push(
      'ADMIN_HOST must be a loopback address (127.0.0.1, ::1, localhost) without ADMIN_SECRET or ADMIN_ROLE'
    )
  if (adminRole !== null && adminPort === null) mistakes.push('ADMIN_ROLE requires ADMIN_PORT')
  // In development mode everyone can sign a token with any role.
  if (adminRole !== null && development) mistakes.push('ADMIN_ROLE requires JWKS_URL or JWT_SECRET')
  return mistakes
}

function mediaServiceMistakes({ mediaServiceUrls: urls, mediaServiceSecret }: Config): string[] {
  const mistakes: string[] = []
  if (urls.length > 0 && mediaServiceSecret === null) mistakes.push('MEDIA_SERVICE_URLS requires MEDIA_SERVICE_SECRET')
  // Rooms name their media service by host and port.
  if (new Set(urls.map(hostAndPort)).size < urls.length)
    mistakes.push('MEDIA_SERVICE_URLS must not name a host and port twice')
  return mistakes
}

/** The port is named even if it is the default one. */
export function hostAndPort(url: string): string {
  const { protocol, hostname, port } = new URL(url)
  return `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`
}

function camelCase(name: string): string {
  return name.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
