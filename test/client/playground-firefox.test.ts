// A call in the playground in Firefox.
import t from 'tap'
import { launchFirefox } from '../browser/firefox.js'
import { buildPage } from '../helpers/page-files.js'
import { startServers } from '../helpers/servers.js'

await buildPage()

t.test('a call has pictures both ways in Firefox', async t => {
  const [server] = await startServers(t, { engine: 'memory' })
  const browser = await launchFirefox(t)
  const page = await browser.newPage()
  await page.goto(`${server?.url}/`)
  // waitForFunction would need `unsafe-eval`, which the page forbids.
  const until = async (condition: () => boolean) => {
    while (!(await page.evaluate(condition))) await new Promise(resolve => setTimeout(resolve, 100))
  }
  const press = (name: string, label: string) =>
    page.evaluate(
      (person, text) => {
        const buttons = [...document.querySelectorAll<HTMLElement>(`[aria-labelledby="name-${person}"] button`)]
        buttons.find(each => each.textContent === text && each.closest('[hidden]') === null)?.click()
      },
      name,
      label
    )
  await until(() => document.querySelectorAll('.badge[data-state="live"]').length === 2)
  await press('alice', 'Call')
  await until(() => document.querySelector('[aria-labelledby="name-bob"] .state')?.textContent === 'alice is calling')
  await press('bob', 'Answer')
  await until(() => [...document.querySelectorAll<HTMLVideoElement>('video.remote')].every(each => each.videoWidth > 0))
  const texts = await page.evaluate(() => [...document.querySelectorAll('.stage .state')].map(each => each.textContent))
  t.strictSame(texts, ['In a call with bob', 'In a call with alice'])
})
