// When the mode of a room changes, its signals wait until `room.updated` has reached all participants. The store is real; the tests delay the
// appends of room events.
import t from 'tap'
import { closeMedia, startMedia } from '../helpers/media-fixture.js'
import { startRedis } from '../helpers/redis.js'
import { join } from '../helpers/rooms.js'
import { candidates, sdp } from '../helpers/sdp.js'
import { createGate, TwoNodes } from '../helpers/two-nodes.js'

const redis = await startRedis()
const media = await startMedia(1)
t.teardown(() => Promise.all([redis.stop(), closeMedia(media)]))

const CHANGES = [
  ['sfu', 'p2p'],
  ['p2p', 'sfu']
] as const

for (const [engine, url] of [
  ['memory', null],
  ['redis', redis.url]
] as const) {
  t.test(engine, async t => {
    const nodes = await TwoNodes.start(url, media.env)
    t.teardown(() => nodes.close())

    /** Three who are in a room with this mode. The host joined first. */
    async function meet(room: string, mode: string) {
      const add = async (user: string, node: number) => {
        const client = await nodes.addClient(`${room}-${user}`, node)
        await client.openStream()
        t.teardown(() => client.closeStream())
        return client
      }
      const clients = [await add('host', 0), await add('bob', 1), await add('carol', 0)] as const
      const [host, bob] = clients
      await host.request('PUT', `rooms/${room}`, { mode })
      const joined = [await join(host, room), await join(bob, room), await join(clients[2], room)] as const
      await host.expectEvents('room.participant_joined', 'room.participant_joined')
      await bob.expectEvent('room.participant_joined')
      return joined
    }

    for (const [mode, next] of CHANGES) {
      t.test(
        `when ${mode} becomes ${next}, signals wait until that is published, also those of known pairs`,
        async t => {
          const [host, bob, carol] = await meet(`${engine}-${mode}`, mode)
          const room = `rooms/${engine}-${mode}`
          await carol.who.post(`${room}/offer`, { to: bob.id, sdp: sdp('carolA') })
          await bob.who.expectEvent('signal.offer')
          await bob.who.post(`${room}/answer`, { to: carol.id, sdp: sdp('bobA') })
          await carol.who.expectEvent('signal.answer')

          const gate = createGate()
          nodes.appendRoom = gate.append
          await host.who.request('PUT', room, { mode: next })
          t.match(await carol.who.request('GET', room), { body: { room: { mode: next } } })
          const queued = { delivery: { online: 0, queued: 1 } }
          t.match(await carol.who.post(`${room}/offer`, { to: bob.id, sdp: sdp('carolB') }), { revision: 2, ...queued })
          const batch = { to: bob.id, candidates: candidates(2, 'carolB') }
          t.match(await carol.who.post(`${room}/candidates`, batch), { accepted: 2, held: [], ...queued })
          carol.who.useNode(1)
          t.match(await carol.who.post(`${room}/candidates`, batch), queued, 'on another node too')
          nodes.appendRoom = async append => void (await append())
          gate.open()

          t.match(await bob.who.expectEvent('room.updated'), { changes: { mode: next } })
          t.match(await bob.who.expectEvent('signal.offer'), { revision: 2 })
          await bob.who.expectEvents('signal.candidates', 'signal.candidates')
          await carol.who.expectEvent('room.updated')
          const direct = await carol.who.post(`${room}/candidates`, batch)
          t.match(direct, { delivery: { online: 1, queued: 0 } }, 'after that they do not wait')
          await bob.who.expectEvent('signal.candidates')
        }
      )
    }

    t.test('when other settings change, signals do not wait', async t => {
      const [host, bob, carol] = await meet(`${engine}-locked`, 'p2p')
      const gate = createGate()
      nodes.appendRoom = gate.append
      await host.who.request('PUT', `rooms/${engine}-locked`, { locked: true })
      const sent = await carol.who.post(`rooms/${engine}-locked/offer`, { to: bob.id, sdp: sdp('carolA') })
      t.match(sent, { delivery: { online: 1, queued: 0 } })
      await bob.who.expectEvent('signal.offer')
      nodes.appendRoom = async append => void (await append())
      gate.open()
      for (const { who } of [bob, carol]) await who.expectEvent('room.updated')
    })
  })
}
