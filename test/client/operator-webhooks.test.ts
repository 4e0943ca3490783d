// The view of webhooks, on a receiver that refuses its events; and what an operator sees while Redis does not answer.
import type { Locator, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { secretOf, WebhookReceiver } from '../helpers/webhook-receiver.js'
import { changesOf, openSignedIn, row, startNodes } from './operator-page.js'
import { checkLooks, unnamed } from './page-access.js'

const browser = await launchChromium(t)

const ROOMS = ['one', 'two', 'three']

/** The receiver has refused everything for good: it is disabled, and its events are dead letters. */
async function openRefused(t: Test) {
  const receiver = await WebhookReceiver.open(secretOf(1))
  t.teardown(() => receiver.close())
  receiver.behaviour = () => ({ status: 410 })
  const nodes = await startNodes(t, {
    ...{ WEBHOOK_URLS: `${receiver.url}#room.participant_joined`, WEBHOOK_SECRETS: secretOf(1) },
    WEBHOOK_ALLOW_PRIVATE: 'true'
  })
  for (const name of ROOMS) await (await nodes.client(name)).post(`/rooms/${name}/participants`)
  const page = await openSignedIn(t, browser, `${nodes.adminUrl}/#webhooks`)
  await row(page, 'disabled').waitFor()
  return { receiver, nodes, page, letters: page.getByRole('table', { name: 'Dead letters' }) }
}

async function openDestination(page: Page, letters: Locator): Promise<void> {
  await page.getByRole('table', { name: 'Webhooks' }).getByRole('link').click()
  for (const name of ROOMS) await row(letters, `room ${name}`).waitFor()
}

const alert = (page: Page, code: string) => page.getByRole('alert').filter({ hasText: code })

t.test('a destination is enabled, and its dead letters are read, replayed and deleted', async t => {
  const { receiver, page, letters } = await openRefused(t)
  await openDestination(page, letters)
  const attempts = page.getByRole('table', { name: 'Deliveries' })
  t.match(await row(attempts, '410').first().innerText(), /room\.participant_joined[\s\S]*disabled/)

  const look = row(letters, 'room one').getByRole('button', { name: /^Look at/ })
  await look.press('Enter')
  const dialog = page.getByRole('dialog')
  t.match(JSON.parse(await dialog.locator('pre').innerText()), {
    event: { type: 'room.participant_joined', data: { roomId: 'one' } }
  })
  await page.keyboard.press('Escape')
  t.ok(await look.evaluate(element => element === document.activeElement), 'the focus comes back')

  await row(letters, 'room one')
    .getByRole('button', { name: /^Replay/ })
    .click()
  await alert(page, 'webhook_disabled').waitFor()
  receiver.behaviour = () => ({})
  await page.getByRole('link', { name: 'All webhooks' }).click()
  t.equal(await alert(page, 'webhook_disabled').count(), 0)
  await page.getByRole('button', { name: /^Enable http/ }).click()
  await page.getByRole('status').filter({ hasText: 'receives events again' }).waitFor()
  await row(page, 'up').waitFor()
  t.equal(await page.getByRole('button', { name: /^Enable/ }).count(), 0)

  await openDestination(page, letters)
  await row(letters, 'room one')
    .getByRole('button', { name: /^Replay/ })
    .click()
  await row(letters, 'room one').waitFor({ state: 'detached' })
  await row(attempts, 'delivered').waitFor()

  const remove = row(letters, 'room two').getByRole('button', { name: /^Delete/ })
  await remove.click()
  t.match(
    await dialog.innerText(),
    /Delete this dead letter\?[\s\S]*room\.participant_joined of room two is never sent/
  )
  t.equal(await page.evaluate(() => document.activeElement?.textContent), 'Cancel')
  t.strictSame(unnamed(await page.locator('body').ariaSnapshot()), [])
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await remove.click()
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await row(letters, 'room two').waitFor({ state: 'detached' })
  t.ok(await page.evaluate(() => document.activeElement?.matches('.table')), 'the focus stays at the table')

  await page.getByRole('button', { name: 'Replay all' }).click()
  await dialog.getByRole('button', { name: 'Replay all' }).click()
  await page.getByText('No dead letters').waitFor()
  await row(attempts, 'room three').filter({ hasText: 'delivered' }).waitFor()
  t.strictSame(
    receiver.events.map(({ event }) => event.data.roomId),
    ['one', 'three']
  )
})

t.test(
  'while Redis does not answer, the page says so, shows what it had, and an action may be tried again',
  async t => {
    const { nodes, page, letters } = await openRefused(t)
    await openDestination(page, letters)
    nodes.redis.pause()
    await alert(page, 'store_unavailable').waitFor()
    t.equal(await letters.getByRole('row').count(), 1 + ROOMS.length)
    await row(letters, 'room one')
      .getByRole('button', { name: /^Delete/ })
      .click()
    const dialog = page.getByRole('dialog')
    const confirm = dialog.getByRole('button', { name: 'Delete' })
    await confirm.click()
    await dialog.getByRole('alert').filter({ hasText: 'store_unavailable' }).waitFor()
    nodes.redis.resume()
    await alert(page, 'store_unavailable').nth(1).waitFor({ state: 'detached' })
    await confirm.click()
    await page.getByRole('status').filter({ hasText: 'The dead letter is deleted.' }).waitFor()
    await row(letters, 'room one').waitFor({ state: 'detached' })
    t.equal(await page.getByRole('alert').filter({ hasText: /./ }).count(), 0)
  }
)

t.test('reading again changes nothing that is the same, and the tables are readable on any screen', async t => {
  const { page, letters } = await openRefused(t)
  await openDestination(page, letters)
  t.equal(await changesOf(page, page.locator('.view'), '/deliveries'), 0)
  t.strictSame(unnamed(await page.locator('body').ariaSnapshot()), [])
  await checkLooks(t, page)
  await page.getByRole('link', { name: 'All webhooks' }).click()
  await row(page, 'disabled').waitFor()
  t.equal(await changesOf(page, page.locator('.view'), '/webhooks'), 0)
})
