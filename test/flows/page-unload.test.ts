// What a page that is being closed can still do: beacons, which carry no header of ours, and DELETEs with keepalive.
import t, { type Test } from 'tap'
import { startServers, tokenOf } from '../helpers/servers.js'

interface Sent {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Alice and bob in a call; alice has a ticket. */
async function start(t: Test) {
  const [{ url } = { url: '' }] = await startServers(t, { engine: 'memory' })
  const tokens = { alice: await tokenOf('alice'), bob: await tokenOf('bob') }

  async function ask(user: 'alice' | 'bob' | null, method: string, path: string, { headers = {}, body }: Sent = {}) {
    const authorization = user === null ? {} : { authorization: `Bearer ${tokens[user]}` }
    const type = typeof body === 'string' && user !== null ? { 'content-type': 'application/json' } : {}
    const reply = await fetch(`${url}/v1/${path}`, {
      method,
      headers: { ...authorization, ...type, ...headers },
      ...(body === undefined ? {} : { body })
    })
    const text = await reply.text()
    return { status: reply.status, body: text === '' ? {} : JSON.parse(text) }
  }

  await ask('bob', 'PUT', 'presence')
  await ask('alice', 'POST', 'calls', { body: '{"to":"bob","callId":"c1"}' })
  const { ticket } = (await ask('alice', 'POST', 'events/tickets')).body
  /** As navigator.sendBeacon sends it. */
  const beacon = (path: string, headers: Readonly<Record<string, string>> = {}, body = '') =>
    ask(null, 'POST', path, { headers: { 'content-type': 'text/plain;charset=UTF-8', ...headers }, body })
  return { url, ask, beacon, ticket, tokens }
}

t.test('a beacon with a ticket cancels a call that rings', async t => {
  const { beacon, ticket } = await start(t)
  t.match(await beacon(`calls/c1/cancel?ticket=${ticket}`), { status: 200, body: { call: { reason: 'cancelled' } } })
})

t.test('a beacon with a ticket hangs up, whatever its text', async t => {
  const { ask, beacon, ticket } = await start(t)
  await ask('bob', 'POST', 'calls/c1/accept')
  const hungUp = { status: 200, body: { call: { state: 'ended', reason: 'hangup', endedBy: { user: 'alice' } } } }
  t.match(await beacon(`calls/c1/hangup?ticket=${ticket}`, {}, 'unload'), hungUp)
})

t.test('a beacon with the cookie hangs up from pages of this server only', async t => {
  const { url, ask, beacon, tokens } = await start(t)
  await ask('bob', 'POST', 'calls/c1/accept')
  const cookie = `access_token=${tokens.alice}`
  t.match(await beacon('calls/c1/hangup', { cookie, origin: 'https://evil.example' }), { status: 401 })
  t.match(await beacon('calls/c1/hangup', { cookie, origin: url }), { status: 200, body: { call: { state: 'ended' } } })
})

t.test('a ticket leaves a room, and removes no one else', async t => {
  const { ask, ticket } = await start(t)
  const alice = (await ask('alice', 'POST', 'rooms/r1/participants')).body.participantId
  const bob = (await ask('bob', 'POST', 'rooms/r1/participants')).body.participantId
  t.match(await ask(null, 'DELETE', `rooms/r1/participants/${bob}?ticket=${ticket}`), { status: 403 })
  t.match(await ask(null, 'DELETE', `rooms/r1/participants/${bob}?ticket=${ticket}&ban=true`), { status: 403 })
  t.match(await ask(null, 'DELETE', `rooms/r1/participants/${alice}?ticket=${ticket}`), { status: 204 })
  t.match((await ask('bob', 'GET', 'rooms/r1')).body, { participants: [{ user: 'bob' }] })
})

t.test('a ticket signs its device off, and is revoked with it', async t => {
  const { ask, ticket } = await start(t)
  t.match(await ask(null, 'DELETE', `presence?ticket=${ticket}`), { status: 204 })
  t.match(await ask(null, 'DELETE', `presence?ticket=${ticket}`), { status: 401, body: { code: 'invalid_ticket' } })
})

t.test('a ticket authorises nothing else', async t => {
  const { ask, ticket } = await start(t)
  const others: [string, string][] = [
    ['POST', 'calls'],
    ['POST', 'calls/c1/accept'],
    ['POST', 'calls/c1/reject'],
    ['PUT', 'presence'],
    ['GET', 'snapshot'],
    ['POST', 'events/tickets'],
    ['POST', 'rooms/r1/participants'],
    ['DELETE', 'rooms/r1']
  ]
  for (const [method, path] of others) {
    t.match(await ask(null, method, `${path}?ticket=${ticket}`), { status: 401, body: { code: 'unauthorized' } }, path)
  }
})
