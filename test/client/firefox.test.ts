// The core in Firefox: one connection for all tabs, long-poll, requests.
import t, { type Test } from 'tap'
import { launchFirefox } from '../browser/firefox.js'
import { Caller, streamsIn } from './fixture.js'
import { type CoreTab, openTabs, startTabs } from './tabs-fixture.js'

const browser = await launchFirefox(t)

/** The tabs of one test have a profile of their own. */
async function startUser(t: Test) {
  const context = await browser.createBrowserContext()
  t.teardown(() => context.close())
  return startTabs(t, () => context.newPage())
}

t.test('tabs share one stream, and go on without a gap when the leader is closed', async t => {
  const user = await startUser(t)
  const [leader, ...others] = (await openTabs(user, 3)) as [CoreTab, CoreTab, CoreTab]
  const caller = await Caller.call(t, user.nodeUrl)
  await caller.send(3)
  for (const tab of [leader, ...others]) await tab.receivesAll(t, caller.sent)
  t.equal(user.proxy.openStreams, 1)
  const sending = caller.send(20)
  await leader.page.close()
  await sending
  for (const tab of others) await tab.receivesAll(t, caller.sent)
  t.equal(user.proxy.openStreams, 1)
  t.match(await others[0].run('return core.request("GET", "/calls")'), { calls: [{ callId: caller.callId }] })
})

t.test('a page that is kept for the back button hands over, and catches up when it comes back', async t => {
  const user = await startUser(t)
  const [leader, follower] = (await openTabs(user, 2)) as [CoreTab, CoreTab]
  const caller = await Caller.call(t, user.nodeUrl)
  await leader.run(`dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))`)
  await caller.send(5)
  await follower.receivesAll(t, caller.sent)
  await leader.run(`dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))`)
  await leader.receivesAll(t, caller.sent)
  t.equal(streamsIn(user.proxy).length, 2)
})

t.test('a stream that is held back is replaced by polls, and comes back', async t => {
  const user = await startUser(t)
  user.proxy.holdStreams(true)
  const tab = await user.openTab()
  await tab.reaches('polling')
  const caller = await Caller.call(t, user.nodeUrl)
  await caller.send(3)
  await tab.receivesAll(t, caller.sent)
  user.proxy.holdStreams(false)
  await caller.send()
  await tab.reaches('live')
  await caller.send(3)
  await tab.receivesAll(t, caller.sent)
})

t.test('when all connections break, the stream resumes', async t => {
  const user = await startUser(t)
  const tab = await user.openTab()
  await tab.reaches('live')
  const caller = await Caller.call(t, user.nodeUrl)
  user.proxy.refuse()
  await caller.send(3)
  user.proxy.passTo(user.nodeUrl)
  await tab.receivesAll(t, caller.sent)
})
