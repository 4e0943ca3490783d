// A client that ends its side of the connection after its request, as `nc -N` does, and one that has gone: both send the same FIN.
import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { startServers, tokenOf } from '../helpers/servers.js'
import { until } from '../helpers/until.js'

async function start(t: Test) {
  const [server] = await startServers(t, { engine: 'memory' })
  if (server === undefined) throw new Error('no server')
  const { url, app } = server
  const alice = { authorization: `Bearer ${await tokenOf('alice')}` }
  const bob = { authorization: `Bearer ${await tokenOf('bob')}` }
  const { cursor } = (await (await fetch(`${url}/v1/snapshot`, { headers: alice })).json()) as { cursor: string }

  /** Sends the request as alice, and half-closes. */
  async function ask(line: string, isHalfClosed = true) {
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true })
    const pieces: Buffer[] = []
    socket.on('data', piece => pieces.push(piece)).on('error', () => {})
    await once(socket, 'connect')
    socket.write(`${line}\r\nHost: x\r\nAuthorization: ${alice.authorization}\r\n\r\n`)
    if (isHalfClosed) socket.end()
    const received = () => Buffer.concat(pieces).toString()
    return { socket, received, answered: once(socket, 'end').then(received) }
  }

  const call = () =>
    fetch(`${url}/v1/calls`, {
      method: 'POST',
      headers: { ...bob, 'content-type': 'application/json' },
      body: '{"to":"alice"}'
    })
  return { app, cursor, ask, call }
}

t.test('a poll that waits on a half-closed connection is answered with the next event', async t => {
  const { app, cursor, ask, call } = await start(t)
  const poll = await ask(`GET /v1/events/poll?cursor=${cursor}&wait=20 HTTP/1.1`)
  await until('the server has noticed', () => poll.received().includes('100 Continue'))
  t.equal(app.streams.count().poll, 1, 'it waits')
  await call()
  const replies = (await poll.answered).split('\r\n\r\n')
  t.equal(replies[0], 'HTTP/1.1 100 Continue')
  t.match(replies.at(-2), /^HTTP\/1.1 200 OK\r\n/)
  t.match(replies.at(-1), '"type":"call.incoming"')
})

t.test('without an event it is answered when its wait is over', async t => {
  const { cursor, ask } = await start(t)
  const poll = await ask(`GET /v1/events/poll?cursor=${cursor}&wait=1 HTTP/1.1`)
  t.match(await poll.answered, `{"events":[],"cursor":"${cursor}"}`)
})

t.test('over HTTP/1.0, which has no interim replies, it is answered at once', async t => {
  const { cursor, ask } = await start(t)
  const poll = await ask(`GET /v1/events/poll?cursor=${cursor}&wait=20 HTTP/1.0`)
  const reply = await poll.answered
  t.match(reply, /^HTTP\/1.1 200 OK\r\n/)
  t.match(reply, `{"events":[],"cursor":"${cursor}"}`)
})

t.test('a poll whose client has gone waits no longer, whether it half-closed before or not', async t => {
  const { app, cursor, ask } = await start(t)
  for (const isHalfClosed of [true, false]) {
    const poll = await ask(`GET /v1/events/poll?cursor=${cursor}&wait=20 HTTP/1.1`, isHalfClosed)
    await until('it waits', () => app.streams.count().poll === 1)
    poll.socket.destroy()
    await until('it has left', () => app.streams.count().poll === 0)
  }
})

t.test('an action on a half-closed connection is answered', async t => {
  const { ask } = await start(t)
  const reply = await ask('POST /v1/calls/none/hangup HTTP/1.1')
  t.match(await reply.answered, '"code":"call_not_found"')
})

t.test('a stream on a half-closed connection ends: its client may have gone', async t => {
  const { app, ask } = await start(t)
  const stream = await ask('GET /v1/events HTTP/1.1')
  await stream.answered
  await until('it has left', () => app.streams.count().sse === 0)
  t.notMatch(stream.received(), '0\r\n\r\n')
})
