// What an operator does about devices, tokens and calls in the operator view, also where ids look like HTML or paths.
import type { Page } from 'playwright-core'
import t from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { openSignedIn, row, show, startNodes } from './operator-page.js'
import { unnamed } from './page-access.js'

const browser = await launchChromium(t)
const SIGNING_KEYS = Buffer.alloc(32, 7).toString('base64url')
/** RFC 8032, section 7.1, test 1. */
const PUBLIC_KEY = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
const HOSTILE = [`"><img src=x onerror=alert(1)>'`, 'a%2Fb/../c?d#e', '😀 \u202Egnp.exe', '..x', 'ä'.repeat(120)]

const dialogOf = (page: Page) => page.getByRole('dialog')
const done = (page: Page, text: string) => page.getByRole('status').filter({ hasText: text }).waitFor()

/** The next event that is no heartbeat. */
async function nextCall(events: AsyncIterable<{ readonly type: string }>) {
  for await (const event of events) if (event.type !== 'heartbeat') return event
  return null
}

/** Confirms, and resolves to what was asked. */
async function confirm(page: Page, label: string): Promise<string> {
  const text = await dialogOf(page).innerText()
  await dialogOf(page).getByRole('button', { name: label, exact: true }).click()
  return text.replace(/\s+/g, ' ')
}

/** The text of the dialog that shows a secret, which is closed. */
async function secret(page: Page, title: string): Promise<string> {
  const dialog = page.getByRole('dialog', { name: title })
  const text = await dialog.locator('pre').innerText()
  await dialog.getByRole('button', { name: 'Close' }).click()
  await dialogOf(page).waitFor({ state: 'detached' })
  return text
}

t.test('a device is enrolled by code, by key and by public key, its key is replaced, and it is revoked', async t => {
  const nodes = await startNodes(t, { SIGNING_KEYS })
  const page = await openSignedIn(t, browser, `${nodes.adminUrl}/#users/house`)
  const credentials = page.getByRole('table', { name: 'Device credentials' })
  const enroll = async (device: string, label: string, publicKey = '') => {
    await page.getByLabel('Device', { exact: true }).fill(device)
    await page.getByLabel('Public key').fill(publicKey)
    await page.getByRole('button', { name: label }).click()
  }
  await enroll('camera', 'Create code')
  t.match(await confirm(page, 'Create'), 'Device camera of house can enroll with the code that you see next')
  t.match(await secret(page, 'Enrollment code'), /^[0-9A-Z]{4}(-[0-9A-Z]{4}){6}$/)
  await row(credentials, 'camera').getByText('code not used yet').waitFor()
  await enroll('bell', 'Create 256-bit key')
  await confirm(page, 'Create')
  const first = await secret(page, '256-bit key')
  await page.getByRole('button', { name: 'New key for bell of house' }).click()
  await confirm(page, 'Create')
  const second = await secret(page, '256-bit key')
  t.match([first, second], [/^[\w-]{43}$/, /^[\w-]{43}$/])
  t.not(first, second)
  await row(credentials, 'bell').getByText('two 256-bit keys').waitFor()
  await enroll('lock', 'Set public key', PUBLIC_KEY)
  await confirm(page, 'Set key')
  await row(credentials, 'lock').getByText('public key 11qYAYKx…').waitFor()
  t.strictSame(unnamed(await page.locator('body').ariaSnapshot()), [])

  await show(page, 'Devices')
  await row(credentials, 'house').nth(2).waitFor()
  await page.getByRole('button', { name: 'Revoke bell of house' }).click()
  t.match(await confirm(page, 'Revoke'), 'Device bell of house gets no tokens any more and is signed out.')
  await row(credentials, 'bell').waitFor({ state: 'detached' })
  await row(credentials, 'lock').getByRole('link', { name: 'house' }).click()
  await row(page.getByRole('table', { name: 'Refused tokens' }), 'device bell').waitFor()
})

