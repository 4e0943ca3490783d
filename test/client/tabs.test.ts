// All tabs of a browser share one connection, whatever becomes of the tab that has it.
import type { BrowserContext, CDPSession, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { until } from '../helpers/until.js'
import { Caller, streamsIn } from './fixture.js'
import { CoreTab, openTabs, startHangingServer, startTabs } from './tabs-fixture.js'

const browser = await launchChromium(t)

/** Tabs of one user of the browser. */
async function startUser(t: Test, env: Record<string, string> = {}) {
  const context = await browser.newContext()
  t.teardown(() => context.close())
  return { context, ...(await startTabs(t, () => context.newPage(), env)) }
}

const cdpOf = (context: BrowserContext, tab: CoreTab): Promise<CDPSession> => context.newCDPSession(tab.page as Page)

/** Three tabs; the first one is the leader, the others come after it in order. Bob's phone rings, and alice can send messages. */
async function startThree(t: Test, env: Record<string, string> = {}) {
  const user = await startUser(t, env)
  const tabs = (await openTabs(user, 3)) as [CoreTab, CoreTab, CoreTab]
  const caller = await Caller.call(t, user.nodeUrl)
  await caller.send(3)
  for (const tab of tabs) await tab.receivesAll(t, caller.sent)
  return { ...user, tabs, caller }
}

t.test('when the leader is closed, the next tab goes on without a gap', async t => {
  const { tabs, caller, proxy } = await startThree(t)
  const [leader, ...others] = tabs
  const sending = caller.send(30)
  await leader.page.close()
  await sending
  for (const tab of others) await tab.receivesAll(t, caller.sent)
  t.equal(streamsIn(proxy).length, 2)
})

t.test('when the leader crashes, the next tab goes on without a gap', async t => {
  const { context, tabs, caller, proxy } = await startThree(t)
  const [leader, ...others] = tabs
  const sending = caller.send(30)
  const cdp = await cdpOf(context, leader)
  const crashed = new Promise(resolve => (leader.page as Page).once('crash', resolve))
  // It is never answered.
  cdp.send('Page.crash').catch(() => {})
  await crashed
  await sending
  for (const tab of others) await tab.receivesAll(t, caller.sent)
  t.equal(proxy.openStreams, 1)
})

t.test('when the leader is frozen, the next tab goes on; when it wakes, it catches up', async t => {
  const { context, tabs, caller, proxy } = await startThree(t)
  const [leader, ...others] = tabs
  const cdp = await cdpOf(context, leader)
  await cdp.send('Page.setWebLifecycleState', { state: 'frozen' })
  await caller.send(10)
  for (const tab of others) await tab.receivesAll(t, caller.sent)
  await cdp.send('Page.setWebLifecycleState', { state: 'active' })
  await leader.receivesAll(t, caller.sent)
  await caller.send(3)
  for (const tab of tabs) await tab.receivesAll(t, caller.sent)
  t.equal(proxy.openStreams, 1)
})

t.test('when the leader hangs, another tab takes its place; afterwards it follows', async t => {
  const { tabs, caller, proxy } = await startThree(t)
  const [leader, ...others] = tabs
  const { url, release, hangs } = await startHangingServer(t)
  const hanging = leader.run(`
    const request = new XMLHttpRequest()
    request.open('GET', '${url}', false)
    request.send()`)
  await until('it hangs', hangs)
  await caller.send(5)
  for (const tab of others) await tab.receivesAll(t, caller.sent)
  release()
  await hanging
  await caller.send(5)
  for (const tab of tabs) await tab.receivesAll(t, caller.sent)
  for (const tab of tabs) await tab.sees('closed', [])
  t.equal(proxy.openStreams, 1)
})

t.test('without a network all tabs are offline, and come back with it', async t => {
  const { context, tabs, caller } = await startThree(t)
  await context.setOffline(true)
  for (const tab of tabs) await tab.reaches('offline')
  await caller.send(3)
  const [, follower] = tabs
  const request = follower.run('return core.request("GET", "/calls")')
  await context.setOffline(false)
  for (const tab of tabs) {
    await tab.reaches('live')
    await tab.receivesAll(t, caller.sent)
  }
  t.match(await request, { calls: [{ callId: caller.callId }] }, 'a request that was sent offline is done')
})

t.test('a stream that is held back is replaced by polls, for all tabs', async t => {
  const { tabs, caller, proxy } = await startThree(t)
  proxy.holdStreams(true)
  proxy.cut()
  for (const tab of tabs) await tab.reaches('polling')
  await caller.send(3)
  for (const tab of tabs) await tab.receivesAll(t, caller.sent)
})

t.test('a reset reaches all tabs, with one snapshot', async t => {
  const { tabs, caller, proxy, nodeUrl } = await startThree(t, { MAILBOX_MAX_EVENTS: '10' })
  const snapshots = () => proxy.heads.filter(head => head.startsWith('get /v1/snapshot ')).length
  const before = snapshots()
  proxy.refuse()
  await caller.send(100)
  proxy.passTo(nodeUrl)
  for (const tab of tabs) await until('it is reset', async () => (await tab.run('return seen.resets')) === 1)
  await caller.send()
  for (const tab of tabs)
    await until('events follow', async () => (await tab.run('return seen.numbers.at(-1)')) === caller.sent)
  t.equal(snapshots(), before + 1)
})

t.test('a tab that was away for more events than the leader keeps is reset alone', async t => {
  const { tabs, caller } = await startThree(t)
  const [leader, follower] = tabs
  await follower.run(`dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))`)
  await caller.send(70)
  await leader.receivesAll(t, caller.sent)
  await follower.run(`dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))`)
  await until('it is reset', async () => (await follower.run('return seen.resets')) === 1)
  await caller.send()
  await leader.receivesAll(t, caller.sent)
  await until('events follow', async () => (await follower.run('return seen.numbers.at(-1)')) === caller.sent)
})

t.test('what a tab shares arrives at the others', async t => {
  const { tabs } = await startThree(t)
  const [first, second, third] = tabs
  await second.run('core.share({ accepted: "c1" })')
  await first.sees('own', [{ accepted: 'c1' }])
  await third.sees('own', [{ accepted: 'c1' }])
  await second.sees('own', [])
})

t.test('a tab that closes its client leaves the others; one that signs off ends all', async t => {
  const { tabs, caller, proxy } = await startThree(t)
  const [first, second, third] = tabs
  await first.run('await core.close()')
  await caller.send(3)
  await second.receivesAll(t, caller.sent)
  await third.receivesAll(t, caller.sent)
  await third.run('await core.close({ signOff: true })')
  await second.sees('closed', ['signed_off'])
  await until('the stream is closed', () => proxy.openStreams === 0)
})

for (const [state, options] of [
  ['live', {}],
  ['polling', { transport: 'poll' }]
] as const) {
  t.test(`another browser with the same device ends all tabs, which stay away: ${state}`, async t => {
    const { openTab, origin, proxy } = await startUser(t)
    const tabs = []
    for (const messageDelayMs of [0, 200]) {
      const tab = await openTab({ device: 'the same', messageDelayMs, ...options })
      await tab.reaches(state)
      tabs.push(tab)
    }
    const context = await browser.newContext()
    t.teardown(() => context.close())
    const other = await new CoreTab(await context.newPage()).open(origin, proxy.url, { device: 'the same', ...options })
    for (const tab of tabs) await tab.sees('closed', ['superseded'])
    await other.reaches(state)
  })
}

t.test('tabs of different users do not share', async t => {
  const user = await startUser(t)
  const [bob] = await openTabs(user, 1)
  const [carol] = await openTabs(user, 1, { user: 'carol' })
  t.equal(user.proxy.openStreams, 2)
  t.strictSame([await bob?.run('return core.user'), await carol?.run('return core.user')], ['bob', 'carol'])
})
