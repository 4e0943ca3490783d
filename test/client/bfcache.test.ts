// The page that leads the tabs goes to another page and comes back from Chromium's back/forward cache, as it was: scripts and all.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { chromium, type Page } from 'playwright-core'
import t from 'tap'
import { findBrowser } from '../browser/find-browser.js'
import { until } from '../helpers/until.js'
import { Caller } from './fixture.js'
import { openTabs, startTabs } from './tabs-fixture.js'

/** What a page with the SDK tells this test: a driver need not follow it into the cache. */
async function startReports() {
  const reports: string[] = []
  const server = createServer((request, reply) => {
    reply.setHeader('access-control-allow-origin', '*')
    if (request.method === 'POST') reports.push(decodeURIComponent(request.url?.slice(1) ?? ''))
    if (request.method === 'POST') return reply.end()
    // The other page: it goes back when it is told to.
    reply.setHeader('content-type', 'text/html').end('<title>elsewhere</title><body>')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return { reports, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

t.test(
  'a leader in the back/forward cache gives up stream and lock; back from it, it follows and has missed nothing',
  async t => {
    const { reports, url: elsewhere } = await startReports()
    const executablePath = findBrowser(['chromium', 'chromium-browser', 'google-chrome'], 'CHROMIUM_PATH')
    const browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-gpu'],
      ignoreDefaultArgs: ['--disable-back-forward-cache']
    })
    t.teardown(() => browser.close())
    const context = await browser.newContext()
    const user = await startTabs(t, () => context.newPage())
    const [leader, follower] = await openTabs(user, 2)
    if (!leader || !follower) throw new Error('two tabs were opened')
    const caller = await Caller.call(t, user.nodeUrl)
    await caller.send(3)
    for (const tab of [leader, follower]) await tab.receivesAll(t, caller.sent)

    await leader.run(`
    const report = what => fetch('${elsewhere}/' + encodeURIComponent(what), { method: 'POST', keepalive: true, mode: 'no-cors' })
    addEventListener('pagehide', ({ persisted }) => report('pagehide ' + persisted))
    addEventListener('pageshow', ({ persisted }) => report('pageshow ' + persisted))
    core.on('call.message', ({ content }) => report('message ' + content + ' ' + seen.numbers.join()))
    core.on('connection', state => report('connection ' + state))
    setTimeout(() => { location.href = '${elsewhere}' })`)
    const page = leader.page as Page
    await page.waitForURL(`${elsewhere}/`)
    await caller.send(10)
    await follower.receivesAll(t, caller.sent)
    t.equal(user.proxy.openStreams, 1)
    await page.evaluate('setTimeout(() => history.back())')
    await until('the page is back', () => reports.some(each => each.startsWith('pageshow')))
    t.ok(reports.includes('pageshow true'), reports.join('; '))
    await caller.send(3)
    await follower.receivesAll(t, caller.sent)
    // Reports may overtake each other.
    const hasAll = () => {
      const all = Array.from({ length: caller.sent }, (_, i) => i + 1)
      return reports.includes(`message ${caller.sent} ${all.join()}`)
    }
    await until('the page has all', hasAll)
    t.equal(user.proxy.openStreams, 1)

    // The one that leads now is closed: the page of the cache is alive.
    await follower.page.close()
    await caller.send(3)
    await until('it leads again', hasAll)
  }
)