t.test('a call is started between two users and followed, and its failure is shown', async t => {
  const nodes = await startNodes(t)
  const [first, second] = [HOSTILE[0] ?? '', HOSTILE[1] ?? '']
  const [alice, bob] = [await nodes.client(first), await nodes.client(second)]
  const [ofAlice, ofBob] = [alice.events('sse'), bob.events('sse')]
  for (const stream of [ofAlice, ofBob]) await stream.next()
  const page = await openSignedIn(t, browser, nodes.adminUrl)
  const start = async (from: string, to: string) => {
    await page.getByLabel('Call', { exact: true }).fill(from)
    await page.getByLabel('and connect with').fill(to)
    await page.getByRole('button', { name: 'Start call' }).click()
  }
  await start(first, 'nobody')
  await confirm(page, 'Start call')
  await dialogOf(page).getByText('callee_unreachable').waitFor()
  await dialogOf(page).getByRole('button', { name: 'Cancel' }).click()
  await start(first, second)
  t.match(await confirm(page, 'Start call'), `${first} is called. Who accepts there is connected with ${second}`)
  const call = page.getByRole('region', { name: 'Call' })
  await call.getByText('ringing', { exact: true }).waitFor()
  t.match(await nextCall(ofAlice), {
    type: 'call.incoming',
    data: { from: { user: second }, startedBy: 'operator' }
  })
  const callId = new URL(page.url()).hash.replace('#calls/', '')
  await alice.post(`/calls/${callId}/accept`)
  t.match(await nextCall(ofBob), { type: 'call.incoming', data: { callId, from: { user: first } } })
  await bob.post(`/calls/${callId}/reject`)
  await call.getByText('declined').first().waitFor()
})

t.test('tokens of a user that were issued until a time are refused, and a ban is lifted', async t => {
  const nodes = await startNodes(t)
  const alice = await nodes.client('alice')
  await alice.post('/rooms/lobby/participants')
  const page = await openSignedIn(t, browser, `${nodes.adminUrl}/#rooms/lobby`)
  await page.getByRole('button', { name: 'Ban alice' }).click()
  await confirm(page, 'Ban user')
  await page.getByRole('button', { name: 'Lift the ban of alice' }).click()
  t.match(await confirm(page, 'Lift ban'), 'alice may enter room lobby again.')
  await page.getByText('No user is banned.').waitFor()
  await alice.post('/rooms/lobby/participants')

  await page.goto(`${nodes.adminUrl}/#users/alice`)
  await page.getByLabel('Refuse tokens issued until').fill('2001-02-03T04:05:06')
  await page.getByRole('button', { name: 'Refuse', exact: true }).click()
  t.match(
    await confirm(page, 'Refuse tokens'),
    'Tokens of alice for all devices that were issued until 2001-02-03 04:05:06'
  )
  await row(page.getByRole('table', { name: 'Refused tokens' }), '2001-02-03 04:05:06').waitFor()
})

t.test('ids that look like HTML, paths or other texts are shown as they are, and the right ones are sent', async t => {
  const nodes = await startNodes(t, { SIGNING_KEYS })
  const page = await openSignedIn(t, browser, nodes.adminUrl)
  page.on('dialog', dialog => t.fail(`a script ran: ${dialog.message()}`))
  for (const id of HOSTILE) {
    const client = await nodes.client(id, encodeURIComponent(id))
    const events = client.events('sse')
    await events.next()
    await client.post(`/rooms/${encodeURIComponent(id)}/participants`)
    await show(page, 'Rooms')
    await page.getByRole('link', { name: id, exact: true }).first().click()
    await page.getByRole('button', { name: `Remove ${id} (${id})`, exact: true }).click()
    t.match(await confirm(page, 'Remove participant'), id)
    await page.getByText('Nobody is in the room.').waitFor()
    await page.getByRole('button', { name: 'Close room' }).click()
    await confirm(page, 'Close room')
    await done(page, 'The room is closed.')

    await show(page, 'Users')
    await page.getByLabel('User by id').fill(id)
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: `Sign out device ${id}`, exact: true }).click()
    t.match(await confirm(page, 'Sign out'), `Device ${id} of ${id}`)
    await row(page.getByRole('table', { name: 'Refused tokens' }), `device ${id}`).waitFor()
    await t.rejects(client.post(`/rooms/${encodeURIComponent(id)}/participants`), { code: 'token_revoked' })
    await page.getByRole('button', { name: `Accept tokens of device ${id}`, exact: true }).click()
    await confirm(page, 'Accept')
    await page.getByText('All valid tokens are accepted.').waitFor()
  }
  t.equal(await page.locator('img[src=x]').count(), 0)
  await page.getByLabel('Another user by id').fill('..')
  await page.keyboard.press('Enter')
  await page.getByRole('alert').filter({ hasText: 'not_found' }).waitFor()
})
