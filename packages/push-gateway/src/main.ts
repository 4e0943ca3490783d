// `node dist/main.js`: the push gateway.
import { createDeliveries } from './deliveries.js'
import { createGateway } from './server.js'
import { readSettings } from './settings.js'

const log = (fields: Readonly<Record<string, unknown>>) =>
  console.log(JSON.stringify({ time: new Date().toISOString(), ...fields }))

try {
  const { host, port, secrets, ...options } = readSettings(process.env)
  const server = createGateway({ secrets, deliveries: createDeliveries({ ...options, log }) })
  server.listen(port, host, () => log({ msg: 'listening', address: server.address() }))
  // Requests under way are answered first.
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      server.close()
      server.closeIdleConnections()
    })
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
