// Every operation of the admin API, requested by everyone who may not: with another secret, a token of a user, nothing, or on the port of
// clients. An operation of openapi/admin.yaml is requested without being listed here.
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config.js'
import { createToken } from '../../src/development.js'
import { ManualClock } from '../helpers/clock.js'
import { secretOf } from '../helpers/webhook-receiver.js'

const OPERATOR = 'the-secret-of-operators-is-32-bytes-long'
const ROOMS = 'the-secret-of-the-room-service-is-as-long'
const { paths } = parse(readFileSync(new URL('../../openapi/admin.yaml', import.meta.url), 'utf8')) as {
  paths: Record<string, Record<string, DocumentedOperation>>
}

interface DocumentedOperation {
  readonly operationId: string
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly example: object } } }
}

interface Operation {
  readonly id: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  /** The example of the document. */
  readonly payload?: object
}

const WEBHOOK =
  loadConfig({ WEBHOOK_URLS: 'https://example.com/hidden', WEBHOOK_SECRETS: secretOf(1) }).webhookUrls[0]?.id ?? ''
const operations: readonly Operation[] = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { operationId: id, requestBody }]) => ({
    id,
    method: method.toUpperCase() as 'GET',
    url: path
      .replace('{webhookId}', WEBHOOK)
      .replace('{deadLetterId}', `msg_${'x'.repeat(24)}`)
      .replace(/\{\w+\}/g, '1'),
    ...(requestBody ? { payload: requestBody.content['application/json'].example } : {})
  }))
)

async function build(t: Test, env: Record<string, string>) {
  const settings = {
    WEBHOOK_URLS: 'https://example.com/hidden',
    WEBHOOK_SECRETS: secretOf(1),
    LOG_LEVEL: 'silent',
    ...env
  }
  const config = loadConfig(settings)
  const app = await buildApp(config, { clock: new ManualClock() })
  t.teardown(() => app.close())
  return { app, config }
}

const WITH_ADMIN = {
  ADMIN_PORT: '0',
  ADMIN_SECRET: OPERATOR,
  ROOM_SERVICE_URL: 'http://127.0.0.1:1',
  ROOM_SERVICE_SECRET: ROOMS
}

t.test('the operations of the document are all there, and nothing is answered without the secret', async t => {
  t.ok(operations.length >= 8)
  for (const { id, ...request } of operations) {
    const { app, config } = await build(t, WITH_ADMIN)
    const user = await createToken(config, { user: 'alice' })
    for (const authorization of [
      undefined,
      `Bearer ${user}`,
      `Bearer ${ROOMS}`,
      `Bearer ${OPERATOR} `,
      `Basic ${OPERATOR}`,
      ''
    ]) {
      const reply = await app.admin?.inject({
        ...request,
        headers: authorization === undefined ? {} : { authorization }
      })
      t.match(reply?.json(), { status: 401, code: 'unauthorized' }, `${id} with ${authorization?.slice(0, 12)}`)
      t.notMatch(reply?.body, /hidden|example/)
    }
    const allowed = await app.admin?.inject({ ...request, headers: { authorization: `Bearer ${OPERATOR}` } })
    const code = (allowed?.statusCode ?? 500) < 300 ? 'ok' : allowed?.json().code
    t.match(code, /^(ok|no_chat_service|\w+_not_found|invalid_request)$/, `${id} with the secret`)
    t.equal(allowed?.headers['cache-control'], 'no-store')
  }
})

t.test('the port of clients does not have them, with or without ADMIN_PORT', async t => {
  for (const env of [WITH_ADMIN, { ADMIN_SECRET: OPERATOR }]) {
    const { app } = await build(t, env)
    for (const { id, method, url } of operations) {
      const reply = await app.inject({ method, url, headers: { authorization: `Bearer ${OPERATOR}` } })
      t.match(reply.json(), { status: 404, code: 'not_found' }, id)
    }
  }
})

t.test('without ADMIN_SECRET they are not served, not even on ADMIN_PORT', async t => {
  const { app } = await build(t, { ADMIN_PORT: '0' })
  for (const { id, method, url } of operations) {
    const reply = await app.admin?.inject({ method, url })
    t.match(reply?.json(), { status: 404, code: 'not_found' }, id)
  }
})

t.test('after ten wrong secrets the address is refused, also with the right one', async t => {
  const { app } = await build(t, WITH_ADMIN)
  const statusOf = async (secret: string) =>
    (await app.admin?.inject({ url: '/v1/admin/webhooks', headers: { authorization: `Bearer ${secret}` } }))?.statusCode
  for (let n = 0; n < 10; n++) t.equal(await statusOf(`guess ${n}`), 401)
  t.equal(await statusOf(OPERATOR), 429)
})

t.test('a wrong path or query is refused, and secrets and URLs are never shown', async t => {
  const { app } = await build(t, WITH_ADMIN)
  const ask = (method: Operation['method'], path: string) =>
    app.admin?.inject({ method, url: `/v1/admin/webhooks${path}`, headers: { authorization: `Bearer ${OPERATOR}` } })
  for (const path of ['/x', '/000000000000', `/${WEBHOOK}x`])
    t.match((await ask('GET', `${path}/deliveries`))?.json().code, /^(webhook_not_found|invalid_request)$/, path)
  for (const query of ['limit=0', 'limit=201', 'limit=x', 'before=x', 'before=1.2', 'other=1'])
    for (const list of ['deliveries', 'dead-letters'])
      t.match(
        (await ask('GET', `/${WEBHOOK}/${list}?${query}`))?.json(),
        { status: 400, code: 'invalid_request' },
        `${list} ${query}`
      )
  const listed = await ask('GET', '')
  t.match(listed?.json(), { webhooks: [{ origin: 'https://example.com', state: 'up' }] })
  t.notMatch(listed?.body, /hidden|whsec/)
  t.match((await ask('GET', '/../openapi.json'))?.json(), { info: { title: 'Signalpost Admin' } })
})
