// The settings, from environment variables. README.md describes them.
import { availableParallelism } from 'node:os'

const SECRET_BYTES_MIN = 32

/** @typedef {ReturnType<typeof readSettings>} Settings */

/** @param {Record<string, string | undefined>} env */
export function readSettings(env) {
  const number = integers(env)
  const secret = env.MEDIA_SERVICE_SECRET ?? ''
  if (Buffer.byteLength(secret) < SECRET_BYTES_MIN)
    throw new Error(`MEDIA_SERVICE_SECRET must have at least ${SECRET_BYTES_MIN} bytes`)
  const ports = { min: number('RTC_MIN_PORT', 40_000, 65_535), max: number('RTC_MAX_PORT', 40_999, 65_535) }
  if (ports.min > ports.max) throw new Error('RTC_MIN_PORT is above RTC_MAX_PORT')
  return {
    host: env.HOST ?? '127.0.0.1',
    port: number('PORT', 4443, 65_535, 0),
    secret,
    /** Where events are pushed. If one fails, the next one is tried. */
    signalpostUrls: (env.SIGNALPOST_URLS ?? 'http://127.0.0.1:8080')
      .split(',')
      .map(url => url.trim().replace(/\/$/, '')),
    listenIp: env.LISTEN_IP ?? '127.0.0.1',
    announcedAddress: env.ANNOUNCED_ADDRESS,
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
    throw new Error(`${name} must be an integer from ${min} to ${max}`)
  }
}
