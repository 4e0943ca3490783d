// What a page that is being closed sends in a real browser: a beacon, and a DELETE with keepalive.
import t, { type Test } from 'tap'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config.js'
import { createToken } from '../../src/development.js'
import { until } from '../helpers/until.js'
import { launchChromium } from './chromium.js'

/** Alice in a call with bob and in a room; a page of this server's own origin in a browser. */
async function start(t: Test) {
  const config = loadConfig({ LOG_LEVEL: 'silent' })
  const app = await buildApp(config)
  t.teardown(() => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const tokens = {
    alice: await createToken(config, { user: 'alice', device: 'page' }),
    bob: await createToken(config, { user: 'bob', device: 'phone' })
  }
  async function ask(user: 'alice' | 'bob', method: string, path: string, body?: object) {
    const headers = { authorization: `Bearer ${tokens[user]}`, 'content-type': 'application/json' }
    const reply = await fetch(`${url}/v1/${path}`, { method, headers, body: body ? JSON.stringify(body) : null })
    const text = await reply.text()
    return text === '' ? {} : JSON.parse(text)
  }
  await ask('bob', 'PUT', 'presence')
  await ask('alice', 'POST', 'calls', { to: 'bob', callId: 'c1' })
  await ask('bob', 'POST', 'calls/c1/accept')
  await ask('bob', 'POST', 'rooms/r1/participants')
  const { participantId } = await ask('alice', 'POST', 'rooms/r1/participants')
  const context = await (await launchChromium(t)).newContext()
  const page = await context.newPage()
  await page.goto(`${url}/docs/`)
  return { url, ask, tokens, context, page, participantId }
}

t.test('a page that is closed hangs up by a beacon with the cookie', async t => {
  const { url, ask, tokens, context, page } = await start(t)
  await context.addCookies([{ name: 'access_token', value: tokens.alice, url }])
  await page.evaluate(`addEventListener('pagehide', () => navigator.sendBeacon('/v1/calls/c1/hangup', 'bye'))`)
  await page.goto('about:blank')
  await until('the call has ended', async () => (await ask('bob', 'GET', 'calls/c1')).call.state === 'ended')
  t.match((await ask('bob', 'GET', 'calls/c1')).call, { reason: 'hangup', endedBy: { user: 'alice' } })
})

t.test('a page that is closed hangs up and leaves its room with a ticket', async t => {
  const { ask, page, participantId } = await start(t)
  const { ticket } = await ask('alice', 'POST', 'events/tickets')
  await page.evaluate(`addEventListener('pagehide', () => {
    navigator.sendBeacon('/v1/calls/c1/hangup?ticket=${ticket}')
    fetch('/v1/rooms/r1/participants/${participantId}?ticket=${ticket}', { method: 'DELETE', keepalive: true })
  })`)
  await page.goto('about:blank')
  await until('the call has ended', async () => (await ask('bob', 'GET', 'calls/c1')).call.state === 'ended')
  await until('alice has left', async () => (await ask('bob', 'GET', 'rooms/r1')).participants.length === 1)
  t.match((await ask('bob', 'GET', 'rooms/r1')).participants, [{ user: 'bob' }])
})
