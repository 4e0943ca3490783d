// The settings, from environment variables. README.md describes them.
import { isIP } from 'node:net'
import { availableParallelism } from 'node:os'

const SECRET_BYTES_MIN = 32

/** The message says which setting to change. */
export class SettingsError extends Error {}

/** @typedef {ReturnType<typeof readSettings>} Settings */

/** @param {Record<string, string | undefined>} env */
export function readSettings(env) {
  const number = integers(env)
  const secret = env.MEDIA_SERVICE_SECRET ?? ''
  if (Buffer.byteLength(secret) < SECRET_BYTES_MIN)
    throw new SettingsError(
      `MEDIA_SERVICE_SECRET must have at least ${SECRET_BYTES_MIN} bytes, and be the same in Signalpost: export MEDIA_SERVICE_SECRET=$(openssl rand -hex 32)`
    )
  const ports = { min: number('RTC_MIN_PORT', 40_000, 65_535), max: number('RTC_MAX_PORT', 40_999, 65_535) }
  if (ports.min > ports.max) throw new SettingsError('RTC_MIN_PORT is above RTC_MAX_PORT')
  return {
    host: env.HOST ?? '127.0.0.1',
    port: number('PORT', 4443, 65_535, 0),
    secret,
    /** Where events are pushed. If one fails, the next one is tried. */
    signalpostUrls: urls(env.SIGNALPOST_URLS || 'http://127.0.0.1:8080'),
    ...addresses(env),
    ports,
    workers: number('WORKERS', availableParallelism(), 256),
    codecs: (env.CODECS ?? 'opus,VP8,VP9,H264,AV1').split(',').map(name => name.trim().toLowerCase()),
    sessionsMax: number('MAX_SESSIONS', 1000, 100_000),
    iceTimeoutMs: number('ICE_TIMEOUT_MS', 30_000, 3_600_000),
    drainMs: number('DRAIN_MS', 5000, 600_000, 0),
    maxIncomingBitrate: number('MAX_INCOMING_BITRATE', 0, 1_000_000_000, 0),
    logLevel: env.LOG_LEVEL ?? 'info'
  }
}

function integers(env) {
  return (name, byDefault, max, min = 1) => {
    const value = env[name] === undefined || env[name] === '' ? byDefault : Number(env[name])
    if (Number.isInteger(value) && value >= min && value <= max) return value
    throw new SettingsError(`${name} must be an integer from ${min} to ${max}`)
  }
}

function urls(text) {
  return text.split(',').map(part => {
    const url = part.trim().replace(/\/$/, '')
    if (/^https?:\/\//.test(url) && URL.canParse(url)) return url
    throw new SettingsError('SIGNALPOST_URLS must be URLs with http:// or https://, separated by commas')
  })
}

/** Where media arrives, and what clients are given as the address. */
function addresses({ LISTEN_IP: listenIp = '127.0.0.1', ANNOUNCED_ADDRESS: announcedAddress }) {
  if (!isIP(listenIp)) throw new SettingsError('LISTEN_IP must be an IP address of this machine')
  if (['0.0.0.0', '::'].includes(listenIp) && !announcedAddress)
    throw new SettingsError(
      `LISTEN_IP=${listenIp} needs ANNOUNCED_ADDRESS, the address by which clients reach this machine`
    )
  // Candidates with the announced address would be sent to a port that is open on the loopback interface only.
  if (/^(127\.|::1$)/.test(listenIp) && announcedAddress && !/^(127\.|::1$|localhost$)/.test(announcedAddress))
    throw new SettingsError('ANNOUNCED_ADDRESS needs LISTEN_IP: 0.0.0.0, or an address of this machine')
  return { listenIp, announcedAddress }
}
