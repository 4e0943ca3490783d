// What an operator does in the operator view: each change asks first and says what it does, and to whom.
import type { Page } from 'playwright-core'
import t from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { ChatService } from '../helpers/chat-service.js'
import { type Nodes, openSignedIn, row, startNodes } from './operator-page.js'

const browser = await launchChromium(t)
const dialogOf = (page: Page) => page.getByRole('dialog')

/** Answers no first, and nothing happens; then yes. Resolves to what was asked. */
async function confirm(page: Page, begin: () => Promise<void>, label: string): Promise<string> {
  await begin()
  await dialogOf(page).getByRole('button', { name: 'Cancel' }).click()
  await begin()
  const text = (await dialogOf(page).innerText()).replace(/\s+/g, ' ')
  await dialogOf(page).getByRole('button', { name: label }).click()
  await dialogOf(page).waitFor({ state: 'detached' })
  return text
}

const done = (page: Page, text: string) => page.getByRole('status').filter({ hasText: text }).waitFor()

async function startCall(nodes: Nodes, callId: string) {
  const [alice, bob] = [await nodes.client(`alice of ${callId}`), await nodes.client('bob', callId)]
  const events = bob.events('sse')
  await events.next()
  await alice.post('/calls', { to: 'bob', callId })
  return events
}

t.test('a call is ended from the list, and from its view', async t => {
  const nodes = await startNodes(t, { MAX_CALLS_PER_USER: '2' })
  const events = await startCall(nodes, '<b>one</b>')
  await startCall(nodes, 'two')
  const page = await openSignedIn(t, browser, nodes.adminUrl)
  const calls = page.getByRole('table', { name: 'Live calls' })
  const end = row(calls, '<b>one</b>').getByRole('button', { name: 'End call <b>one</b>' })
  t.match(
    await confirm(page, () => end.click(), 'End call'),
    'Call <b>one</b> of alice of <b>one</b> and bob ends at once. Their devices learn that the server has ended it.'
  )
  await done(page, 'The call has ended.')
  await row(calls, '<b>one</b>').waitFor({ state: 'detached' })
  for await (const { type, data } of events) {
    if (type !== 'call.ended') continue
    t.match(data, { callId: '<b>one</b>', reason: 'server' })
    break
  }
  await row(calls, 'two').getByRole('link', { name: 'two', exact: true }).click()
  await confirm(page, () => page.getByRole('button', { name: 'End call' }).click(), 'End call')
  await row(page.getByRole('table', { name: 'Timeline' }), 'ends: server').waitFor()
  t.equal(await page.getByRole('button', { name: 'End call' }).count(), 0)
})

t.test('a participant is removed, a user is banned, and a room is closed', async t => {
  const nodes = await startNodes(t)
  const join = async (user: string, room = 'lobby') => (await nodes.client(user)).post(`/rooms/${room}/participants`)
  for (const user of ['alice', 'bob', 'carol']) await join(user)
  const page = await openSignedIn(t, browser, `${nodes.adminUrl}/#rooms/lobby`)
  const people = page.getByRole('table', { name: 'Participants' })
  const act = (name: string) => () => page.getByRole('button', { name, exact: true }).click()
  t.match(
    await confirm(page, act('Remove bob (phone)'), 'Remove participant'),
    'bob leaves room lobby with the device phone. The user may join again.'
  )
  await row(people, 'bob').waitFor({ state: 'detached' })
  await join('bob')
  await row(people, 'bob').waitFor()
  t.match(
    await confirm(page, act('Ban bob'), 'Ban user'),
    'bob leaves room lobby with all devices, and cannot enter it again until the ban is lifted.'
  )
  await row(people, 'bob').waitFor({ state: 'detached' })
  await t.rejects(join('bob'), { code: 'banned' })

  t.match(await confirm(page, act('Close room'), 'Close room'), 'Everyone leaves room lobby at once')
  await done(page, 'The room is closed.')
  await page.getByRole('link', { name: 'All open rooms' }).click()
  await page.getByText('No room is open now.').waitFor()
  await join('carol', 'other')
  await confirm(page, act('Close room other'), 'Close room')
  await row(page, 'other').waitFor({ state: 'detached' })
})

t.test('messages that the chat service refused are read, replayed and deleted', async t => {
  const service = await ChatService.open()
  t.teardown(() => service.close())
  const nodes = await startNodes(t, { CHAT_SERVICE_URL: service.url })
  const alice = await nodes.client('alice')
  await alice.post('/rooms/lobby/participants')
  for (const n of [1, 2]) await alice.post('/rooms/lobby/messages', { messageId: `m${n}`, content: `spam <b>${n}</b>` })
  const page = await openSignedIn(t, browser, `${nodes.adminUrl}/#chat`)
  const letters = page.getByRole('table', { name: 'Dead letters' })
  await row(letters, 'm2').waitFor()
  await row(letters, 'm1').getByRole('button', { name: 'Look at message m1 of room lobby' }).click()
  t.match(JSON.parse(await dialogOf(page).locator('pre').innerText()), { message: { content: 'spam <b>1</b>' } })
  await page.keyboard.press('Escape')
  await row(letters, 'm1')
    .getByRole('button', { name: /^Replay/ })
    .click()
  await page.getByRole('alert').filter({ hasText: 'chat_service_refused' }).waitFor()
  await confirm(page, () => page.getByRole('button', { name: 'Replay all' }).click(), 'Replay all')
  await done(page, '0 messages sent again, 2 refused.')
  t.match(
    await confirm(
      page,
      () =>
        row(letters, 'm1')
          .getByRole('button', { name: /^Delete/ })
          .click(),
      'Delete'
    ),
    'The message m1 of room lobby is never sent, and this letter cannot be read again.'
  )
  await row(letters, 'm1').waitFor({ state: 'detached' })
  await row(letters, 'm2').waitFor()
})

t.test('a node is drained, and takes clients again', async t => {
  const nodes = await startNodes(t, { DRAIN_SETTLE_MS: '0', DRAIN_WINDOW_MS: '0' }, 2)
  const events = (await nodes.client('alice')).events('sse')
  await events.next()
  const page = await openSignedIn(t, browser, `${nodes.adminUrl}/#nodes`)
  const list = page.getByRole('table', { name: 'Nodes' })
  await list.getByText('ready').nth(1).waitFor()
  const own = row(list, 'answers this page')
  await own
    .getByRole('cell', { name: 'Streams 1' })
    .or(own.getByRole('cell', { name: '1', exact: true }))
    .waitFor()
  t.match(
    await confirm(page, () => own.getByRole('button', { name: /^Drain/ }).click(), 'Drain'),
    /Node \S+ on \S+ gets no new clients/
  )
  await own.getByText('drained').waitFor()
  await list.getByText('ready').waitFor()
  t.equal((await fetch(`${nodes.urls[0]}/readyz`)).status, 503)
  t.match((await events.next()).value, { type: 'reconnect' })
  await own.getByRole('button', { name: /^Resume/ }).click()
  await list.getByText('ready').nth(1).waitFor()
  t.equal((await fetch(`${nodes.urls[0]}/readyz`)).status, 200)
})
