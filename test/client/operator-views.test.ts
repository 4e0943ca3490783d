// The views of calls and rooms: what they show, in pages, without flicker, whatever users call themselves; by keyboard, and on any screen.
import type { Page } from 'playwright-core'
import t from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { changesOf, openSignedIn, reread, row, show, startNodes } from './operator-page.js'
import { checkLooks, unnamed } from './page-access.js'

const browser = await launchChromium(t)

/** A page that asks whether there are HTML elements of users would be fooled by its own; so it counts those that the page never has. */
const strangers = (page: Page) => page.locator('main :is(img, script, iframe, style, b)').count()

t.test(
  'a live call is listed; its view shows the parties, the metadata and the timeline, also after its end',
  async t => {
    const nodes = await startNodes(t)
    const [alice, bob] = [await nodes.client('alice'), await nodes.client('bob', 'laptop')]
    const events = bob.events('sse')
    await events.next()
    await alice.post('/calls', { to: 'bob', callId: 'call-1', metadata: { topic: 'lunch' } })
    const page = await openSignedIn(t, browser, nodes.adminUrl)
    const listed = row(page.getByRole('table', { name: 'Live calls' }), 'call-1')
    await listed.waitFor()
    t.match(await listed.innerText(), /ringing[\s\S]*alice \(phone\)[\s\S]*bob/)
    await bob.post('/calls/call-1/accept')
    await listed.getByText('bob (laptop)').waitFor()

    await listed.getByRole('link', { name: 'call-1' }).click()
    await page.getByText('"topic": "lunch"').waitFor()
    const timeline = page.getByRole('table', { name: 'Timeline' })
    await row(timeline, 'accepts').waitFor()
    await alice.post('/calls/call-1/hangup')
    await row(timeline, 'ends: hangup').waitFor()
    t.match(await row(timeline, 'ends: hangup').innerText(), 'alice (phone)')
    t.match(await page.getByRole('region', { name: 'Call' }).innerText(), /State\s+ended[\s\S]*Reason\s+hangup/)

    await show(page, 'Calls')
    await page.getByText('No call lives now.').waitFor()
    const find = page.getByLabel('Call by its id')
    await find.fill('no-such-call')
    await find.press('Enter')
    await page.getByRole('alert').filter({ hasText: 'call_not_found' }).waitFor()
    await show(page, 'Calls')
    await find.fill('call-1')
    await find.press('Enter')
    await row(timeline, 'ends: hangup').waitFor()
    t.equal(await page.getByRole('alert').filter({ hasText: 'call_not_found' }).count(), 0)
  }
)

t.test('an open room is listed, and its view shows who is in it', async t => {
  const nodes = await startNodes(t)
  const [alice, bob] = [await nodes.client('alice'), await nodes.client('bob')]
  for (const client of [alice, bob]) await client.post('/rooms/lobby/participants')
  const page = await openSignedIn(t, browser, `${nodes.adminUrl}/#rooms`)
  await row(page.getByRole('table', { name: 'Open rooms' }), 'lobby')
    .getByRole('link')
    .click()
  const people = page.getByRole('table', { name: 'Participants' })
  await row(people, 'bob (phone)').waitFor()
  t.match(await row(people, 'alice (phone)').innerText(), /host[\s\S]*connected/)
  await page.goBack()
  await page.getByRole('heading', { name: 'Open rooms' }).waitFor()
  t.equal(await page.evaluate(() => document.activeElement?.textContent), 'Open rooms', 'the focus follows')
})

t.test('ids and metadata of users are never HTML, and lead to the right view', async t => {
  const nodes = await startNodes(t)
  const markup = '<img src=x onerror=alert(1)>'
  const roomId = `a/b?c#d%2F"'&amp;${markup}`
  const users = [`<script>alert(2)</script>`, `\u202Ecte'"><b>`, '😀'.repeat(63), 'constructor']
  for (const user of users) {
    const client = await nodes.client(user, '<iframe src="javascript:alert(3)">')
    const metadata = { [markup]: `</td></table>${markup}`, url: 'javascript:alert(4)' }
    await client.post(`/rooms/${encodeURIComponent(roomId)}/participants`, { metadata })
  }
  const page = await openSignedIn(t, browser, `${nodes.adminUrl}/#rooms`)
  page.on('dialog', dialog => t.fail(dialog.message()))
  page.on('console', message => t.notMatch(message.text(), /TrustedHTML|Content Security Policy/))
  await page.getByRole('link', { name: roomId, exact: true }).click()
  const people = page.getByRole('table', { name: 'Participants' })
  await row(people, users[3] ?? '').waitFor()
  t.equal(await people.getByRole('row').count(), 1 + users.length)
  for (const user of users) t.ok((await people.innerText()).includes(user), user)
  t.equal(await strangers(page), 0)
  await page.setViewportSize({ width: 320, height: 800 })
  t.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 320, 'long ids are broken')
  await page.reload()
  await row(people, users[3] ?? '').waitFor()

  for (const hash of ['%', 'nothing', 'rooms/%E0%A4%A', 'calls/..%2F..%2Fmetrics', 'rooms//']) {
    await page.goto(`${nodes.adminUrl}/#${hash}`)
    await page.getByRole('heading', { level: 2 }).waitFor()
  }
})

