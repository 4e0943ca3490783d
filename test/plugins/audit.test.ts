// Each change by an operator leaves a log line, also one that is refused. Reading leaves none.
import { fileURLToPath } from 'node:url'
import { SignJWT } from 'jose'
import t from 'tap'
import { webhookUrls } from '../../src/webhook-urls.js'
import { run } from '../helpers/child-process.js'
import { secretOf } from '../helpers/webhook-receiver.js'

const OPERATOR = 'the-secret-of-operators-is-32-bytes-long'
const JWT_SECRET = 'the-secret-of-the-tokens-is-32-bytes-long'
const WITH_JSON = { 'content-type': 'application/json' }
const RECEIVER = 'https://example.com/hidden'
/** Of the compiled sources. */
const root = fileURLToPath(new URL('../..', import.meta.url))

t.test('a change is logged with what was changed, from where and the status, and without secrets', async t => {
  const [{ id = '' } = {}] = webhookUrls(RECEIVER)
  const env = {
    ...{ PORT: '0', ADMIN_PORT: '0', ADMIN_SECRET: OPERATOR, LOG_LEVEL: 'info' },
    ...{ JWT_SECRET, ADMIN_ROLE: 'admin' },
    ...{ WEBHOOK_URLS: RECEIVER, WEBHOOK_SECRETS: secretOf(1) }
  }
  const program = run(t, process.execPath, ['src/main.js'], { env, cwd: root })
  // The admin port opens first.
  const [, url = ''] =
    /Server listening at (http[^"\s]+)/.exec(await program.waitForOutput(/Server listening at http/)) ?? []
  const ask = (method: string, path: string, secret = OPERATOR) =>
    fetch(`${url}/v1/admin/webhooks${path}`, { method, headers: { authorization: `Bearer ${secret}` } })
  const send = (method: string, path: string, body?: object) =>
    fetch(`${url}/v1/admin/${path}`, {
      method,
      headers: { authorization: `Bearer ${OPERATOR}`, ...(body && WITH_JSON) },
      ...(body && { body: JSON.stringify(body) })
    })
  t.equal((await ask('GET', '')).status, 200)
  t.equal((await ask('POST', `/${id}/enable`)).status, 200)
  t.equal((await ask('DELETE', `/${id}/dead-letters/msg_${'x'.repeat(24)}`)).status, 404)
  const token = await new SignJWT({ sub: 'ops@example.com', roles: ['admin'] })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(JWT_SECRET))
  t.equal((await ask('POST', `/${id}/enable`, token)).status, 200)
  const started = { callId: 'c1', from: 'alice', to: 'bob', whenOffline: 'ring', metadata: { note: 'hidden' } }
  t.equal((await send('POST', 'calls', started)).status, 201)
  t.equal((await send('POST', 'calls', { from: ['hidden'], to: 'b'.repeat(1_000) })).status, 400)
  t.equal((await send('PUT', 'users/alice/all-devices/tokens', { issuedAfter: '2026-01-01T00:00:00Z' })).status, 200)
  t.equal((await send('DELETE', 'rooms/r1/participants/p1?ban=true&banForMs=60000')).status, 404)
  t.equal((await send('DELETE', 'rooms/r1/bans/mallory')).status, 404)
  t.equal((await ask('POST', `/${id}/enable`, 'guess')).status, 401)
  const lines = (await program.waitForOutput(/"status":401/)).split('\n').filter(line => line.includes('"audit"'))
  t.match(
    lines.map(line => JSON.parse(line).audit),
    [
      { action: 'enableWebhook', params: { webhookId: id }, operator: null, address: '127.0.0.1', status: 200 },
      { action: 'deleteDeadLetter', params: { webhookId: id }, status: 404 },
      { action: 'enableWebhook', operator: 'ops@example.com', status: 200 },
      { action: 'startCallAsOperator', params: { callId: 'c1', from: 'alice', to: 'bob' }, status: 201 },
      { action: 'startCallAsOperator', params: { to: 'b'.repeat(256), from: undefined }, status: 400 },
      { action: 'refuseUserTokens', params: { user: 'alice', issuedAfter: '2026-01-01T00:00:00Z' }, status: 200 },
      {
        action: 'removeParticipantAsOperator',
        params: { roomId: 'r1', participantId: 'p1', ban: true, banForMs: 60_000 }
      },
      { action: 'removeBanAsOperator', params: { roomId: 'r1', user: 'mallory' }, status: 404 },
      { action: 'enableWebhook', operator: null, status: 401 }
    ]
  )
  t.notMatch(program.stdout(), /hidden|whsec|the-secret|guess|eyJ/)
})
