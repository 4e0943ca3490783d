// The view of a user: what it shows, and signing out.
import t from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { openSignedIn, row, show, startNodes } from './operator-page.js'
import { unnamed } from './page-access.js'

const browser = await launchChromium(t)

t.test('a user is found, with devices, calls and rooms; a device is signed out, then all of them', async t => {
  const nodes = await startNodes(t)
  const user = '<b>al/ice</b>'
  const [phone, tablet] = [await nodes.client(user, 'phone'), await nodes.client(user, 'tablet')]
  const streams = [phone, tablet].map(client => client.events('sse'))
  for (const stream of streams) await stream.next()
  const bob = (await nodes.client('bob')).events('sse')
  await bob.next()
  await phone.post('/rooms/lobby/participants')
  await phone.post('/calls', { to: 'bob', callId: 'call-1' })
  const page = await openSignedIn(t, browser, nodes.adminUrl)
  const rows = (table: string, text: string) => row(page.getByRole('table', { name: table, exact: true }), text)
  await rows('Live calls', 'call-1')
    .getByRole('link', { name: `${user} (phone)` })
    .click()
  await rows('Rooms', 'lobby').waitFor()
  await rows('Live calls', 'ringing').waitFor()
  t.match(await rows('Devices', 'phone').innerText(), 'online')
  t.match(await page.getByRole('region', { name: 'User' }).innerText(), /<b>al\/ice<\/b>[\s\S]*busy/)
  t.strictSame(unnamed(await page.locator('body').ariaSnapshot()), [])

  const dialog = page.getByRole('dialog')
  await rows('Devices', 'phone').getByRole('button', { name: 'Sign out device phone' }).click()
  t.match(await dialog.innerText(), /Device phone of <b>al\/ice<\/b> loses its streams, calls and rooms/)
  await dialog.getByRole('button', { name: 'Sign out' }).click()
  await page.getByText('The device is signed out.').waitFor()
  await page.getByText('No live calls.').waitFor()
  await page.getByText('In no room.').waitFor()
  await rows('Refused tokens', 'device phone').waitFor()
  await t.rejects(phone.post('/rooms/lobby/participants'), { code: 'token_revoked' })
  t.ok(await tablet.post('/rooms/lobby/participants'), 'the other device is untouched')

  await page.getByRole('button', { name: 'Sign out all devices' }).click()
  t.match(await dialog.innerText(), /All devices of <b>al\/ice<\/b> lose their streams/)
  await dialog.getByRole('button', { name: 'Sign out' }).click()
  await rows('Refused tokens', 'all devices').waitFor()
  await t.rejects(tablet.post('/rooms/lobby/participants'), { code: 'token_revoked' })

  await page.getByRole('button', { name: 'Accept tokens of all devices' }).click()
  await dialog.getByRole('button', { name: 'Accept' }).click()
  await rows('Refused tokens', 'all devices').waitFor({ state: 'detached' })
  t.ok(await tablet.post('/rooms/lobby/participants'))

  await show(page, 'Users')
  await page.getByLabel('User by id').fill('nobody/at all')
  await page.keyboard.press('Enter')
  await page.getByText('No device is known now.').waitFor()
  t.match(await page.getByRole('region', { name: 'User' }).innerText(), 'nobody/at all')
})
