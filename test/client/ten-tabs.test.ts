// Ten tabs over HTTP/1.1, where a browser opens at most six connections to a host: sharing one stream, and without sharing.
import t from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { until } from '../helpers/until.js'
import { Caller, streamsIn } from './fixture.js'
import { CoreTab, openTabs, startTabs } from './tabs-fixture.js'

const TABS = 10
const CONNECTIONS_MAX = 6
const REQUESTS = 20
/** A request without a connection waits for ever. */
const GIVE_UP_MS = 5000

const browser = await launchChromium(t)

t.test('ten tabs share one stream, and each of them can send requests', async t => {
  const context = await browser.newContext()
  t.teardown(() => context.close())
  const setup = await startTabs(t, () => context.newPage())
  const tabs = await openTabs(setup, TABS)
  const caller = await Caller.call(t, setup.nodeUrl)
  await caller.send(10)
  for (const tab of tabs) await tab.receivesAll(t, caller.sent)
  t.strictSame([setup.proxy.openStreams, streamsIn(setup.proxy).length], [1, 1], 'one stream, opened once')
  const times: number[] = []
  for (const tab of tabs) times.push(...(await tab.run<number[]>(TIME_REQUESTS)))
  const all = await Promise.all(tabs.map(tab => tab.run<number[]>(TIME_REQUESTS)))
  t.comment(
    `ten tabs that share: a request takes ${medianOf(times)} ms; in all tabs at once ${medianOf(all.flat())} ms`
  )
  t.ok(setup.proxy.most <= CONNECTIONS_MAX, `at most ${setup.proxy.most} connections`)
})

t.test('ten tabs that do not share use up the connections', async t => {
  const context = await browser.newContext()
  t.teardown(() => context.close())
  const { origin, proxy } = await startTabs(t, () => context.newPage())
  for (let i = 0; i < TABS; i++)
    await new CoreTab(await context.newPage()).open(origin, proxy.url, { tabs: false, device: `tab ${i}` })
  await until('every connection is a stream', () => proxy.openStreams === CONNECTIONS_MAX)
  const [first] = context.pages()
  const outcome = await first?.evaluate(`(async () => {
    const giveUp = AbortSignal.timeout(${GIVE_UP_MS})
    return core.request('GET', '/calls', undefined, { signal: giveUp }).then(() => 'a reply', ({ code }) => code)
  })()`)
  t.equal(outcome, 'aborted')
  t.comment(
    `ten tabs that do not share: ${CONNECTIONS_MAX} have a stream; a request has no reply after ${GIVE_UP_MS} ms`
  )
})

/** One after the other, in ms. */
const TIME_REQUESTS = `
  const times = []
  for (let i = 0; i < ${REQUESTS}; i++) {
    const before = performance.now()
    await core.request('GET', '/calls')
    times.push(performance.now() - before)
  }
  return times`

const medianOf = (times: number[]) => (times.sort((a, b) => a - b)[times.length >> 1] ?? 0).toFixed(1)
