import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { dropUnusedConnections } from '../../src/plugins/connections.js'

async function server(t: Test) {
  const app = Fastify()
  dropUnusedConnections(app)
  let answer = () => {}
  app.get('/', () => new Promise(resolve => (answer = () => resolve('late'))))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  t.teardown(() => app.close())

  async function open() {
    const accepted = once(app.server, 'connection')
    const socket = connect(port, '127.0.0.1').setEncoding('utf8')
    await Promise.all([once(socket, 'connect'), accepted])
    return socket
  }
  return { app, open, answer: () => answer() }
}

t.test('close() does not wait for a connection that has never carried a request', async t => {
  const { app, open } = await server(t)
  const spare = (await open()).resume()
  await Promise.all([once(spare, 'close'), app.close()])
})

t.test('close() waits for the reply to a running request, and then closes its connection', async t => {
  const { app, open, answer } = await server(t)
  const socket = await open()
  const requested = once(app.server, 'request')
  socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n')
  await requested
  const closing = app.close()
  await turn()
  answer()
  const [reply] = await once(socket, 'data')
  t.match(reply, /^HTTP\/1.1 200 OK/)
  t.match(reply, /late$/)
  await closing
})
