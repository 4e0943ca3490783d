// The entry point: reads the configuration, starts the server, and closes it after a signal.
import closeWithGrace from 'close-with-grace'
import { buildApp } from './app.js'
import { type Config, ConfigError, loadConfig } from './config.js'
import { welcome, withMediaService } from './development.js'
import { servesPlayground } from './plugins/playground.js'

/** For the requests and tasks that still run when the streams have ended. After this time the process ends anyway. */
const CLOSE_MS = 10_000

async function readConfig(): Promise<Config> {
  try {
    return loadConfig(await withMediaService(process.env))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(error.message)
    process.exit(1)
  }
}

const config = await readConfig()
const app = await buildApp(config)
const delay = config.drainSettleMs + config.drainWindowMs + CLOSE_MS

// A second signal ends the process at once.
closeWithGrace({ delay, logger: app.log }, async ({ signal, err }) => {
  if (err) app.log.fatal({ err }, 'closing after an uncaught error')
  else app.log.info({ signal }, 'closing')
  // Not after Ctrl-C, where no load balancer has to stop sending requests first.
  if (signal === 'SIGTERM') await app.drain()
  await app.close()
})

/**
 * Connections that the kernel queues until they are accepted, at most net.core.somaxconn (usually 4096). It drops the SYN of a further one,
 * and the client tries again only seconds later. Node's default of 511 is too few for the streams of another node that has died.
 */
const BACKLOG = 65_535

// First, so that monitoring sees the node before clients do.
if (config.adminPort !== null) await app.admin?.listen({ host: config.adminHost, port: config.adminPort })
const url = await app.listen({ host: config.host, port: config.port, backlog: BACKLOG })
if (config.development) console.log(await welcome(config, url, servesPlayground(config)))
