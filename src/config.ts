// The environment, read once into one frozen typed object. All mistakes are reported at once, by name; what the operator typed is
// never repeated, because it may be a secret.
import type { Setting } from './setting.js'
import { SETTINGS } from './settings.js'

export type SettingName = keyof typeof SETTINGS

type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<CamelCase<Tail>>}`
  : Lowercase<S>

export type Config = {
  readonly [Name in SettingName as CamelCase<Name>]: ReturnType<(typeof SETTINGS)[Name]['parse']>
} & {
  /** Nothing verifies tokens but a secret that everybody knows; the server stays on loopback. */
  readonly development: boolean
}

/** Everything that is wrong with the environment, one sentence each. */
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
  mistakes.push(...contradictions(config))
  if (mistakes.length > 0) throw new ConfigError(mistakes)
  return Object.freeze(config)
}

const LOOPBACK = ['127.0.0.1', '::1', 'localhost']

/** Settings that are fine alone and wrong together. */
function contradictions(config: Config): string[] {
  const mistakes: string[] = []
  if (config.development && !LOOPBACK.includes(config.host)) {
    mistakes.push('HOST refuses to bind wider than loopback (127.0.0.1, ::1, localhost) without JWT_SECRET or JWKS_URL')
  }
  // One source of trust: with both, whoever learns the weaker one can mint tokens for users of the other.
  if (config.jwtSecret.length > 0 && config.jwksUrl !== null)
    mistakes.push('JWT_SECRET and JWKS_URL exclude each other')
  if (config.adminPort !== null && config.adminSecret.length === 0 && !LOOPBACK.includes(config.adminHost))
    mistakes.push('ADMIN_HOST refuses to bind wider than loopback (127.0.0.1, ::1, localhost) without ADMIN_SECRET')
  if (config.adminPort !== null && config.adminPort !== 0 && config.adminPort === config.port)
    mistakes.push('ADMIN_PORT must differ from PORT')
  if (config.presenceVisibility === 'policy' && config.policyUrl === null)
    mistakes.push('PRESENCE_VISIBILITY=policy needs POLICY_URL')
  if (config.turnUrls.length > 0 && config.turnSecrets.length === 0) mistakes.push('TURN_URLS needs TURN_SECRETS')
  if (config.graceMs < config.awayAfterMs) mistakes.push('GRACE_MS must not be shorter than AWAY_AFTER_MS')
  // A device with an open stream is refreshed every third of PRESENCE_TTL_MS; a shorter retention would forget it in between.
  if (config.retentionMs < config.presenceTtlMs) mistakes.push('RETENTION_MS must not be shorter than PRESENCE_TTL_MS')
  if (config.presenceTtlMs < config.heartbeatMs) mistakes.push('PRESENCE_TTL_MS must not be shorter than HEARTBEAT_MS')
  return mistakes
}

function camelCase(name: string): string {
  return name.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
