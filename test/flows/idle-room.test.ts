// A room in which nothing happens is left alone, and yet nobody who is lost in it goes unnoticed.
import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import t from 'tap'
import type { Participant } from '../../src/schemas/room.js'
import { join, meet, type Seat } from '../helpers/rooms.js'
import { flow, Scenario } from '../helpers/scenario.js'
import { SETTINGS, TestCluster } from '../helpers/test-cluster.js'
import { until } from '../helpers/until.js'

/** How late a deadline may be, and some time for what follows from it. */
const LATE_MS = 1_500
/** Shorter than by default: every step of the clock takes its time. */
const env = { PRESENCE_TTL_MS: '24000' }

/** How often a room was read as a whole, or somebody's devices: both are this command, from a script or not. */
async function countReads(url: string | null): Promise<number> {
  const client = new Redis(url ?? '')
  const stats = await client.info('commandstats')
  client.disconnect()
  return Number(/cmdstat_hgetall:calls=(\d+)/.exec(stats)?.[1] ?? 0)
}

for (const setting of SETTINGS.filter(({ engine }) => engine === 'redis')) {
  t.test(
    `${setting.name}: a quiet room is read when somebody's presence could have lapsed, and not before`,
    async t => {
      const cluster = await TestCluster.open(setting, env)
      const scenario = new Scenario(cluster)
      const readsWithin = async (ms: number) => {
        const before = await countReads(cluster.redisUrl)
        await scenario.advance(ms)
        return (await countReads(cluster.redisUrl)) - before
      }
      try {
        const { presenceTtlMs, awayAfterMs } = cluster.config
        await meet(scenario)
        t.ok((await readsWithin(awayAfterMs + LATE_MS)) > 0, 'once after they came')
        t.equal(await readsWithin(presenceTtlMs - awayAfterMs - 2 * LATE_MS), 0)
        const before = await countReads(cluster.redisUrl)
        await scenario.advance(3 * LATE_MS)
        let once = 0
        // The check goes on beside the clock of the test: it is over when the number comes to rest.
        await until('a few hashes of the room are read, and the devices of each of the three', async () => {
          const [last, reads] = [once, (await countReads(cluster.redisUrl)) - before]
          once = reads
          return reads > 3 && reads === last
        })
        t.ok(once < 10, `once more: ${once}`)
        t.equal(
          await readsWithin((presenceTtlMs * 2) / 3 - 3 * LATE_MS),
          0,
          'presence is renewed each third of its time'
        )
        await scenario.checkMailboxes(t)
      } finally {
        await scenario.closeStreams()
        await cluster.close()
      }
    }
  )
}

/** Time goes by in a room that has come to rest, up to the moment when the participant is missed, and a little beyond. */
async function areToldOfLoss(scenario: Scenario, others: readonly Seat[], participantId: string, afterMs: number) {
  await scenario.advance(afterMs - LATE_MS)
  const { body } = await (others[0] as Seat).who.request('GET', 'rooms/r1')
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
  'who is in on a node that died is missed when their presence lapses',
  async (_, scenario) => {
    const others = await meet(scenario)
    const dave = await join(await scenario.addClient('dave', 'phone', { silent: true }), 'r1')
    for (const { who } of others) await who.expectEvent('room.participant_joined')
    const { presenceTtlMs } = scenario.config
    // What is left of a stream there.
    const now = scenario.now()
    const stream = {
      connection: 'on-the-node-that-died',
      claim: true,
      onlineUntil: now + presenceTtlMs,
      tag: 'abcde',
      now
    }
    await scenario.store.mailboxes.touch(scenario.toWire('dave'), 'phone', stream)
    await areToldOfLoss(scenario, others, dave.id, presenceTtlMs)
  },
  { env }
)

flow(
  'who joins and never listens is missed soon, also in a room that was quiet',
  async (_, scenario) => {
    const others = await meet(scenario)
    await scenario.advance(20_000)
    const dave = await join(await scenario.addClient('dave', 'phone', { silent: true }), 'r1')
    for (const { who } of others) await who.expectEvent('room.participant_joined')
    await areToldOfLoss(scenario, others, dave.id, scenario.config.awayAfterMs)
  },
  { env }
)

flow(
  'and so is who had a stream, polled once, and polls no more',
  async (_, scenario) => {
    const others = await meet(scenario)
    const who = await scenario.addClient('dave', 'phone', { node: scenario.lastNode })
    const dave = await join(who, 'r1')
    for (const other of others) await other.who.expectEvent('room.participant_joined')
    // Longer than until the first look, shortly after which they would be missed anyway.
    await scenario.advance(scenario.config.presenceTtlMs + 2 * LATE_MS)
    // It takes over from the stream: nobody is missed until the next poll is.
    await who.request('GET', `events/poll?cursor=${who.cursor}&wait=0`)
    await areToldOfLoss(scenario, others, dave.id, scenario.config.awayAfterMs)
    await who.poll()
  },
  { env }
)
