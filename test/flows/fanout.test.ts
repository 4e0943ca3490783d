// A room's fan-out is nobody's business but the room's: it delays no request and no timer, and costs what the room's size says.
// The store is the real one; appends of room events are held up, or take their time on the clock that the test moves.
import t from 'tap'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config.js'
import { createMemoryStore } from '../../src/store/memory.js'
import type { Append, Store } from '../../src/store/store.js'
import { ManualClock } from '../helpers/clock.js'
import { Person } from '../helpers/person.js'
import { startRedis } from '../helpers/redis.js'
import { candidates, sdp } from '../helpers/sdp.js'
import { openRedisStore } from '../helpers/store.js'
import { until } from '../helpers/until.js'

const JWT_SECRET = 'the-secret-of-the-fanout-is-32-bytes-long'
const LIMITS = {
  RATE_LIMIT_CALLS: '1000000',
  RATE_LIMIT_CALLS_PER_PAIR: '1000000',
  RATE_LIMIT_CALLS_PER_CALLEE: '1000000',
  CALL_BACKOFF_MS: '0',
  RATE_LIMIT_SIGNALS: '1000000',
  RATE_LIMIT_READS: '1000000',
  RATE_LIMIT_DELIVERIES: '1000000000',
  RATE_LIMIT_PRESENCE: '1000000000'
}
/** Nobody is missed for want of a stream while the clock runs. */
const HOUR_MS = '3600000'
const PATIENT = { AWAY_AFTER_MS: HOUR_MS, GRACE_MS: HOUR_MS, PRESENCE_TTL_MS: HOUR_MS, RETENTION_MS: HOUR_MS }
const MAILBOX = { retentionMs: 3_600_000, mailboxMaxEvents: 500, maxDevicesPerUser: 8, mailboxMaxBytes: 2_097_152 }

type AppendRoom = (append: () => Promise<unknown>, what: Append) => Promise<void>

const redis = await startRedis()
t.teardown(() => redis.stop())

/** Two nodes on one store, with a clock that only the test moves. */
class TwoNodes {
  readonly config = loadConfig({ LOG_LEVEL: 'fatal', JWT_SECRET, ...LIMITS, ...PATIENT })
  readonly clock = new ManualClock()
  readonly #urls: string[] = []
  readonly #stores: Store[] = []
  readonly #closing: (() => Promise<unknown>)[] = []
  /** How appends of room events go; the test sets it. */
  appendRoom: AppendRoom = async append => void (await append())

