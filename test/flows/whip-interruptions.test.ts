// What happens to a WHIP client while its POST is executed: it is removed, the room ends, the media service or the node fails.
import assert from 'node:assert/strict'
import t, { type Test } from 'tap'
import { PUBLISHING_OFFERS, VIEWING_OFFERS } from '../corpus/whip/all.js'
import { type Operation, TestMediaService } from '../helpers/media-service.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'
import { WhipClient, type WhipReply } from '../helpers/whip-client.js'

const SECRET = 'the-secret-of-the-media-service-32-bytes'
const service = await TestMediaService.start(SECRET)
t.teardown(() => service.close())
const env = { MEDIA_SERVICE_URLS: service.url, MEDIA_SERVICE_SECRET: SECRET }

const PUBLISH = PUBLISHING_OFFERS[0]?.sdp ?? ''
const VIEW = VIEWING_OFFERS[0]?.sdp ?? ''

interface Participant {
  readonly participantId: string
  readonly user: string
}

class Fixture {
  readonly alice: TestClient
  readonly bob: WhipClient
  readonly carol: WhipClient
  readonly room: string
  readonly #wireRoom: string

  private constructor(scenario: Scenario, alice: TestClient, [bob, carol]: readonly [WhipClient, WhipClient]) {
    this.alice = alice
    this.bob = bob
    this.carol = carol
    this.room = `/v1/rooms/${scenario.toPath('r1')}`
    this.#wireRoom = scenario.toWire('r1')
  }

  /** alice is the host of a room in mode sfu. */
  static async open(scenario: Scenario): Promise<Fixture> {
    service.signalpost = [scenario.urlOf(0), scenario.urlOf(scenario.lastNode)]
    const alice = await scenario.addClient('alice', 'phone', { silent: true })
    await alice.request('PUT', 'rooms/r1', { mode: 'sfu' })
    await alice.post('rooms/r1/participants')
    const clientOf = async (user: string) =>
      new WhipClient(
        scenario.urlOf(scenario.lastNode),
        await scenario.addClient(user, 'encoder', { node: scenario.lastNode, silent: true })
      )
    return new Fixture(scenario, alice, [await clientOf('bob'), await clientOf('carol')])
  }

  publish(headers: Readonly<Record<string, string>> = {}): Promise<WhipReply> {
    return this.bob.offer(`${this.room}/whip`, PUBLISH, headers)
  }

  view(): Promise<WhipReply> {
    return this.carol.offer(`${this.room}/whep`, VIEW)
  }

  async clients(): Promise<Participant[]> {
    const { body } = await this.alice.request('GET', 'rooms/r1')
    return ((body.participants ?? []) as Participant[]).filter(({ user }) => user !== 'alice')
  }

