// The page of packages/client/README.md as it stands there, but for the address of the server: two users open it and see each other.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { installClient } from '../helpers/built-client.js'
import { startServers, tokenOf } from '../helpers/servers.js'

const PACKAGE = new URL('../../packages/client/', import.meta.url)
const ADDRESS = 'http://127.0.0.1:8080'
const page = /```html\n([\s\S]*?)```/.exec(readFileSync(new URL('README.md', PACKAGE), 'utf8'))?.[1] ?? ''
const IS_PLAYING =
  'new Promise(resolve => { const check = () => video.videoWidth > 0 && video.currentTime > 0.5 ? resolve() : setTimeout(check, 50); check() })'

let server = ''
const { folder } = await installClient(t)
const pages = createServer(({ url = '' }, response) => {
  const name = /^\/dist\/([\w-]+\.js)$/.exec(url)?.[1]
  response.setHeader('content-type', `text/${name ? 'javascript' : 'html'}; charset=utf-8`)
  if (name) response.end(readFileSync(join(folder, 'dist', name)))
  else response.end(page.replace(ADDRESS, server))
}).listen(0, '127.0.0.1')
await once(pages, 'listening')
t.teardown(() => pages.close())

t.test('a page of 30 lines calls, and answers a call', async t => {
  t.ok(page.includes(ADDRESS) && page.split('\n').length <= 30)
  const origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`
  const [node] = await startServers(t, { engine: 'memory' }, { CORS_ORIGINS: origin })
  server = node?.url ?? ''
  const browser = await launchChromium(t)
  const open = async (user: string) => {
    const context = await browser.newContext({ permissions: ['camera', 'microphone'] })
    const tab = await context.newPage()
    await tab.goto(`${origin}/page.html#${await tokenOf(user)}`)
    // A module with a top-level await: the page is ready when its last statement has run.
    await tab.waitForFunction('button.onclick !== null')
    return tab
  }
  const [alice, bob] = await Promise.all([open('alice'), open('bob')])
  await alice.click('#button')
  await Promise.all([alice, bob].map(tab => tab.evaluate(IS_PLAYING)))
})
