// The playground by keyboard, for screen readers, in both colour schemes, and at three widths.
import type { Page } from 'playwright-core'
import t from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { checkLooks, unnamed } from './page-access.js'
import { call, openPage, openPlayground, seesPicture } from './playground-page.js'

const browser = await launchChromium(t)

/** Presses Tab until the element with this role and name has the focus. */
async function tabTo(page: Page, scope: string, label: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    const isThere = await page.evaluate(
      ([region, text]) => {
        const { activeElement: focused } = document
        return focused?.textContent?.trim() === text && focused.closest(`[aria-labelledby="${region}"]`) !== null
      },
      [scope, label] as const
    )
    if (isThere) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`Tab does not lead to ${label}`)
}

t.test('a call by keyboard alone', async t => {
  const { page, alice, bob } = await openPlayground(t, browser)
  await tabTo(page, 'name-alice', 'Call')
  await page.keyboard.press('Enter')
  await bob.getByRole('button', { name: 'Answer' }).waitFor()
  t.equal(await page.evaluate(() => document.activeElement?.textContent), 'Cancel', 'the focus stays with alice')
  await tabTo(page, 'name-bob', 'Answer')
  await page.keyboard.press('Space')
  await bob.getByText('In a call with alice').waitFor()
  await tabTo(page, 'name-bob', 'Hang up')
  await page.keyboard.press('Enter')
  await alice.getByText('Call ended: hangup').waitFor()
})

t.test('everything that can be used has a name, and every state is announced', async t => {
  const opened = await openPlayground(t, browser)
  const { page, alice } = opened
  await call(opened)
  for (const summary of await page.getByText('Break the network').all()) await summary.click()
  const snapshot = await page.locator('body').ariaSnapshot()
  t.match(snapshot, /- button "Hang up"/)
  t.match(snapshot, /- tab "Room"/)
  t.match(snapshot, /- list "Steps of the call"/)
  t.strictSame(unnamed(snapshot), [])
  t.equal(await alice.getByRole('status', { name: 'Connection of alice' }).count(), 1)

  await page.getByRole('tab', { name: 'Call' }).press('ArrowRight')
  t.equal(await page.getByRole('tab', { name: 'Room', selected: true }).count(), 1)
})

t.test('without TLS a call works, and the page says why it has no camera', async t => {
  // Another origin than localhost: for it browsers demand TLS.
  const insecure = await launchChromium(t, { flags: ['--host-resolver-rules=MAP phone.test 127.0.0.1'] })
  const { url } = await openPlayground(t, browser)
  const opened = await openPage(t, insecure, url.replace('127.0.0.1', 'phone.test'))
  const { page, alice, bob } = opened
  t.equal(await page.evaluate(() => isSecureContext), false)
  await alice.getByRole('button', { name: 'Use camera' }).click()
  await call(opened)
  await Promise.all([seesPicture(alice), seesPicture(bob)])
  t.equal(
    await alice.getByRole('status', { name: 'Camera of alice' }).textContent(),
    'Without TLS the browser gives no camera: alice sends a generated picture'
  )
})

t.test('texts have enough contrast in both colour schemes, and no width scrolls sideways', async t => {
  const opened = await openPlayground(t, browser)
  const { page } = opened
  await call(opened)
  await checkLooks(t, page, ['--alice', '--bob', '--other'])
})
