// The playground in clumsy hands: users who are not there, texts that are refused, many lines, and two devices of one user.
import t from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { call, openPlayground } from './playground-page.js'

const browser = await launchChromium(t)

t.test('a user who is not there can be opened in another window, and called again', async t => {
  const { page, alice, wire } = await openPlayground(t, browser)
  const dial = async (name: string) => {
    await alice.getByRole('textbox', { name: 'Whom alice calls' }).fill(name)
    await alice.getByRole('button', { name: 'Call', exact: true }).click()
  }
  await dial('Zoë 😀')
  await wire.getByText('callee_unreachable').waitFor()
  const [other] = await Promise.all([
    page.context().waitForEvent('page'),
    alice.getByRole('link', { name: 'Open Zoë 😀 in another window' }).click()
  ])
  const zoe = other.getByRole('region', { name: 'Zoë 😀', exact: true })
  await zoe.getByText('live stream').waitFor()
  await dial('Zoë 😀')
  await zoe.getByRole('button', { name: 'Answer' }).click()
  await alice.getByText('In a call with Zoë 😀').waitFor()
  t.equal(await alice.getByRole('link', { name: 'in another window' }).count(), 0)
})

t.test('a text that is refused comes back into its field', async t => {
  const opened = await openPlayground(t, browser)
  const { alice } = opened
  await call(opened)
  const field = alice.getByRole('textbox', { name: 'Message of alice' })
  const text = 'x'.repeat(4097)
  await field.fill(text)
  await field.press('Enter')
  await alice.getByRole('alert').getByText('larger than allowed').waitFor()
  t.equal(await field.inputValue(), text)
})

t.test('the newest line of a chat is in view', async t => {
  const opened = await openPlayground(t, browser)
  const { alice, bob } = opened
  await call(opened)
  const field = alice.getByRole('textbox', { name: 'Message of alice' })
  for (let i = 1; i <= 12; i++) {
    await field.fill(`line ${i}`)
    await field.press('Enter')
    await bob.getByText(`line ${i}`, { exact: true }).waitFor()
  }
  for (const person of [alice, bob]) {
    const list = person.getByRole('log')
    t.ok(await list.evaluate(each => each.scrollHeight > each.clientHeight), 'more lines than there is space for')
    t.ok(await list.evaluate(each => each.scrollHeight - each.scrollTop - each.clientHeight < 2))
  }
})

t.test('the timeline follows the device that answered, not the one that no longer rings', async t => {
  const { page, alice, bob, timeline } = await openPlayground(t, browser)
  const [other] = await Promise.all([
    page.context().waitForEvent('page'),
    bob.getByRole('link', { name: 'Open on another device' }).click()
  ])
  const second = other.getByRole('region', { name: 'bob', exact: true })
  await second.getByText('live stream').waitFor()
  await alice.getByRole('button', { name: 'Call', exact: true }).click()
  await second.getByRole('button', { name: 'Answer' }).click()
  await bob.getByText('Call ended: answered elsewhere').waitFor()
  await alice.getByText('In a call with bob').waitFor()
  await timeline.getByRole('list', { name: 'Steps of the call' }).getByText('connected').waitFor()
  await timeline.locator('.stall:empty').waitFor({ state: 'attached' })
  await alice.getByRole('button', { name: 'Hang up' }).click()
  await timeline.getByRole('status').getByText('Ended: hangup').waitFor()
})

t.test('an opened row of the wire stays in view, and Newest leads back to the end', async t => {
  const opened = await openPlayground(t, browser)
  const { wire, bob } = opened
  await call(opened)
  const list = wire.getByRole('list', { name: 'Requests and events' })
  const row = wire.getByRole('listitem').filter({ hasText: '/accept' })
  await row.locator('summary').click()
  const newest = wire.getByRole('button', { name: 'Newest' })
  await newest.waitFor()
  const before = await list.evaluate(each => each.scrollTop)
  await bob.getByRole('button', { name: 'Hang up' }).click()
  await wire.getByText('call.ended').first().waitFor()
  t.equal(await list.evaluate(each => each.scrollTop), before)
  await newest.click()
  await newest.waitFor({ state: 'hidden' })
  t.ok(await list.evaluate(each => each.scrollHeight - each.scrollTop - each.clientHeight < 2))
})

t.test('a reload keeps the tab, and a call shows itself on the tab that is hidden', async t => {
  const { page, alice } = await openPlayground(t, browser)
  const other = await page.context().newPage()
  await other.goto(`${page.url()}#person=bob`)
  await other.getByRole('region', { name: 'bob', exact: true }).getByText('live stream').waitFor()
  await other.getByRole('tab', { name: 'Room' }).click()
  await other.reload()
  await other.getByRole('tab', { name: 'Room', selected: true }).waitFor()
  await alice.getByRole('button', { name: 'Call', exact: true }).click()
  await other.getByRole('tab', { name: 'Call: alice is calling' }).click()
  await other.getByRole('button', { name: 'Answer' }).click()
  await alice.getByText('In a call with bob').waitFor()
})
