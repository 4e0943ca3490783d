// G9 on a real Cluster: a primary is killed under load. Every acknowledged event arrives, or its device gets a reset.
import t from 'tap'
import type { RedisStore } from '../../src/store/redis/redis.js'
import type { Cursor, StoredEvent, Wakeup } from '../../src/store/store.js'
import { startCluster } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { until } from '../helpers/until.js'

const DEVICES = 48
const AFTERWARDS = 20

/** Follows the tags of the events, as a subscription in delivery/ does, and reads the mailbox when an event is missing. */
class Reader {
  readonly seen = new Set<string>()
  resets = 0
  gaps = 0
  #cursor: Cursor
  #work: Promise<void> = Promise.resolve()
  readonly #store: RedisStore
  readonly #user: string

  constructor(store: RedisStore, user: string, cursor: Cursor) {
    this.#store = store
    this.#user = user
    this.#cursor = cursor
  }

  readonly receive = (wakeup: Wakeup): void => {
    if (wakeup.kind === 'gap') this.gaps++
    this.#work = this.#work.then(() => this.#follow(wakeup)).catch(() => {})
  }

  async finish(): Promise<void> {
    await this.#work
    await this.#catchUp()
  }

  async #follow(wakeup: Wakeup): Promise<void> {
    if (wakeup.kind !== 'event') return wakeup.kind === 'gap' ? this.#catchUp() : undefined
    const follows = wakeup.events[0]?.seq === this.#cursor.seq + 1 && wakeup.prevTag === this.#cursor.tag
    if (follows) for (const event of wakeup.events) this.#take(event)
    else await this.#catchUp()
  }

  async #catchUp(): Promise<void> {
    const options = { limit: 1_000, maxBytes: 1_048_576, now: Date.now() }
    const result = await this.#store.mailboxes.read(this.#user, 'phone', { from: this.#cursor, ...options })
    if (result.status === 'ok') for (const event of result.events) this.#take(event)
    if (result.status !== 'reset') return
    this.resets++
    this.#cursor = result.head
  }

  #take(event: StoredEvent): void {
    this.#cursor = event
    this.seen.add(event.envelope)
  }
}

/** Sends one event after the other until AFTERWARDS more have been sent since the Cluster recovered. */
class Writer {
  readonly acknowledged: string[] = []
  failures = 0
  hasRecovered = false
  #sent = 0
  readonly #store: RedisStore
  readonly #user: string

  constructor(store: RedisStore, user: string) {
    this.#store = store
    this.#user = user
  }

  async run(): Promise<void> {
    for (let left = AFTERWARDS; left > 0; ) {
      const envelope = JSON.stringify({ user: this.#user, n: ++this.#sent })
      try {
        const result = await this.#store.mailboxes.send(this.#user, {
          basis: null,
          device: 'phone',
          type: 'x',
          envelope,
          tag: `${this.#sent % 97}x`,
          now: Date.now()
        })
        if (result.status === 'online') this.acknowledged.push(envelope)
        if (this.hasRecovered) left--
      } catch (error) {
        if ((error as { code?: string }).code !== 'store_unavailable') throw error
        this.failures++
        await new Promise(setImmediate)
      }
    }
  }
}

t.test('after a primary is killed under load each device has all acknowledged events, or a reset', async t => {
  const cluster = await startCluster(3, 1)
  t.teardown(() => cluster.stop())
  const store = await openRedisStore(cluster.url, undefined, {
    mailboxMaxEvents: 1_000_000,
    mailboxMaxBytes: 1_073_741_824
  })
  t.teardown(() => store.close())
  const pairs = await Promise.all(
    Array.from({ length: DEVICES }, async (_, n) => {
      const user = `user-${n}`
      const birth = {
        now: Date.now(),
        tag: `birth${n}`,
        connection: 'c',
        claim: true,
        onlineUntil: Date.now() + 600_000
      }
      const touched = await store.mailboxes.touch(user, 'phone', birth)
      const reader = new Reader(store, user, touched?.head ?? { seq: 0, tag: '' })
      await store.wakeups.subscribe(user, reader.receive)
      return { reader, writer: new Writer(store, user) }
    })
  )
  const running = pairs.map(({ writer }) => writer.run())
  await until('all writers have sent', () => pairs.every(({ writer }) => writer.acknowledged.length > 20))
  await cluster.nodes[0]?.kill()
  await until('the store is unavailable', () => store.availableSince() === null)
  await until('the store is available', () => store.availableSince() !== null, 30_000)
  for (const { writer } of pairs) writer.hasRecovered = true
  await Promise.all(running)
  await until('subscribers have got a gap', () => pairs.filter(({ reader }) => reader.gaps > 0).length > 0)
  await Promise.all(pairs.map(({ reader }) => reader.finish()))
  const sum = (of: (pair: (typeof pairs)[number]) => number) => pairs.reduce((total, pair) => total + of(pair), 0)
  const lost = pairs.filter(({ reader, writer }) => writer.acknowledged.some(text => !reader.seen.has(text)))
  t.ok(sum(({ writer }) => writer.failures) > 0, 'writes failed meanwhile')
  t.strictSame(
    lost.filter(({ reader }) => reader.resets === 0).length,
    0,
    'no device has lost an event without a reset'
  )
  t.comment(
    `${sum(({ writer }) => writer.acknowledged.length)} acknowledged, ${sum(({ reader }) => reader.gaps)} gaps, ` +
      `${sum(({ reader }) => reader.resets)} resets, ${sum(({ writer }) => writer.failures)} failed writes`
  )
})
