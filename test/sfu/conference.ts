// Nodes, media services and browsers of one conference. Everything is ended after the test.
import type { Browser } from 'playwright-core'
import type { Test } from 'tap'
import { createToken } from '../../src/development.js'
import { launchChromium } from '../browser/chromium.js'
import { type ConnectedTab, openTab, type Pages, servePages } from '../browser/pages.js'
import { type Program, run } from '../helpers/child-process.js'
import { Fleet } from '../helpers/fleet.js'
import { type MediaExample, startMediaExample } from '../helpers/media-example.js'
import { freePort } from '../helpers/redis.js'
import { ConferenceTab, type Pictures } from './conference-tab.js'
import { FirefoxTab } from './firefox-tab.js'

const ROOM = 'standup'
const SERVICES = 2
const VIEWER_WITHIN_MS = 60_000
const MEDIA_SERVICE_SECRET = 'a secret of the media service and of Signalpost'

type Act = (tab: ConferenceTab, others: string[], user: string) => unknown

interface Parts {
  readonly t: Test
  readonly fleet: Fleet
  readonly pages: Pages
  readonly browser: Browser
  readonly ports: readonly number[]
  readonly listenIp: string
}

export class Conference {
  /** Who is in, by user. */
  readonly tabs = new Map<string, ConferenceTab>()
  readonly #parts: Parts
  readonly #joined: (ConnectedTab<ConferenceTab> & { readonly node: number })[] = []
  #services: MediaExample[] = []

  /** Two nodes, and media services that run. `listenIp`: where these receive media. */
  static async open(t: Test, { listenIp = '127.0.0.1' } = {}): Promise<Conference> {
    const pages = await servePages(t)
    const ports = await Promise.all(Array.from({ length: SERVICES }, freePort))
    const fleet = await Fleet.launch(2, undefined, {
      CORS_ORIGINS: pages.origin,
      MEDIA_SERVICE_URLS: ports.map(port => `http://127.0.0.1:${port}`).join(),
      MEDIA_SERVICE_SECRET
    })
    t.teardown(() => fleet.stop())
    const browser = await launchChromium(t)
    const conference = new Conference({ t, fleet, pages, ports, listenIp, browser })
    await conference.startServices()
    return conference
  }

  private constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Starts those that do not run, on the ports that the nodes know. */
  async startServices(): Promise<void> {
    const { t, fleet, ports, listenIp } = this.#parts
    const running = this.#services.map(({ url }) => Number(new URL(url).port))
    const SIGNALPOST_URLS = `${fleet.urlOf(0)},${fleet.urlOf(1)}`
    const missing = ports.filter(port => !running.includes(port))
    const env = { SIGNALPOST_URLS, MEDIA_SERVICE_SECRET, LISTEN_IP: listenIp }
    const started = await Promise.all(missing.map(port => startMediaExample(t, { ...env, PORT: String(port) })))
    this.#services.push(...started)
  }

  /** The media service that has the session of the room. */
  async serviceOfRoom(): Promise<MediaExample> {
    const headers = { authorization: `Bearer ${MEDIA_SERVICE_SECRET}` }
    for (const service of this.#services) {
      const health = (await (await fetch(`${service.url}/health`, { headers })).json()) as { sessions: number }
      if (health.sessions > 0) return service
    }
    throw new Error('no media service has a session')
  }

  async killServices(): Promise<void> {
    await Promise.all(this.#services.map(service => this.killService(service)))
  }

  async killService(service: MediaExample): Promise<void> {
    this.#services = this.#services.filter(each => each !== service)
    service.program.signal('SIGKILL')
    await service.program.waitForExit()
  }

  /** Its browsers are led to the other node, as a load balancer does. */
  async killNode(node: number): Promise<void> {
    await this.#parts.fleet.kill(node)
    for (const each of this.#joined) if (each.node === node) each.gate.leadTo(this.#parts.fleet.urlOf(1 - node))
  }

  /** Opens the page of the user, which joins through this node. */
  async join(user: string, node: number): Promise<ConnectedTab<ConferenceTab>> {
    const { t, fleet, browser } = this.#parts
    const joined = await openTab(t, fleet.urlOf(node), async gate =>
      ConferenceTab.open(t, browser, await this.#linkOf(user, gate.url))
    )
    this.tabs.set(user, joined.tab)
    this.#joined.push({ ...joined, node })
    return joined
  }

  /** The same in Firefox. The page is not among `tabs`. */
  async joinWithFirefox(user: string, node: number): Promise<FirefoxTab> {
    const { t, fleet } = this.#parts
    return FirefoxTab.open(t, await this.#linkOf(user, fleet.urlOf(node)))
  }

  async #linkOf(user: string, server: string): Promise<string> {
    const token = await createToken(Fleet.config, { user })
    return `${this.#parts.pages.origin}/room.html#room=${ROOM}&server=${server}&token=${token}`
  }

  /** Runs a program that joins as this user, and receives the pictures of all who are in. */
  async runViewer(command: string, args: readonly string[], user: string): Promise<Program> {
    const { t, fleet } = this.#parts
    const token = await createToken(Fleet.config, { user })
    const all = [...args, fleet.urlOf(1), ROOM, token, ...this.tabs.keys()]
    return run(t, command, all, { withinMs: VIEWER_WITHIN_MS })
  }

  /** For each who is in. */
  async all(act: Act): Promise<void> {
    const users = [...this.tabs.keys()]
    await Promise.all(
      [...this.tabs].map(([user, tab]) =>
        act(
          tab,
          users.filter(each => each !== user),
          user
        )
      )
    )
  }

  /** What each receives. */
  async pictures(): Promise<Map<string, Pictures>> {
    return new Map(await Promise.all([...this.tabs].map(async ([user, tab]) => [user, await tab.pictures()] as const)))
  }

  /** Seconds from the act until everyone receives everyone else on other tracks than before. */
  async secondsUntilRenewed(act: () => unknown): Promise<string> {
    const before = await this.pictures()
    const at = performance.now()
    await act()
    await this.all((tab, others, user) => tab.receives(others, before.get(user)))
    return ((performance.now() - at) / 1000).toFixed(1)
  }

  /** What the pages report as errors, and what they did not catch. */
  async failures(): Promise<string[]> {
    const lists = await Promise.all([...this.tabs.values()].map(tab => tab.failures()))
    const faults = [...this.tabs.values()].flatMap(tab => tab.faults.map(({ message }) => message))
    return [...lists.flat(), ...faults]
  }
}
