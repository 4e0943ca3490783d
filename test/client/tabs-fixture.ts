// Tabs of one browser with the core of the SDK, on one node behind a proxy that speaks HTTP/1.1.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { until } from '../helpers/until.js'
import type { BrowserPage } from './browser-user.js'
import { startProxiedNode, TIMES, tokenOf } from './fixture.js'
import { servePages } from './pages.js'
import type { ClientProxy } from './proxy.js'

/** Tabs of one browser start slowly on a busy machine. */
const WITHIN_MS = 60_000

export interface TabOptions {
  readonly user?: string
  readonly tabs?: boolean
  readonly device?: string
  readonly transport?: 'poll'
  /** Messages of other tabs arrive this much later, as on a busy machine: a lock may arrive before them. */
  readonly messageDelayMs?: number
}

export class CoreTab {
  readonly page: BrowserPage

  constructor(page: BrowserPage) {
    this.page = page
  }

  /** Opens the page and begins to connect. */
  async open(
    origin: string,
    url: string,
    { user = 'bob', messageDelayMs = 0, ...options }: TabOptions = {}
  ): Promise<this> {
    await this.page.goto(origin)
    if (messageDelayMs > 0) await this.#delayMessages(messageDelayMs)
    await this.run(`
      const { SignalpostCore } = await import('/client/core.js')
      const [url, token, options] = ${JSON.stringify([url, await tokenOf(user), { times: TIMES, ...options }])}
      globalThis.core = new SignalpostCore({ url, token: () => token, ...options })
      globalThis.seen = { numbers: [], own: [], closed: [], resets: 0, states: [] }
      core.on('call.message', ({ content }) => seen.numbers.push(Number(content)))
      core.on('own', act => seen.own.push(act))
      core.on('closed', ({ reason }) => seen.closed.push(reason))
      core.on('reset', () => seen.resets++)
      core.on('connection', state => seen.states.push(state))
      void core.connect()`)
    return this
  }

  async #delayMessages(ms: number): Promise<void> {
    await this.run(`
      const { set } = Object.getOwnPropertyDescriptor(BroadcastChannel.prototype, 'onmessage')
      Object.defineProperty(BroadcastChannel.prototype, 'onmessage', {
        set(listener) { set.call(this, event => setTimeout(() => listener(event), ${ms})) }
      })`)
  }

  run<T>(script: string): Promise<T> {
    return this.page.evaluate(`(async () => { ${script} })()`) as Promise<T>
  }

  async reaches(state: string): Promise<void> {
    await until(`the tab is ${state}`, async () => (await this.run('return core.connection')) === state, WITHIN_MS)
  }

  async sees(what: 'own' | 'closed', values: readonly unknown[]): Promise<void> {
    const wanted = JSON.stringify(values)
    await until(`${what} is ${wanted}`, async () => JSON.stringify(await this.run(`return seen.${what}`)) === wanted)
  }

  /** It has received each message up to this one once, in order. */
  async receivesAll(t: Test, last: number): Promise<void> {
    const numbers = () => this.run<number[]>('return seen.numbers')
    await until(`message ${last} arrives`, async () => (await numbers()).at(-1) === last, WITHIN_MS)
    const expected = Array.from({ length: last }, (_, i) => i + 1)
    t.strictSame([await numbers(), await this.run('return seen.resets')], [expected, 0], 'each message once, in order')
  }
}

export interface TabsSetup {
  readonly origin: string
  /** Of the node itself. */
  readonly nodeUrl: string
  readonly proxy: ClientProxy
  openTab(options?: TabOptions): Promise<CoreTab>
}

/** `newPage` opens a page in one browser, with the storage of the others. */
export async function startTabs(
  t: Test,
  newPage: () => Promise<BrowserPage>,
  env: Record<string, string> = {}
): Promise<TabsSetup> {
  const origin = await servePages(t)
  const { node, proxy } = await startProxiedNode(t, { CORS_ORIGINS: origin, HEARTBEAT_MS: '2000', ...env })
  return {
    origin,
    nodeUrl: node.url,
    proxy,
    openTab: async options => new CoreTab(await newPage()).open(origin, proxy.url, options)
  }
}

export async function openTabs({ openTab }: TabsSetup, count: number, options: TabOptions = {}): Promise<CoreTab[]> {
  const tabs: CoreTab[] = []
  for (let i = 0; i < count; i++) {
    const tab = await openTab(options)
    // In this order they become the leader.
    await tab.reaches('live')
    tabs.push(tab)
  }
  return tabs
}

/** Replies to no request until it is released: a page that waits for it with a synchronous request hangs. */
export async function startHangingServer(t: Test) {
  const waiting: ServerResponse[] = []
  const server = createServer((_request, response) => {
    waiting.push(response.setHeader('access-control-allow-origin', '*'))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const release = () => {
    for (const response of waiting.splice(0)) response.end()
  }
  t.teardown(() => {
    release()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    release,
    hangs: () => waiting.length > 0
  }
}
