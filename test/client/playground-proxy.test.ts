// The playground behind a reverse proxy that serves it below a path, and without its server.
import t from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { buildPage } from '../helpers/page-files.js'
import { startServers } from '../helpers/servers.js'
import { call, openPage } from './playground-page.js'
import { startPrefixProxy } from './prefix-proxy.js'

const browser = await launchChromium(t)

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
