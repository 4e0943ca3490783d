// The contenders: how to start one node of each, and which protocol its users speak.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const path = relative => fileURLToPath(new URL(relative, import.meta.url))

const socketIo = (title, file) => ({ title, protocol: 'socketio', main: path(`../servers/${file}`), ready: '/' })

const signalpost = (title, main) => ({
  title,
  protocol: 'http',
  main,
  ready: '/readyz',
  // A pair calls more often than people do. 99 is the largest limit that is counted one by one, as the default limits are.
  env: { RATE_LIMIT_CALLS: '99', RATE_LIMIT_CALLS_PER_PAIR: '99', RATE_LIMIT_CALLS_PER_CALLEE: '99' }
})

const STREAMS = socketIo('Socket.IO, streams', 'streams-server.mjs')

/** In the order of the table's columns. */
export const CONTENDERS = {
  hardened: socketIo('Socket.IO, hardened', 'hardened-server.mjs'),
  streams: STREAMS,
  bare: { title: 'bare HTTP', protocol: 'http', main: path('../servers/bare-server.mjs'), ready: '/' },
  other: signalpost('other build', process.env.SIGNALPOST_MAIN ?? ''),
  signalpost: signalpost('Signalpost', path('../../dist/main.js'))
}

/** The streams peer again, without time limits on Redis commands: cheaper to run, but a command may hang. */
export const UNTIMED_PEER = 'streams untimed'
CONTENDERS[UNTIMED_PEER] = { ...STREAMS, env: { REDIS_TIME_LIMITS: 'off' } }

/** A media service without media: for nodes that have rooms in mode sfu, and asked directly for comparison. */
export const MEDIA_SERVICE = 'media service'
CONTENDERS[MEDIA_SERVICE] = {
  title: 'media service',
  protocol: 'http',
  main: path('../servers/media-server.mjs'),
  ready: '/health'
}

const COLUMNS = Object.keys(CONTENDERS).filter(name => name !== UNTIMED_PEER && name !== MEDIA_SERVICE)

/** The contenders with a column in the table: Signalpost if it has been built, another build if SIGNALPOST_MAIN names one. */
export function presentContenders() {
  return COLUMNS.filter(name => existsSync(CONTENDERS[name].main))
}

/** Those of the contenders that are builds of Signalpost. */
export const buildsAmong = contenders => contenders.filter(name => name === 'signalpost' || name === 'other')
