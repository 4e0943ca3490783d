import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { admitInTurn } from '../../src/plugins/admission.js'
import { until } from '../helpers/until.js'

const BURST = 100

/** A server, and how many connections it began in each turn of the event loop. */
async function start(t: Test) {
  const server = createServer((_, res) => res.end('hello'))
  admitInTurn(server)
  const turns: number[] = []
  let begun = 0
  server.on('connection', () => {
    if (begun++ > 0) return
    setImmediate(() => {
      turns.push(begun)
      begun = 0
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // Connections are accepted here and given to the server all in one turn.
  const accepted: Socket[] = []
  const door = createTcpServer(socket => accepted.push(socket)).listen(0, '127.0.0.1')
  await once(door, 'listening')
  t.teardown(() => {
    server.close()
    door.close()
  })
  return {
    turns,
    accepted,
    open: () => connect((door.address() as AddressInfo).port, '127.0.0.1'),
    async offerAll() {
      await until('all are accepted', () => accepted.length === BURST)
      for (const socket of accepted) server.emit('connection', socket)
    }
  }
}

t.test('of a burst of connections, few are begun in one turn of the event loop, and all are served', async t => {
  const { turns, open, offerAll } = await start(t)
  const sockets = Array.from({ length: BURST }, open)
  const replies = sockets.map(async socket => {
    socket.write('GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n')
    const parts: Buffer[] = []
    for await (const part of socket) parts.push(part)
    return Buffer.concat(parts).toString()
  })
  await offerAll()
  for (const reply of await Promise.all(replies)) t.match(reply, /^HTTP\/1.1 200 OK\r\n(.*\r\n)*\r\n.*hello/)
  t.equal(Math.max(...turns), 16, `in each turn: ${turns}`)
  t.equal(
    turns.reduce((sum, count) => sum + count),
    BURST
  )
})

t.test('connections that break while they wait for their turn are not begun', async t => {
  const { turns, accepted, open, offerAll } = await start(t)
  const sockets = Array.from({ length: BURST }, open)
  await offerAll()
  for (const socket of accepted) socket.destroy(new Error('broken'))
  await Promise.all(sockets.map(socket => once(socket.resume(), 'close')))
  await new Promise(setImmediate)
  t.strictSame(turns, [])
})