  /** Participants of whom the media service has something. */
  media(): string[] {
    return service.sessionsOf(this.#wireRoom).flatMap(({ participants }) => [...participants.keys()])
  }

  sessionId(): string {
    return service.sessionsOf(this.#wireRoom)[0]?.sessionId ?? ''
  }

  /** Starts a POST that waits for the reply of the media service to this operation. */
  async hold(operation: Operation): Promise<{ readonly participantId: string; finish(): Promise<WhipReply> }> {
    const release = service.inject(operation, 'hold')
    const before = service.countOf(operation)
    const reply = this.publish()
    const early = reply.then(({ status, text }) => assert.fail(`answered before ${operation}: ${status} ${text}`))
    await Promise.race([until('the media service is asked', () => service.countOf(operation) > before), early])
    early.catch(() => {})
    let participantId = ''
    await until('the client has joined', async () => {
      participantId = (await this.clients())[0]?.participantId ?? ''
      return participantId !== ''
    })
    return {
      participantId,
      finish() {
        release()
        return reply
      }
    }
  }
}

const STEPS = ['getSession', 'create', 'connectTransport'] as const

async function isClean(t: Test, scenario: Scenario, fixture: Fixture): Promise<void> {
  t.strictSame(await fixture.clients(), [])
  await scenario.advance(10_000)
  await until('the media service has nothing of the client', () => fixture.media().length === 0)
}

flow(
  'a publisher who is removed or banned in mid-POST is refused and leaves nothing',
  async (t, scenario) => {
    const fixture = await Fixture.open(scenario)
    for (const query of ['', '?ban=true']) {
      for (const step of STEPS) {
        const { participantId, finish } = await fixture.hold(step)
        const removed = await fixture.alice.request('DELETE', `rooms/r1/participants/${participantId}${query}`)
        t.equal(removed.status, 204)
        const reply = await finish()
        t.ok([403, 503].includes(reply.status), `${step}${query}: ${reply.status} ${reply.code}`)
        await isClean(t, scenario, fixture)
        if (query !== '') await fixture.alice.request('DELETE', `rooms/r1/bans/${scenario.toPath('bob')}`)
      }
    }
    t.equal((await fixture.publish()).status, 201)
  },
  { env }
)

flow(
  'a room that closes or changes to p2p in mid-POST',
  async (t, scenario) => {
    const fixture = await Fixture.open(scenario)
    for (const step of STEPS) {
      const { finish } = await fixture.hold(step)
      t.equal((await fixture.alice.request('PUT', 'rooms/r1', { mode: 'p2p' })).status, 200)
      const reply = await finish()
      t.ok(['not_sfu', 'media_unavailable'].includes(reply.code ?? ''), `${step}: ${reply.status} ${reply.code}`)
      t.strictSame(await fixture.clients(), [])
      t.equal((await fixture.alice.request('PUT', 'rooms/r1', { mode: 'sfu' })).status, 200)
      // The first node opens the session; a request to the other one asks the store for it each 25 ms of the test's clock.
      const again = await scenario.advanceDuring(fixture.publish())
      t.equal(again.status, 201, again.text)
      await fixture.bob.end(again.headers.get('location') ?? '')
    }
    const { finish } = await fixture.hold('connectTransport')
    t.equal((await fixture.alice.request('DELETE', 'rooms/r1')).status, 204)
    t.ok((await finish()).status >= 400)
    t.match(await fixture.publish(), { status: 409, code: 'room_closed' })
  },
  { env }
)

flow(
  'a media session that is lost in mid-POST',
  async (t, scenario) => {
    const fixture = await Fixture.open(scenario)
    for (const step of ['create', 'connectTransport'] as const) {
      const { finish } = await fixture.hold(step)
      await service.loseSession(fixture.sessionId())
      t.match(await finish(), { status: 503, code: 'media_unavailable' }, step)
      await isClean(t, scenario, fixture)
    }
    const again = await fixture.publish()
    t.equal(again.status, 201, again.text)
  },
  { env }
)

flow(
  'a node that dies in mid-POST: the client is lost when it could have been set up',
  async (t, scenario) => {
    const fixture = await Fixture.open(scenario)
    const { participantId, finish } = await fixture.hold('connectTransport')
    await scenario.advance(29_000)
    t.match(await fixture.clients(), [{ participantId }])
    await scenario.advance(2000)
    await until('the client is lost', async () => (await fixture.clients()).length === 0)
    t.ok((await finish()).status >= 400, 'the request of the stalled node, which goes on, is refused')
    await isClean(t, scenario, fixture)
  },
  { env: { ...env, MEDIA_SERVICE_TIMEOUT_MS: '60000' } }
)

flow(
  'a hundred POSTs at once, and as many DELETEs',
  async (t, scenario) => {
    const fixture = await Fixture.open(scenario)
    const replies = await Promise.all(Array.from({ length: 100 }, () => fixture.publish()))
    const created = replies.filter(({ status }) => status === 201)
    t.ok(created.length > 0 && created.length <= 8, `${created.length} of one user`)
    t.equal((await fixture.clients()).length, created.length)
    t.equal(new Set(created.map(({ headers }) => headers.get('location'))).size, created.length)
    const end = (reply: WhipReply) => fixture.bob.end(reply.headers.get('location') ?? '')
    const ended = await Promise.all(created.flatMap(reply => [end(reply), end(reply)]))
    t.equal(ended.filter(({ status }) => status === 200).length >= created.length, true)
    await isClean(t, scenario, fixture)
  },
  { env: { ...env, RATE_LIMIT_SIGNALS: '10000', MEDIA_SERVICE_TIMEOUT_MS: '60000' } }
)

flow(
  'twins with one Idempotency-Key get one session',
  async (t, scenario) => {
    const fixture = await Fixture.open(scenario)
    const twins = await Promise.all([1, 2, 3].map(() => fixture.publish({ 'idempotency-key': 'k' })))
    t.strictSame([...new Set(twins.map(({ status, headers }) => `${status} ${headers.get('location')}`))].length, 1)
    t.equal(twins[0]?.status, 201)
    t.equal((await fixture.clients()).length, 1)
  },
  { env }
)

flow(
  'a publisher who leaves while a viewer is set up',
  async (t, scenario) => {
    const fixture = await Fixture.open(scenario)
    for (const step of ['create', 'connectTransport', 'update'] as const) {
      const publisher = await fixture.publish()
      const release = service.inject(step, 'hold')
      const viewing = fixture.view()
      await until('the viewer has joined', async () => (await fixture.clients()).length === 2)
      t.equal((await fixture.bob.end(publisher.headers.get('location') ?? '')).status, 200)
      release()
      const { status, code } = await viewing
      t.ok([201, 409, 503].includes(status), `${step}: ${status} ${code}`)
      await scenario.advance(10_000)
      await until('a viewer of nothing is lost', async () => (await fixture.clients()).length === 0)
    }
  },
  { env }
)
