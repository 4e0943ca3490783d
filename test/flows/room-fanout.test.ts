// The fan-out of a room delays no request, no timer and no other room, and its cost is bounded by the size of the room. The store is real; the
// tests delay the appends of room events.
import t from 'tap'
import { AppError } from '../../src/errors.js'
import { startRedis } from '../helpers/redis.js'
import { candidates, sdp } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'
import { createGate, TwoNodes } from '../helpers/two-nodes.js'
import { until } from '../helpers/until.js'

const redis = await startRedis()
t.teardown(() => redis.stop())

for (const engine of ['memory', 'redis'] as const) {
  t.test(`${engine}, two nodes`, async t => {
    const nodes = await TwoNodes.start(engine === 'redis' ? redis.url : null)
    t.teardown(() => nodes.close())
    const mark = (name: string) => `${engine}-${name}`
    const enter = async (name: string, node = 0) => {
      const client = await nodes.addClient(mark(name), node)
      await client.openStream()
      return client
    }
    const [alice, bob] = [await enter('alice', 0), await enter('bob', 1)]
    const [dave, erin] = [await enter('dave', 0), await enter('erin', 1)]
    t.teardown(async () => {
      for (const client of [alice, bob, dave, erin]) await client.closeStream()
    })
    const room = `rooms/${mark('hall')}`

    t.test('when the fan-out of a room hangs, it delays no POST, no timer and no other room', async t => {
      await alice.post(`${room}/participants`)
      await bob.post(`${room}/participants`)
      await alice.expectEvent('room.participant_joined')
      const gate = createGate()
      nodes.appendRoom = gate.append
      for (const [n, who] of [alice, bob, alice, bob].entries()) {
        await who.post(`${room}/messages`, { messageId: `m${n}`, content: 'Hello' })
      }
      await nodes.advanceUntil('the first message is being published', () => gate.waiting() > 0)
      await dave.post('calls', { callId: mark('c'), to: mark('erin'), ringTimeoutMs: 5_000 })
      await erin.expectEvent('call.incoming')
      const endedAt = nodes.clock.now() + 5_000
      await nodes.advanceUntil('the ring time is over', () => nodes.clock.now() > endedAt + 1_500)
      for (const who of [dave, erin]) t.match(await who.expectEvent('call.ended'), { reason: 'no_answer' })
      t.ok(gate.waiting() > 0, 'nothing was published in this time')
      nodes.appendRoom = async append => void (await append())
      gate.open()
      for (const [who, ids] of [
        [alice, ['m1', 'm3']],
        [bob, ['m0', 'm2']]
      ] as const) {
        for (const messageId of ids) t.match(await who.expectEvent('chat.message'), { messageId })
      }
    })

    t.test(
      'when a joining is not published yet, signals to that participant are accepted and follow it in order',
      async t => {
        const gate = createGate()
        nodes.appendRoom = gate.append
        const carol = await enter('carol', 1)
        t.teardown(() => carol.closeStream())
        const { participantId, participants } = await carol.post(`${room}/participants`)
        const [host] = participants as { participantId: string }[]
        const to = host?.participantId
        t.match(await carol.post(`${room}/offer`, { to, sdp: sdp('carolC') }), { delivery: { online: 0, queued: 1 } })
        const batch = { to, candidates: candidates(2, 'carolC') }
        t.match(await carol.post(`${room}/candidates`, batch), { accepted: 2, delivery: { queued: 1 } })
        t.match(await carol.post(`${room}/candidates`, { candidates: candidates(1, 'carolC') }), { accepted: 1 })
        nodes.appendRoom = async append => void (await append())
        gate.open()
        t.match(await alice.expectEvent('room.participant_joined'), { participant: { participantId } })
        t.match(await alice.expectEvent('signal.offer'), { from: { participantId } })
        await alice.expectEvents('signal.candidates', 'signal.candidates')
        await bob.expectEvent('room.participant_joined')
        await alice.post(`${room}/answer`, { to: participantId, sdp: sdp('aliceA') })
        await carol.expectEvent('signal.answer')
        const direct = await carol.post(`${room}/candidates`, batch)
        t.match(direct, { delivery: { online: 1, queued: 0 } }, 'after the publication signals are not held')
        await alice.expectEvent('signal.candidates')
      }
    )

    t.test('when held signals could not be scheduled, timers deliver them after the joining is published', async t => {
      const [gina, erik, yard] = [await enter('gina', 0), await enter('erik', 1), `rooms/${mark('yard')}`]
      t.teardown(() => Promise.all([gina.closeStream(), erik.closeStream()]))
      await gina.post(`${yard}/participants`)
      const gate = createGate()
      nodes.appendRoom = gate.append
      nodes.beforeCommit = ({ items }) => {
        if (items.some(item => item.do === 'follow')) throw new AppError('store_unavailable')
      }
      const { participantId, participants } = await erik.post(`${yard}/participants`)
      const to = (participants as { participantId: string }[])[0]?.participantId
      t.match(await erik.post(`${yard}/offer`, { to, sdp: sdp('erikE') }), { delivery: { queued: 1 } })
      const laterAt = nodes.clock.now() + 3_000
      await nodes.advanceUntil('timers have seen the stale outbox', () => nodes.clock.now() > laterAt)
      nodes.appendRoom = async append => void (await append())
      gate.open()
      t.match(await gina.expectEvent('room.participant_joined'), { participant: { participantId } })
      const sweptAt = nodes.clock.now() + 2_500
      await nodes.advanceUntil('timers have seen it again', () => nodes.clock.now() > sweptAt)
      t.match(await gina.expectEvent('signal.offer'), { from: { participantId } })
      nodes.beforeCommit = () => {}
    })

    t.test('when a join with replace fails, the old participation and its membership are kept', async t => {
      const frank = await enter('frank', 1)
      t.teardown(() => frank.closeStream())
      const { participantId } = await frank.post(`${room}/participants`)
      nodes.beforeCommit = ({ writes }) => {
        if (Object.keys(writes).some(part => part.startsWith('participant:'))) throw new AppError('store_unavailable')
      }
      await frank.expectRefusal('store_unavailable', `${room}/participants`, { replace: true })
      nodes.beforeCommit = () => {}
      const { body } = await frank.request('GET', 'snapshot')
      t.match(body.rooms, [{ room: { roomId: mark('hall') }, participantId }])
    })

    t.test(
      'when many messages are posted at once, the appends are at most events × participants, even if the store is slow',
      async t => {
        const [room, participants, messages] = [mark('crowd'), 100, 40]
        const crowd: TestClient[] = []
        for (let n = 0; n < participants; n++) crowd.push(await nodes.addClient(mark(`guest${n}`), n % 2))
        for (const client of crowd) await client.post(`rooms/${room}/participants`)
        await nodes.advanceUntil('all joinings are published', () => nodes.isPublished(room))
        let appends = 0
        let queue = Promise.resolve()
        nodes.appendRoom = (append, each) => {
          const commits = each.flatMap(({ source, commits }) => (source.id === room ? commits : []))
          appends += commits.reduce((sum, { entries }) => sum + entries.length, 0)
          // One command after the other, as Redis runs them. All together take longer than a fan-out lease.
          queue = queue.then(append).then(() => nodes.clock.advance(60))
          return queue
        }
        const [author, other, listener] = crowd as [TestClient, TestClient, TestClient]
        const post = (n: number) => (n % 2 ? author : other).post(`rooms/${room}/messages`, { content: `${n}` })
        await Promise.all(Array.from({ length: messages }, (_, n) => post(n)))
        await until('all messages are published', () => nodes.isPublished(room))
        t.equal(appends, messages * (participants - 1), 'the author gets no event')
        const events = await nodes.readMailbox(listener)
        const versions = events.filter(({ type }) => type === 'chat.message').map(({ version }) => version)
        t.equal(versions.length, messages)
        t.same(
          versions,
          [...versions].sort((a, b) => a - b)
        )
      }
    )
  })
}
