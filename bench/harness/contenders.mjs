// Who takes part: how to start one node of each, and which protocol its users speak.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const path = relative => fileURLToPath(new URL(relative, import.meta.url))

const SIGNALPOST_MAIN = process.env.SIGNALPOST_MAIN ?? path('../../dist/main.js')

const SOCKETIO = {
  title: 'Socket.IO',
  protocol: 'socketio',
  main: path('../servers/socketio-server.mjs'),
  ready: '/'
}

export const CONTENDERS = {
  socketio: SOCKETIO,
  signalpost: { title: 'Signalpost', protocol: 'http', main: SIGNALPOST_MAIN, ready: '/readyz' },
  bare: { title: 'bare HTTP', protocol: 'http', main: path('../servers/bare-server.mjs'), ready: '/' }
}

/** The peer once more, its Redis commands without time limits: dearer to operate, cheaper to run. */
export const UNTIMED_PEER = 'socketio untimed'
CONTENDERS[UNTIMED_PEER] = { ...SOCKETIO, env: { REDIS_TIME_LIMITS: 'off' } }

/** Who has a column in the table; without Signalpost when it has not been built. */
export function presentContenders() {
  return ['socketio', 'signalpost', 'bare'].filter(name => existsSync(CONTENDERS[name].main))
}
