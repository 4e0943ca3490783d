// A room without changes is not read, and a device that is lost in it is announced in time.
import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import t from 'tap'
import type { Participant } from '../../src/schemas/room.js'
import { startRedis } from '../helpers/redis.js'
import { type JoinedClient, join, meet } from '../helpers/rooms.js'
import { flow, Scenario } from '../helpers/scenario.js'
import { SETTINGS, TestCluster } from '../helpers/test-cluster.js'
import { until } from '../helpers/until.js'

/** How late a deadline may fire, and some time for its effects. */
const LATE_MS = 1_500
/** Shorter than the default, because each step of the clock takes time. */
const env = { PRESENCE_TTL_MS: '24000' }

/** The number of reads of a whole room, or of the devices of a user: both use this command. */
async function countReads(url: string | null): Promise<number> {
  const client = new Redis(url ?? '')
  const stats = await client.info('commandstats')
  client.disconnect()
  return Number(/cmdstat_hgetall:calls=(\d+)/.exec(stats)?.[1] ?? 0)
}

for (const setting of SETTINGS.filter(({ engine }) => engine === 'redis')) {
  t.test(
    `${setting.name}: a room without changes is read when a presence in it may have expired, and not before`,
    async t => {
      // Its own: nothing else is counted.
      const redis = await startRedis()
      const cluster = await TestCluster.open(setting, env, redis)
      const scenario = new Scenario(cluster)
      const readsWithin = async (ms: number) => {
        const before = await countReads(cluster.redisUrl)
        await scenario.advance(ms)
        return (await countReads(cluster.redisUrl)) - before
      }
      try {
        const { presenceTtlMs, awayAfterMs } = cluster.config
        await meet(scenario)
        t.ok((await readsWithin(awayAfterMs + LATE_MS)) > 0, 'once after the joins')
        t.equal(await readsWithin(presenceTtlMs - awayAfterMs - 2 * LATE_MS), 0)
        const before = await countReads(cluster.redisUrl)
        await scenario.advance(3 * LATE_MS)
        let once = 0
        // The check runs in the background: it has ended when the number does not change any more.
        await until('the room and the devices of its three users have been read', async () => {
          const [last, reads] = [once, (await countReads(cluster.redisUrl)) - before]
          once = reads
          return reads > 3 && reads === last
        })
        t.ok(once < 10, `one check: ${once} reads`)
        t.equal(
          await readsWithin((presenceTtlMs * 2) / 3 - 3 * LATE_MS),
          0,
          'presence is renewed each third of its time'
        )
        await scenario.checkMailboxes(t)
      } finally {
        await scenario.closeStreams()
        await cluster.close()
        await redis.stop()
      }
    }
  )
}

/** Moves the clock: the others are told after `afterMs`, and not before, that the participant is away, and then that it is lost. */
async function expectLoss(scenario: Scenario, others: readonly JoinedClient[], participantId: string, afterMs: number) {
  await scenario.advance(afterMs - LATE_MS)
  const { body } = await (others[0] as JoinedClient).who.request('GET', 'rooms/r1')
  const found = (body.participants as Participant[]).find(each => each.participantId === participantId)
  assert.equal(found?.away, false, 'not too early')
  await scenario.advance(2 * LATE_MS)
  for (const { who } of others) {
    const { participant } = (await who.expectEvent('room.participant_updated')) as { participant: Participant }
    assert.deepEqual([participant.participantId, participant.away], [participantId, true])
  }
  await scenario.advance(scenario.config.roomReconnectMs)
  for (const { who } of others) {
    const { reason, ...left } = await who.expectEvent('room.participant_left')
    assert.deepEqual([left.participantId, reason], [participantId, 'lost'])
  }
}

flow(
  'a participant whose node died is announced away when its presence expires',
  async (_, scenario) => {
    const others = await meet(scenario)
    const dave = await join(await scenario.addClient('dave', 'phone', { silent: true }), 'r1')
    for (const { who } of others) await who.expectEvent('room.participant_joined')
    const { presenceTtlMs } = scenario.config
    // The record of a stream on the dead node.
    const now = scenario.now()
    const stream = {
      connection: 'on-the-node-that-died',
      claim: true,
      onlineUntil: now + presenceTtlMs,
      tag: 'abcde',
      now
    }
    await scenario.store.mailboxes.touch(scenario.toWire('dave'), 'phone', stream)
    await expectLoss(scenario, others, dave.id, presenceTtlMs)
  },
  { env }
)

flow(
  'a participant that opens no stream after its join is announced away after AWAY_AFTER_MS',
  async (_, scenario) => {
    const others = await meet(scenario)
    await scenario.advance(20_000)
    const dave = await join(await scenario.addClient('dave', 'phone', { silent: true }), 'r1')
    for (const { who } of others) await who.expectEvent('room.participant_joined')
    await expectLoss(scenario, others, dave.id, scenario.config.awayAfterMs)
  },
  { env }
)

flow(
  'a participant that replaces its stream by one poll is announced away after AWAY_AFTER_MS',
  async (_, scenario) => {
    const others = await meet(scenario)
    const who = await scenario.addClient('dave', 'phone', { node: scenario.lastNode })
    const dave = await join(who, 'r1')
    for (const other of others) await other.who.expectEvent('room.participant_joined')
    // Until after the first check of the room, which would find the loss anyway.
    await scenario.advance(scenario.config.presenceTtlMs + 2 * LATE_MS)
    // The poll supersedes the stream, and keeps the device live for AWAY_AFTER_MS.
    await who.request('GET', `events/poll?cursor=${who.cursor}&wait=0`)
    await expectLoss(scenario, others, dave.id, scenario.config.awayAfterMs)
    await who.poll()
  },
  { env }
)