  static async start(engine: 'memory' | 'redis'): Promise<TwoNodes> {
    const nodes = new TwoNodes()
    const { clock } = nodes
    const memory = engine === 'memory' ? createMemoryStore({ ...MAILBOX, clock }) : null
    for (let i = 0; i < 2; i++) {
      const store = memory ?? (await openRedisStore(redis.url, clock, MAILBOX))
      nodes.#stores.push(store)
      const app = await buildApp(nodes.config, { clock, store: nodes.#watch(store) })
      nodes.#urls.push(await app.listen({ host: '127.0.0.1', port: 0 }))
      nodes.#closing.unshift(() => app.close())
      nodes.#closing.push(() => store.close())
    }
    // Nobody is missed in the first moments of a node.
    clock.advance(nodes.config.presenceTtlMs)
    return nodes
  }

  #watch(store: Store): Store {
    const { mailboxes } = store
    return {
      ...store,
      mailboxes: {
        ...mailboxes,
        append: async (user, what) => {
          if (what.source.kind !== 'room') return mailboxes.append(user, what)
          let result = { status: 'duplicate' as 'appended' | 'duplicate' | 'over', online: 0, queued: 0 }
          await this.appendRoom(async () => {
            result = await mailboxes.append(user, what)
          }, what)
          return result
        }
      }
    }
  }

  async close(): Promise<void> {
    for (const close of this.#closing) await close()
  }

  urlOf = (node: number): string => this.#urls[node] ?? ''
  marked = (name: string): string => name
  unmarked = <T>(value: T): T => value

  async enter(user: string, node: number): Promise<Person> {
    return Person.make(this, { user, device: 'phone', node })
  }

  async isPublished(roomId: string): Promise<boolean> {
    const room = await this.#stores[0]?.rooms.load(roomId, [])
    return room?.publishedVersion === room?.version
  }

  async readMailbox({ user, device }: Person): Promise<{ type: string; version: number }[]> {
    const options = { limit: 500, maxBytes: 10_000_000, now: this.clock.now() }
    const result = await this.#stores[0]?.mailboxes.read(user, device, 'start', options)
    const events = result?.status === 'ok' ? result.events : []
    return events.map(({ type, envelope }) => ({ type, version: Number(JSON.parse(envelope).data.version) }))
  }

  /** Time passes until it is so. */
  async pass(what: string, holds: () => unknown): Promise<void> {
    await until(what, async () => {
      this.clock.advance(50)
      return holds()
    })
  }
}

/** Room appends wait until it opens. */
function createGate() {
  let open = () => {}
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  let waiting = 0
  const append: AppendRoom = async run => {
    waiting++
    await opened
    waiting--
    await run()
  }
  return { open, append, waiting: () => waiting }
}

for (const engine of ['memory', 'redis'] as const) {
  t.test(`${engine}, two nodes`, async t => {
    const nodes = await TwoNodes.start(engine)
    t.teardown(() => nodes.close())
    const mark = (name: string) => `${engine}-${name}`
    const enter = async (name: string, node = 0) => {
      const person = await nodes.enter(mark(name), node)
      await person.listens()
      return person
    }
    const [alice, bob] = [await enter('alice', 0), await enter('bob', 1)]
    const [dave, erin] = [await enter('dave', 0), await enter('erin', 1)]
    t.teardown(async () => {
      for (const person of [alice, bob, dave, erin]) await person.leaves()
    })
    const room = `rooms/${mark('hall')}`

    t.test('a fan-out that stands still delays no POST, no timer and no other room', async t => {
      await alice.does(`${room}/participants`)
      await bob.does(`${room}/participants`)
      await alice.hears('room.participant_joined')
      const gate = createGate()
      nodes.appendRoom = gate.append
      for (const [n, who] of [alice, bob, alice, bob].entries()) {
        await who.does(`${room}/messages`, { messageId: `m${n}`, content: 'Hello' })
      }
      await nodes.pass('the first message is being published', () => gate.waiting() > 0)
      await dave.does('calls', { callId: mark('c'), to: mark('erin'), ringTimeoutMs: 5_000 })
      await erin.hears('call.incoming')
      const endedAt = nodes.clock.now() + 5_000
      await nodes.pass('its ring time is over', () => nodes.clock.now() > endedAt + 1_500)
      for (const who of [dave, erin]) t.match(await who.hears('call.ended'), { reason: 'no_answer' })
      t.ok(gate.waiting() > 0, 'all the while nothing was published')
      nodes.appendRoom = async append => void (await append())
      gate.open()
      for (const [who, ids] of [
        [alice, ['m1', 'm3']],
        [bob, ['m0', 'm2']]
      ] as const) {
        for (const messageId of ids) t.match(await who.hears('chat.message'), { messageId })
      }
    })

    t.test(
      'signals to somebody whose joining is not published are accepted at once, and follow it in order',
      async t => {
        const gate = createGate()
        nodes.appendRoom = gate.append
        const carol = await enter('carol', 1)
        t.teardown(() => carol.leaves())
        const { participantId, participants } = await carol.does(`${room}/participants`)
        const [host] = participants as { participantId: string }[]
        const to = host?.participantId
        t.match(await carol.does(`${room}/offer`, { to, sdp: sdp('carolC') }), { delivery: { online: 0, queued: 1 } })
        const batch = { to, candidates: candidates(2, 'carolC') }
        t.match(await carol.does(`${room}/candidates`, batch), { accepted: 2, delivery: { queued: 1 } })
        t.match(await carol.does(`${room}/candidates`, { candidates: candidates(1, 'carolC') }), { accepted: 1 })
        nodes.appendRoom = async append => void (await append())
        gate.open()
        t.match(await alice.hears('room.participant_joined'), { participant: { participantId } })
        t.match(await alice.hears('signal.offer'), { from: { participantId } })
        await alice.hearsAll('signal.candidates', 'signal.candidates')
        await bob.hears('room.participant_joined')
        await alice.does(`${room}/answer`, { to: participantId, sdp: sdp('aliceA') })
        await carol.hears('signal.answer')
        const direct = await carol.does(`${room}/candidates`, batch)
        t.match(direct, { delivery: { online: 1, queued: 0 } }, 'from then on they go direct')
        await alice.hears('signal.candidates')
      }
    )

    t.test('a burst costs appends ≤ events × members, however slow the store is, on both nodes', async t => {
      const [room, members, lines] = [mark('crowd'), 100, 40]
      const crowd: Person[] = []
      for (let n = 0; n < members; n++) crowd.push(await nodes.enter(mark(`guest${n}`), n % 2))
      for (const person of crowd) await person.does(`rooms/${room}/participants`)
      await nodes.pass('all joinings are published', () => nodes.isPublished(room))
      let appends = 0
      let queue = Promise.resolve()
      nodes.appendRoom = (append, { source, commits }) => {
        if (source.id === room) appends += commits.reduce((sum, { entries }) => sum + entries.length, 0)
        // One after the other, as Redis does them. A hundred take longer than a lease.
        queue = queue.then(append).then(() => nodes.clock.advance(15))
        return queue
      }
      const [author, other, listener] = crowd as [Person, Person, Person]
      const post = (n: number) => (n % 2 ? author : other).does(`rooms/${room}/messages`, { content: `${n}` })
      await Promise.all(Array.from({ length: lines }, (_, n) => post(n)))
      await until('all is published', () => nodes.isPublished(room))
      t.equal(appends, lines * (members - 1), 'nobody gets an echo')
      const events = await nodes.readMailbox(listener)
      const versions = events.filter(({ type }) => type === 'chat.message').map(({ version }) => version)
      t.equal(versions.length, lines)
      t.same(
        versions,
        [...versions].sort((a, b) => a - b)
      )
    })
  })
}
