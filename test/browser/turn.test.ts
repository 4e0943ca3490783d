// TURN credentials against a real TURN server: coturn, as Debian packages it.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { buildApp } from '../../src/app.js'
import { type Clock, systemClock } from '../../src/clock.js'
import { loadConfig } from '../../src/config.js'
import { createToken } from '../../src/development.js'
import { listIceServers } from '../../src/services/ice-servers.js'
import { run } from '../helpers/child-process.js'
import { freePort } from '../helpers/redis.js'
import { launchChromium } from './chromium.js'

const OLD = 'an-old-secret-of-more-than-thirty-two-bytes'
const NEW = 'a-new-secret-of-more-than-thirty-two-bytes'

/** Resolves to the URLs of a TURN server that verifies with all these secrets. */
async function startTurnServer(t: Test, secrets: readonly string[]): Promise<string> {
  const [port, folder] = [await freePort(), await mkdtemp(join(tmpdir(), 'turn-'))]
  t.teardown(() => rm(folder, { recursive: true }))
  const server = run(t, 'turnserver', [
    ...['-n', '--no-cli', '--no-tls', '--no-dtls', '--no-rfc5780', '--log-file=stdout', '--simple-log', '--verbose'],
    ...['--listening-ip=127.0.0.1', '--relay-ip=127.0.0.1', '--allow-loopback-peers', `--listening-port=${port}`],
    ...['--realm=signalpost', '--use-auth-secret', ...secrets.map(each => `--static-auth-secret=${each}`)],
    ...[`--userdb=${join(folder, 'users')}`, `--pidfile=${join(folder, 'pid')}`]
  ])
  await server.waitForOutput(/UDP listener opened/)
  return `turn:127.0.0.1:${port}?transport=udp#eu,turn:127.0.0.1:${port}?transport=tcp#eu`
}

const configOf = (turnUrls: string, secrets: string) =>
  loadConfig({
    LOG_LEVEL: 'silent',
    TURN_URLS: turnUrls,
    TURN_SECRETS: secrets,
    ICE_TRANSPORT_POLICY: 'relay'
  })

/** What the user gets for a new RTCPeerConnection. */
async function configurationOf(t: Test, user: string, ...settings: Parameters<typeof configOf>): Promise<object> {
  const config = configOf(...settings)
  const app = await buildApp(config)
  t.teardown(() => app.close())
  const authorization = `Bearer ${await createToken(config, { user, device: 'page' })}`
  const reply = await app.inject({ url: '/v1/ice-servers?region=eu', headers: { authorization } })
  t.equal(reply.statusCode, 200)
  return reply.json()
}

async function openPage(t: Test) {
  const page = await (await launchChromium(t)).newPage()
  await page.addScriptTag({ content: await readFile(new URL('turn-page.js', import.meta.url), 'utf8') })
  const call = (name: string, values: readonly unknown[]) =>
    page.evaluate(`${name}(${values.map(each => JSON.stringify(each)).join()})`)
  return {
    echo: (...values: readonly unknown[]) => call('echo', values),
    gather: (configuration: object) => call('gather', [configuration])
  }
}

t.test('two peers that may only be relayed pass data, also while a secret is replaced', async t => {
  const [turnUrls, page] = await Promise.all([startTurnServer(t, [OLD, NEW]), openPage(t)])
  const before = await configurationOf(t, 'alice', turnUrls, OLD)
  const after = await configurationOf(t, 'auth0|bob', turnUrls, `${NEW},${OLD}`)
  t.strictSame(await page.echo(before, after, 'hello'), { data: 'hello', through: ['relay', 'relay'] })
  for (const transport of ['udp', 'tcp']) {
    const urls = turnUrls
      .split(',')
      .filter(url => url.includes(transport))
      .join()
    t.match(await page.gather(await configurationOf(t, 'carol', urls, NEW)), { types: ['relay'] }, transport)
  }
})

t.test('the TURN server refuses credentials that have expired, are of a former secret, or are forged', async t => {
  const [turnUrls, page] = await Promise.all([startTurnServer(t, [NEW]), openPage(t)])
  const ofSecret = (secret: string, clock: Clock = systemClock) =>
    listIceServers(
      { config: configOf(turnUrls, secret), clock },
      { user: 'alice', device: 'page', expiresAt: null },
      'eu'
    )
  const twoHoursAgo = { ...systemClock, now: () => Date.now() - 7_200_000 }
  t.strictSame(await page.gather(ofSecret(NEW)), { types: ['relay'], errors: [] })
  const { iceServers, ...rest } = ofSecret(NEW)
  const later = {
    ...rest,
    iceServers: iceServers.map(each => ({ ...each, username: each.username?.replace(/^./, '9') }))
  }
  for (const [what, configuration] of [
    ['expired', ofSecret(NEW, twoHoursAgo)],
    ['of a former secret', ofSecret(OLD)],
    ['forged', later]
  ] as const)
    t.strictSame(await page.gather(configuration), { types: [], errors: [401] }, what)
})
