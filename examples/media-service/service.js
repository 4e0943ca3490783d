// The whole service: workers, sessions, server.
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import * as mediasoup from 'mediasoup'
import { codecsNamed } from './codecs.js'
import { Contact } from './contact.js'
import { buildServer } from './server.js'
import { Sessions } from './sessions.js'
import { Workers } from './workers.js'

const DRAIN_CHECK_MS = 100

/** Resolves when it listens. @param {import('./settings.js').Settings} settings */
export async function startService(settings, log) {
  const workers = new Workers(settings, { log, onDied: slot => sessions.loseAllOn(slot) })
  const codecs = codecsNamed(settings.codecs, mediasoup.getSupportedRtpCapabilities())
  const sessions = new Sessions(workers, { settings, codecs, log })
  await workers.start()
  const contact = new Contact(sessions, settings.iceTimeoutMs)
  const app = buildServer(settings, { log, sessions, workers, instance: randomBytes(9).toString('base64url') })
  const url = await app.listen({ host: settings.host, port: settings.port })

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
