// The push gateway as a program.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { run } from '../helpers/child-process.js'
import { gatewayEnvironment } from '../helpers/push-gateway.js'
import { startPushServices } from '../helpers/push-services.js'

const MAIN = fileURLToPath(new URL('../../packages/push-gateway/src/main.js', import.meta.url))
const services = await startPushServices()
t.teardown(() => services.close())
const folder = mkdtempSync(join(tmpdir(), 'push-gateway-'))
t.teardown(() => rmSync(folder, { recursive: true }))

const start = (t: Test, env: Readonly<Record<string, string | undefined>>) => {
  const set = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  return run(t, process.execPath, [MAIN], { env: { PORT: '0', ...Object.fromEntries(set) } })
}

t.test('it says where it listens, answers /healthz, and ends on SIGTERM', async t => {
  const gateway = start(t, gatewayEnvironment(services, folder))
  const [, port] = /"port":(\d+)/.exec(await gateway.waitForOutput(/listening/)) ?? []
  t.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200)
  gateway.signal('SIGTERM')
  t.equal(await gateway.waitForExit(), 0)
})

const WRONG: Readonly<Record<string, readonly [env: Readonly<Record<string, string | undefined>>, mistake: RegExp]>> = {
  'without secrets': [{ WEBHOOK_SECRETS: '' }, /^WEBHOOK_SECRETS must be secrets/],
  'with a secret of another form': [{ WEBHOOK_SECRETS: 'secret' }, /^WEBHOOK_SECRETS must be secrets/],
  'without a part of a push service': [{ VAPID_SUBJECT: undefined }, /^VAPID_SUBJECT is missing/],
  'without a push service': [
    { VAPID_PRIVATE_KEY: '', APNS_KEY_FILE: '', FCM_SERVICE_ACCOUNT_FILE: '' },
    /^Set up at least one push service/
  ],
  'with a payload that it does not know': [{ PUSH_PAYLOAD: 'caller,password' }, /^PUSH_PAYLOAD may name/],
  'with a number that is none': [{ TIMEOUT_MS: '3s' }, /^TIMEOUT_MS must be a whole number/]
}

for (const [name, [env, mistake]] of Object.entries(WRONG)) {
  t.test(`${name} it does not start, and names the setting`, async t => {
    const gateway = start(t, { ...gatewayEnvironment(services, folder), ...env })
    t.equal(await gateway.waitForExit(), 1)
    t.match(gateway.stderr(), mistake)
  })
}
