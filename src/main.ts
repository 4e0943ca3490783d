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

/** Why an address cannot be listened on, if its settings are to blame. */
const LISTEN_MISTAKES: Readonly<Record<string, (setting: string, address: string) => string>> = {
  EADDRINUSE: (setting, address) =>
    `${setting}: ${address} is in use by another process; choose another port, such as ${setting}=8081`,
  EACCES: (setting, address) => `${setting}: this user may not listen on ${address}; set a port above 1023`,
  EADDRNOTAVAIL: (setting, address) =>
    `${setting.replace('PORT', 'HOST')}: ${address} is not an address of this machine`
}

/** Runs `listen`. If the address is to blame for its failure, the process ends with a message that says what to change. */
async function listening<Result>(setting: string, listen: () => Promise<Result>): Promise<Result> {
  try {
    return await listen()
  } catch (error) {
    const { code = '', address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number }
    const mistake = LISTEN_MISTAKES[code]?.(setting, `${address}:${port}`)
    if (mistake === undefined) throw error
    await app.close()
    console.error(new ConfigError([mistake]).message)
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
const { host, port, adminHost, adminPort } = config
if (adminPort !== null)
  await listening('ADMIN_PORT', async () => app.admin?.listen({ host: adminHost, port: adminPort }))
const url = await listening('PORT', () => app.listen({ host, port, backlog: BACKLOG }))
if (config.development) console.log(await welcome(config, url, servesPlayground(config)))
