import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { openInTurn } from '../../src/plugins/openings.js'
import { until } from '../helpers/until.js'

const BURST = 100
const PER_TURN = 16

t.test(
  'of many streams that are requested at once, 16 are opened in each turn, and another request is served in between',
  async t => {
    const app = Fastify()
    t.teardown(() => app.close())
    const turns: number[] = []
    let opened = 0
    let openedBeforeOther = -1
    openInTurn(app, '/events')
    app.get('/events', async () => {
      if (opened++ % PER_TURN === 0) setImmediate(() => turns.push(opened))
    })
    app.get('/other', async () => {
      openedBeforeOther = opened
    })
    await app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = app.server.address() as AddressInfo
    const open = async () => {
      const socket = connect(port, '127.0.0.1')
      t.teardown(() => socket.destroy())
      await once(socket, 'connect')
      return socket
    }
    const sockets = await Promise.all(Array.from({ length: BURST }, open))
    const other = await open()
    await until('all are accepted', async () => (await connectionsOf(app)) === BURST + 1)
    // Written in one turn: the server reads them all in its next one.
    for (const socket of sockets) socket.write('GET /events HTTP/1.1\r\nhost: here\r\n\r\n')
    other.write('GET /other HTTP/1.1\r\nhost: here\r\n\r\n')
    await Promise.all(sockets.map(socket => once(socket, 'data')))
    await new Promise(setImmediate)
    t.strictSame(turns, [16, 32, 48, 64, 80, 96, 100])
    t.ok(openedBeforeOther >= 0 && openedBeforeOther <= PER_TURN, `before the other: ${openedBeforeOther}`)
  }
)

const connectionsOf = ({ server }: FastifyInstance) =>
  new Promise<number>(resolve => server.getConnections((_, count) => resolve(count)))
