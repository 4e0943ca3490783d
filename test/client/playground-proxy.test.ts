// The playground behind a reverse proxy that serves it below a path, and without its server.
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { buildPage } from '../helpers/page-files.js'
import { startServers } from '../helpers/servers.js'
import { call, openPage } from './playground-page.js'

const PREFIX = '/calls'
const browser = await launchChromium(t)

/** Removes the path before it passes a request on. */
async function startPrefixProxy(t: Test, url: string) {
  let isServerThere = true
  const proxy = createServer((incoming, reply) => {
    const { method, url: path = '', headers } = incoming
    if (!isServerThere) return reply.writeHead(502).end()
    if (!path.startsWith(`${PREFIX}/`)) return reply.writeHead(404).end()
    const outgoing = request(url + path.slice(PREFIX.length), { method, headers }, response => {
      reply.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(reply)
    })
    outgoing.on('error', () => reply.destroy())
    reply.on('close', () => outgoing.destroy())
    incoming.pipe(outgoing)
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  const set = (isThere: boolean) => {
    isServerThere = isThere
    proxy.closeAllConnections()
  }
  t.teardown(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${PREFIX}/`, set }
}

t.test('it works below a path, says when the server is gone, and goes on when it is back', async t => {
  await buildPage()
  const [server] = await startServers(t, { engine: 'memory' })
  const proxy = await startPrefixProxy(t, server?.url ?? '')
  const opened = await openPage(t, browser, proxy.url)
  const { alice, bob } = opened
  const badges = [alice, bob].map(person => person.getByRole('status', { name: /^Connection of/ }))
  const show = (text: string) => Promise.all(badges.map(badge => badge.getByText(text).waitFor()))
  await show('live stream')
  await call(opened)
  t.match(await alice.getByRole('link', { name: 'Open on another device' }).getAttribute('href'), proxy.url)
  proxy.set(false)
  await show('server not reached, trying again')
  proxy.set(true)
  await show('live stream')
  await alice.getByRole('button', { name: 'Hang up' }).click()
  await bob.getByText('Call ended: hangup').waitFor()
})
