// Starts the media service: MEDIA_SERVICE_SECRET=… node main.js. README.md has all settings.
import pino from 'pino'
import { startService } from './service.js'
import { readSettings, SettingsError } from './settings.js'

const { service, log } = await start().catch(error => {
  if (!(error instanceof SettingsError)) throw error
  console.error(error.message)
  process.exit(1)
})
log.info({ url: service.url, mediasoup: service.mediasoupVersion }, 'listening')

let isClosing = false
for (const signal of ['SIGTERM', 'SIGINT'])
  process.on(signal, async () => {
    if (isClosing) process.exit(1)
    isClosing = true
    log.info({ signal }, 'shutting down')
    await service.close()
    process.exit(0)
  })

async function start() {
  const settings = readSettings(process.env)
  const log = pino({ level: settings.logLevel })
  return { service: await startService(settings, log), log }
}
