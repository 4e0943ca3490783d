// The server's part of the playground: when it is served, and how.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import { decodeJwt } from 'jose'
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config.js'
import { servePlayground, servesPlayground } from '../../src/plugins/playground.js'
import { serverOptions } from '../../src/plugins/server-options.js'

const SECRET = { JWT_SECRET: 'a-secret-of-more-than-thirty-two-bytes' }

const folder = mkdtempSync(join(tmpdir(), 'playground-'))
t.teardown(() => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Playground</title>')
writeFileSync(join(folder, 'main.js'), 'start()')
writeFileSync(join(folder, 'main.js.map'), '{}')

function build(t: Test, env: Record<string, string>) {
  const config = loadConfig({ LOG_LEVEL: 'silent', ...env })
  const app: FastifyInstance = Fastify(serverOptions(config, () => {}))
  t.teardown(() => app.close())
  servePlayground(app, config, folder)
  return app
}

t.test('it is served in development mode, and elsewhere if the setting says so', async t => {
  const serves = (env: Record<string, string>) => servesPlayground(loadConfig(env), folder)
  t.equal(serves({}), true)
  t.equal(serves({ PLAYGROUND: 'off' }), false)
  t.equal(serves(SECRET), false)
  t.equal(serves({ ...SECRET, PLAYGROUND: 'on' }), true)
  t.equal(servesPlayground(loadConfig({}), null), false, 'not before it is built')
  t.throws(() => loadConfig({ PLAYGROUND: 'yes' }), /PLAYGROUND must be one of auto, on, off/)
})

t.test('its files have types, tags and a policy without inline scripts or other origins', async t => {
  const app = build(t, {})
  const page = await app.inject('/')
  t.match(page, {
    statusCode: 200,
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' }
  })
  t.match(page.headers['content-security-policy'], /default-src 'none'; script-src 'self'; style-src 'self';/)
  t.notMatch(page.headers['content-security-policy'], /unsafe|\*|http/)
  t.match(page.headers['content-security-policy'], /frame-ancestors 'none'/)
  const script = await app.inject('/playground/main.js')
  t.match(script, { statusCode: 200, headers: { 'content-type': /javascript/ }, body: 'start()' })
  const headers = { 'if-none-match': String(script.headers.etag) }
  t.match(await app.inject({ url: '/playground/main.js', headers }), { statusCode: 304, body: '' })
  for (const name of ['main.js.map', 'index.html', '..%2Fpackage.json', 'none.js'])
    t.equal((await app.inject(`/playground/${name}`)).statusCode, 404, name)
})

t.test('tokens are made in development mode only', async t => {
  const ask = (env: Record<string, string>, body: object) =>
    build(t, env).inject({ method: 'POST', url: '/playground/tokens', body })
  const reply = await ask({}, { user: 'alice', device: 'page', rooms: { lobby: { role: 'host' } } })
  t.match(decodeJwt(reply.json().token), { sub: 'alice', device: 'page', rooms: { lobby: { role: 'host' } } })
  t.match((await build(t, {}).inject('/playground/settings')).json(), { mintsTokens: true, hasSfu: false })
  for (const wrong of [{}, { user: '' }, { user: 'alice', rooms: { lobby: { role: 'king' } } }])
    t.equal((await ask({}, wrong)).statusCode, 400)

  for (const env of [SECRET, { JWKS_URL: 'https://id.example/keys' }]) {
    t.equal((await ask({ ...env, PLAYGROUND: 'on' }, { user: 'alice' })).statusCode, 404)
    t.match((await build(t, env).inject('/playground/settings')).json(), { mintsTokens: false })
  }
})
