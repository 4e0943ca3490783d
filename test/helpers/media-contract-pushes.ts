// What every media service pushes to Signalpost: one case a row, each with a session of its own.
import type { Test } from 'tap'
import { faultsOf } from './media-contract.js'
import { type MediaServiceUnderTest, openingOf, SessionUnderTest } from './media-contract-cases.js'
import type { MediaReceiver, ReceivedPush } from './media-receiver.js'
import { DTLS, OPUS } from './rtp-fixture.js'
import { until } from './until.js'

export interface PushingService extends MediaServiceUnderTest {
  /** The process that has the session dies. */
  loseSession(sessionId: string): Promise<void>
  /** The participant cannot be reached by the transport any more. */
  loseContact(session: SessionUnderTest, lost: { participantId: string; transportId: string; producerId: string }): void
}

const NAME = 'media.test:4443'

class Pushes {
  readonly session: SessionUnderTest
  readonly service: PushingService
  readonly receiver: MediaReceiver

  constructor(session: SessionUnderTest, service: PushingService, receiver: MediaReceiver) {
    this.session = session
    this.service = service
    this.receiver = receiver
  }

  get ofSession(): ReceivedPush[] {
    return this.receiver.received.filter(({ body }) => body.sessionId === this.session.sessionId)
  }

  /** The pushes with events, once there are as many. */
  async first(count: number): Promise<ReceivedPush[]> {
    const withEvents = () => this.ofSession.filter(({ body }) => body.events.length > 0)
    await until(`${count} pushes have arrived`, () => withEvents().length >= count)
    return withEvents()
  }

  /** Alice sends audio by a transport that has lost contact. */
  async loseAlice(): Promise<void> {
    const { session, service } = this
    await session.transport('alice', 'send')
    const producer = { transportId: 'send', kind: 'audio', rtpParameters: OPUS, paused: false }
    await session.expect(200, 'PUT', '/participants/alice/producers/microphone', producer)
    await session.expect(204, 'POST', '/participants/alice/transports/send/connect', { dtlsParameters: DTLS })
    service.loseContact(session, { participantId: 'alice', transportId: 'send', producerId: 'microphone' })
  }
}

const OF_LOST_ALICE = [
  { type: 'producer_closed', participantId: 'alice', producerId: 'microphone' },
  { type: 'transport_closed', participantId: 'alice', transportId: 'send', reason: 'ice_failed' }
]

type Case = (pushes: Pushes) => Promise<void>

const CASES: Readonly<Record<string, Case>> = {
  'a lost participant: the producers first, then the transport': async pushes => {
    const { session, service } = pushes
    await pushes.loseAlice()
    const [push] = await pushes.first(1)
    session.t.equal(push?.path, `/internal/media/${encodeURIComponent(NAME)}/events`)
    session.t.equal(push?.authorization, `Bearer ${service.secret}`)
    session.t.match(push?.body, { sessionId: session.sessionId, roomId: session.roomId, seq: 1 })
    session.t.strictSame(push?.body.events, OF_LOST_ALICE)
    session.t.strictSame(faultsOf('PushedEvents', push?.body), [])
    if (!service.hasMedia) return
    await session.expect('not_found', 'PATCH', '/participants/alice/producers/microphone', { paused: true })
    await session.expect('not_found', 'GET', '/participants/alice/transports/send/stats')
    await session.expect('not_found', 'POST', '/participants/alice/transports/send/restart-ice')
  },
  'what was not answered 2xx is sent again with the same number, and later events follow': async pushes => {
    const { session, receiver } = pushes
    receiver.refuse(session.sessionId, [503, 500])
    await pushes.loseAlice()
    const repeated = await pushes.first(3)
    session.t.strictSame(
      repeated.map(({ status, body: { seq, events } }) => ({ status, seq, events })),
      [503, 500, 204].map(status => ({ status, seq: 1, events: OF_LOST_ALICE }))
    )
    await session.expect(204, 'DELETE', '/participants/alice')
    await pushes.loseAlice()
    session.t.match((await pushes.first(4)).at(-1)?.body, { seq: 3, events: OF_LOST_ALICE })
  },
  'what was answered 400 or 413 is dropped, and later events follow': async pushes => {
    const { session, receiver } = pushes
    receiver.refuse(session.sessionId, [400, 413])
    for (let count = 1; count <= 3; count++) {
      await pushes.loseAlice()
      await pushes.first(count)
      await session.expect(204, 'DELETE', '/participants/alice')
    }
    session.t.strictSame(
      pushes.ofSession.map(({ status, body: { seq, events } }) => ({ status, seq, events })),
      [400, 413, 204].map((status, i) => ({ status, seq: 1 + 2 * i, events: OF_LOST_ALICE }))
    )
  },
  'what Signalpost caused is not pushed': async pushes => {
    const { session } = pushes
    await session.enterBoth()
    await session.expect(200, 'PUT', '/participants/bob/consumers/c', session.consumption())
    await session.expect(200, 'PATCH', '/participants/alice/producers/camera', { paused: true })
    await session.expect(204, 'DELETE', '/participants/alice/producers/camera')
    await session.expect(204, 'DELETE', '/participants/bob')
    await session.expect(204, 'DELETE', '/participants/alice')
    // An event that would come after them.
    await pushes.loseAlice()
    session.t.match((await pushes.first(1))[0]?.body, { seq: 1, events: OF_LOST_ALICE })
  },
  'a session that Signalpost does not know is closed': async pushes => {
    const { session, receiver } = pushes
    receiver.refuse(session.sessionId, [404])
    await pushes.loseAlice()
    await pushes.first(1)
    await until('the session is closed', async () => (await session.call('GET', '')).status === 404)
    session.t.equal(pushes.ofSession.length, 1)
  },
  'a session without requests asks again and again whether a room uses it, until none does': async pushes => {
    const { service, receiver } = pushes
    const session = new SessionUnderTest(pushes.session.t, service)
    const asking = new Pushes(session, service, receiver)
    receiver.refuse(session.sessionId, [204, 503, 204, 404])
    await session.open({ ...openingOf(session.roomId, NAME), confirmAfterMs: 50 })
    await until('it has asked four times', () => asking.ofSession.length >= 4)
    for (const { body } of asking.ofSession) {
      session.t.match(body, { roomId: session.roomId, seq: 1, events: [], notices: [] })
      session.t.strictSame(faultsOf('PushedEvents', body), [])
    }
    await until('the session is closed', async () => (await session.call('GET', '')).status === 404)
    session.t.equal(asking.ofSession.length, 4)
  },
  'a session whose worker dies is lost, and others can be opened': async pushes => {
    const { session, service } = pushes
    await service.loseSession(session.sessionId)
    const [push] = await pushes.first(1)
    session.t.match(push?.body, { seq: 1, events: [{ type: 'session_lost', reason: 'worker_died' }] })
    await session.expect('session_not_found', 'GET', '')
    const next = new SessionUnderTest(session.t, service)
    await until('a worker runs', async () => (await next.client.call('GET', '/health')).status === 200)
    await next.open(openingOf(next.roomId, NAME))
    await next.expect(204, 'DELETE', '')
  }
}

/** Runs all cases. The service pushes to `receiver`, and notices within a second that contact is lost. */
export async function testMediaPushes(t: Test, service: PushingService, receiver: MediaReceiver): Promise<void> {
  for (const [name, run] of Object.entries(CASES))
    await t.test(name, async t => {
      const session = new SessionUnderTest(t, service)
      await session.open(openingOf(session.roomId, NAME))
      await run(new Pushes(session, service, receiver))
      await session.expect(204, 'DELETE', '')
    })
}
