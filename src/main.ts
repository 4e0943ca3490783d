// The process: configuration in, a listening server out, and an orderly end.
import closeWithGrace from 'close-with-grace'
import { buildApp } from './app.js'
import { type Config, ConfigError, loadConfig } from './config.js'
import { welcome } from './development.js'
import { createIds } from './ids.js'

/** For what is under way when the streams have left; after that the process ends anyway. */
const CLOSE_MS = 10_000

function readConfig(): Config {
  try {
    return loadConfig(process.env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(error.message)
    process.exit(1)
  }
}

const config = readConfig()
const app = await buildApp(config)
const delay = config.drainSettleMs + config.drainWindowMs + CLOSE_MS

// A second signal ends the process at once.
closeWithGrace({ delay, logger: app.log }, async ({ signal, err }) => {
  if (err) app.log.fatal({ err }, 'closing after an error that nobody caught')
  else app.log.info({ signal }, 'closing')
  // Whoever presses Ctrl-C has no load balancer that must look away first.
  if (signal === 'SIGTERM') await app.drain()
  await app.close()
})

/**
 * Connections that the kernel keeps until they are accepted; it takes what net.core.somaxconn allows, 4096 mostly. Of what is beyond it
 * drops the SYN, and the client tries again seconds later: with Node's 511 that happens when the streams of another node come at once.
 */
const BACKLOG = 65_535

// First: a fleet's monitoring sees the node before its clients do.
if (config.adminPort !== null) await app.admin?.listen({ host: config.adminHost, port: config.adminPort })
const url = await app.listen({ host: config.host, port: config.port, backlog: BACKLOG })
if (config.development) console.log(await welcome(config, url, `call-${createIds().tag()}`))
