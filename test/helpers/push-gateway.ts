// Starts the push gateway in front of the push services of a test.
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { createDeliveries } from '../../packages/push-gateway/src/deliveries.js'
import { createGateway } from '../../packages/push-gateway/src/server.js'
import { type Environment, readSettings } from '../../packages/push-gateway/src/settings.js'
import type { PushServices } from './push-services.js'

export const WEBHOOK_SECRET = `whsec_${Buffer.from('the-secret-between-node-and-gateway').toString('base64')}`

/** The settings of a gateway that is connected to all services, with its key files in `folder`. */
export function gatewayEnvironment({ webPush, apns, fcm }: PushServices, folder: string): Environment {
  const [apnsKey, account] = [join(folder, 'key.p8'), join(folder, 'account.json')]
  writeFileSync(apnsKey, apns.key)
  writeFileSync(account, JSON.stringify(fcm.account))
  return {
    WEBHOOK_SECRETS: WEBHOOK_SECRET,
    VAPID_SUBJECT: webPush.vapid.subject,
    VAPID_PUBLIC_KEY: webPush.vapid.publicKey,
    VAPID_PRIVATE_KEY: webPush.vapid.privateKey,
    WEB_PUSH_ALLOW_PRIVATE: 'on',
    APNS_KEY_FILE: apnsKey,
    APNS_KEY_ID: apns.keyId,
    APNS_TEAM_ID: apns.teamId,
    APNS_TOPICS: 'com.example.app.voip, com.example.other.voip',
    APNS_URL: apns.url,
    APNS_SANDBOX_URL: apns.url,
    FCM_SERVICE_ACCOUNT_FILE: account,
    FCM_URL: fcm.url
  }
}

/** Resolves to its URL. It ends with the test. */
export async function startGateway(t: Test, services: PushServices, env: Environment = {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'push-gateway-'))
  const settings = { ...gatewayEnvironment(services, folder), ...env }
  const { secrets, ...options } = readSettings(settings, services.certificate.cert)
  rmSync(folder, { recursive: true })
  const server = createGateway({ secrets, deliveries: createDeliveries({ ...options, log: () => undefined }) })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => void server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