t.test('many rooms are shown in pages', async t => {
  const nodes = await startNodes(t)
  const names = Array.from({ length: 70 }, (_, n) => `room-${n}`)
  for (const name of names) await (await nodes.client(`user-of-${name}`)).post(`/rooms/${name}/participants`)
  const page = await openSignedIn(t, browser, `${nodes.adminUrl}/#rooms`)
  const table = page.getByRole('table', { name: 'Open rooms' })
  const pages = page.getByRole('navigation', { name: 'Pages of Open rooms' })
  const seen = async () => (await table.getByRole('link').allTextContents()).filter(text => text.startsWith('room-'))
  await pages.getByText('Page 1').waitFor()
  const first = await seen()
  await pages.getByRole('button', { name: 'Next page' }).click()
  await pages.getByText('Page 2').waitFor()
  await reread(page, '/rooms')
  await pages.getByText('Page 2').waitFor()
  const second = await seen()
  t.strictSame(new Set([...first, ...second]), new Set(names))
  t.ok(first.length < names.length && second.length < names.length)
  await pages.getByRole('button', { name: 'Previous page' }).click()
  await pages.getByText('Page 1').waitFor()
  t.strictSame(await seen(), first)
})

t.test('reading again changes nothing that is the same, and keeps the focus; a switch stops it', async t => {
  const nodes = await startNodes(t)
  for (const name of ['one', 'two']) await (await nodes.client(name)).post(`/rooms/${name}/participants`)
  const page = await openSignedIn(t, browser, `${nodes.adminUrl}/#rooms`)
  const table = page.getByRole('table', { name: 'Open rooms' })
  await row(table, 'two').getByRole('link').focus()
  t.equal(await changesOf(page, table, '/rooms'), 0)
  await (await nodes.client('three')).post('/rooms/three/participants')
  await row(table, 'three').waitFor()
  t.equal(await page.evaluate(() => document.activeElement?.textContent), 'two')
  await (await nodes.client('guest')).post('/rooms/two/participants')
  await row(table, 'two').getByText('2', { exact: true }).waitFor()
  t.equal(await page.evaluate(() => document.activeElement?.textContent), 'two')

  const live = page.getByRole('button', { name: 'Refresh by itself' })
  await live.click()
  let requests = 0
  page.on('request', () => requests++)
  await page.clock.install()
  await page.clock.runFor(60_000)
  t.equal(requests, 0)
  await live.click()
  await page.waitForResponse(reply => reply.url().includes('/v1/admin/rooms'))
})

t.test(
  'everything has a name, works by keyboard, and is readable in both colour schemes and on narrow screens',
  async t => {
    const nodes = await startNodes(t)
    await (await nodes.client('alice')).post('/rooms/lobby/participants')
    const page = await openSignedIn(t, browser, nodes.adminUrl)
    await page.getByText('No call lives now.').waitFor()
    const press = async (name: string) => {
      for (let presses = 0; presses < 40; presses++) {
        await page.keyboard.press('Tab')
        if ((await page.evaluate(() => document.activeElement?.textContent)) === name)
          return page.keyboard.press('Enter')
      }
      throw new Error(`Tab does not lead to ${name}`)
    }
    await press('Rooms')
    await page.getByRole('heading', { name: 'Open rooms' }).waitFor()
    await press('lobby')
    await row(page.getByRole('table', { name: 'Participants' }), 'alice').waitFor()
    t.strictSame(unnamed(await page.locator('body').ariaSnapshot()), [])
    await checkLooks(t, page)
    await page.setViewportSize({ width: 320, height: 800 })
    t.match(
      await page.getByRole('table', { name: 'Participants' }).ariaSnapshot(),
      /- cell "Participant alice \(phone\)"/,
      'still a table'
    )
    for (const view of ['Calls', 'Rooms', 'Webhooks']) {
      await show(page, view)
      await page.getByText(/^As of/).waitFor()
      t.strictSame(unnamed(await page.locator('body').ariaSnapshot()), [], view)
      t.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 320, view)
    }
  }
)

t.test('a call to several users shows whom it rings, and what became of each', async t => {
  const nodes = await startNodes(t)
  const [alice, bob, carol] = [await nodes.client('alice'), await nodes.client('bob'), await nodes.client('carol')]
  for (const each of [bob, carol]) await each.events('sse').next()
  await alice.post('/calls', { to: ['bob', 'carol'], callId: 'call-1' })
  const page = await openSignedIn(t, browser, nodes.adminUrl)
  const listed = row(page.getByRole('table', { name: 'Live calls' }), 'call-1')
  await listed.getByText('bob, carol').waitFor()
  await bob.post('/calls/call-1/reject')
  await listed.getByRole('link', { name: 'call-1', exact: true }).click()
  await page.getByText(/bob: ended, declined\s+carol: ringing/).waitFor()
  await row(page.getByRole('table', { name: 'Timeline' }), 'is not called any more: declined').waitFor()
  await carol.post('/calls/call-1/accept')
  await page.getByText('carol (phone): answered').waitFor()
})
