// Requests that clients send by mistake: each operation declares the status of the reply, and what the reply is.
import { request } from 'node:http'
import { json } from 'node:stream/consumers'
import t from 'tap'
import { buildApp } from '../src/app.js'
import { loadConfig } from '../src/config.js'
import { createToken } from '../src/development.js'
import { faultsOfProblem } from './helpers/problems.js'

interface Operation {
  readonly responses: Readonly<Record<string, object>>
}

const JSON_TYPE = { 'content-type': 'application/json' }
const MISTAKES = {
  'another media type': { body: '<a/>', headers: { 'content-type': 'application/xml' } },
  'no media type': { body: '{}', headers: {} },
  'a compressed body': { body: '{}', headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } },
  'a body that is too large': { body: JSON.stringify('x'.repeat(1_100_000)), headers: JSON_TYPE },
  'malformed JSON': { body: '{', headers: JSON_TYPE },
  'a list': { body: '[]', headers: JSON_TYPE },
  'no token': { headers: { authorization: '' } },
  'an invalid device': { headers: { 'x-device-id': 'x'.repeat(256) } }
}

t.test('each operation declares what it replies to mistakes', async t => {
  const config = loadConfig({ LOG_LEVEL: 'silent', RATE_LIMIT_ADDRESS: '10000', RATE_LIMIT_SIGNALS: '10000' })
  const app = await buildApp(config)
  t.teardown(() => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const authorization = `Bearer ${await createToken(config, { user: 'alice' })}`
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, Operation>>
  }
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { responses }] of Object.entries(methods)) {
      for (const [mistake, { headers, ...rest }] of Object.entries(MISTAKES)) {
        const { body } = rest as { body?: string }
        if (method === 'get' && body !== undefined) continue
        const name = `${method} ${path} with ${mistake}`
        const reply = await send(`${url}${path.replace(/\{\w+\}/g, 'x')}`, {
          method,
          body,
          headers: { authorization, ...headers }
        })
        t.ok(responses[String(reply.status)], `${name}: ${reply.status}`)
        if (reply.status >= 400) t.strictSame(faultsOfProblem(reply.body), [], name)
      }
    }
  }
})

interface Sent {
  readonly method: string
  readonly body: string | undefined
  readonly headers: Readonly<Record<string, string>>
}

/** fetch adds a Content-Type, and refuses a body with some methods. A reply that is no JSON, such as a stream, is not read. */
function send(url: string, { method, body, headers }: Sent): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
    const sent = request(
      url,
      { method: method.toUpperCase(), headers: { ...headers, ...length }, agent: false },
      reply => {
        const { statusCode: status = 0, headers } = reply
        if (/json/.test(headers['content-type'] ?? '')) {
          json(reply).then(body => resolve({ status, body }), reject)
          return
        }
        reply.destroy()
        resolve({ status, body: null })
      }
    )
    sent.on('error', reject).end(body)
  })
}
