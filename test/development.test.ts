// Development mode finds the media service that `npm run media-service` starts without settings.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { loadConfig } from '../src/config.js'
import { DEVELOPMENT_SECRET, withMediaService } from '../src/development.js'

const script = new URL('../scripts/media-service.mjs', import.meta.url)
const { withDevelopmentSecret } = (await import(script.href)) as {
  withDevelopmentSecret(env: Record<string, string>): Record<string, string>
}

/** Resolves to the URL of a media service with this secret. */
async function startService(t: Test, secret: string): Promise<string> {
  const server = createServer(({ headers, url }, reply) => {
    reply.statusCode = url === '/health' && headers.authorization === `Bearer ${secret}` ? 200 : 401
    reply.end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('a media service without settings and a server in development mode find each other', async t => {
  const { MEDIA_SERVICE_SECRET: secret = '' } = withDevelopmentSecret({})
  const url = await startService(t, secret)
  const config = loadConfig(await withMediaService({}, url))
  t.match(config, { mediaServiceUrls: [url], mediaServiceSecret: secret })
})

t.test('a server with settings of its own, or without such a service, stays as it is', async t => {
  const url = await startService(t, DEVELOPMENT_SECRET)
  for (const env of [
    { JWT_SECRET: 'a-secret-of-more-than-thirty-two-bytes' },
    { JWKS_URL: 'https://id.example/keys' },
    { MEDIA_SERVICE_URLS: 'http://127.0.0.1:1', MEDIA_SERVICE_SECRET: 'a-secret-of-more-than-thirty-two-bytes' }
  ])
    t.equal(await withMediaService(env, url), env)
  for (const other of [await startService(t, 'another secret'), 'http://127.0.0.1:9'])
    t.strictSame(await withMediaService({}, other), {})
})

t.test('a media service that others can reach gets no public secret', async t => {
  t.equal(withDevelopmentSecret({ HOST: '0.0.0.0' }).MEDIA_SERVICE_SECRET, undefined)
  t.equal(withDevelopmentSecret({ MEDIA_SERVICE_SECRET: 'own' }).MEDIA_SERVICE_SECRET, 'own')
})
