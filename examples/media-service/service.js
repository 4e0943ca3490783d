// The whole service: workers, sessions, server.
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import * as mediasoup from 'mediasoup'
import { codecsNamed } from './codecs.js'
import { Contact } from './contact.js'
import { buildServer } from './server.js'
import { Sessions } from './sessions.js'
import { SettingsError } from './settings.js'
import { Workers } from './workers.js'

const DRAIN_CHECK_MS = 100

/** Resolves when it listens. @param {import('./settings.js').Settings} settings */
export async function startService(settings, log) {
  const workers = new Workers(settings, { log, onDied: slot => sessions.loseAllOn(slot) })
  const codecs = codecsNamed(settings.codecs, mediasoup.getSupportedRtpCapabilities())
  const sessions = new Sessions(workers, { settings, codecs, log })
  await requireAddress(settings.listenIp)
  await workers.start()
  const contact = new Contact(sessions, settings.iceTimeoutMs)
  const app = buildServer(settings, { log, sessions, workers, instance: randomBytes(9).toString('base64url') })
  const url = await listen(app, settings)

  return {
    url,
    mediasoupVersion: mediasoup.version,
    /** Takes no new sessions, so that Signalpost moves the rooms; after DRAIN_MS, or when all have moved, it ends. */
    async close() {
      sessions.isDraining = true
      for (const until = Date.now() + settings.drainMs; sessions.size > 0 && Date.now() < until; )
        await sleep(Math.min(DRAIN_CHECK_MS, settings.drainMs))
      contact.close()
      sessions.closeAll()
      await app.close()
      workers.close()
    }
  }
}

/** Otherwise every transport would fail. */
async function requireAddress(address) {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  try {
    await once(socket.bind(0, address), 'listening')
  } catch (error) {
    throw new SettingsError(
      `LISTEN_IP=${address} is no address of this machine (${error.code}). Behind NAT: LISTEN_IP=0.0.0.0, and ANNOUNCED_ADDRESS is the public address`
    )
  } finally {
    socket.close()
  }
}

async function listen(app, { host, port }) {
  try {
    return await app.listen({ host, port })
  } catch (error) {
    if (error.code === 'EADDRINUSE')
      throw new SettingsError(
        `Port ${port} is in use: end the other process, or set PORT here and MEDIA_SERVICE_URLS in Signalpost`
      )
    if (error.code === 'EADDRNOTAVAIL') throw new SettingsError(`HOST=${host} is no address of this machine`)
    throw error
  }
}
