// A token that expires while a stream is open.
import t from 'tap'
import { until } from '../helpers/until.js'
import { Caller, createClient, messagesOf, receivesAll, startProxiedNode, streamsIn, tokenFor } from './fixture.js'

const SECRET = 'the-secret-of-these-clients-is-32-bytes-long'
const VALID_MS = 6000

t.test('a new token extends the stream, which is not interrupted', async t => {
  const { proxy, node } = await startProxiedNode(t, { JWT_SECRET: SECRET, JWT_LEEWAY_MS: '0' })
  let asked = 0
  const client = createClient(t, proxy.url, {
    token: () => tokenFor('bob', ++asked === 1 ? VALID_MS : 600_000, SECRET)
  })
  const numbers = messagesOf(client)
  await client.connect()
  const caller = await Caller.call(t, node.url, () => tokenFor('alice', 600_000, SECRET))
  const later = Date.now() + VALID_MS + 1500
  await until('the first token has expired', async () => {
    await caller.send()
    return Date.now() > later
  })
  await receivesAll(t, numbers, caller)
  t.strictSame([asked, client.connection, streamsIn(proxy).length], [2, 'live', 1])
})

t.test('a stream that ends with its token is opened again with a new one', async t => {
  const { proxy, node } = await startProxiedNode(t, { JWT_SECRET: SECRET, JWT_LEEWAY_MS: '0' })
  const short = await tokenFor('bob', VALID_MS, SECRET)
  const expiresAt = Date.now() + VALID_MS
  // The application keeps a token until it has expired.
  const client = createClient(t, proxy.url, {
    token: () => (Date.now() < expiresAt ? short : tokenFor('bob', 600_000, SECRET))
  })
  const numbers = messagesOf(client)
  await client.connect()
  const caller = await Caller.call(t, node.url, () => tokenFor('alice', 600_000, SECRET))
  await until('the stream is opened again', async () => {
    await caller.send()
    return streamsIn(proxy).length === 2
  })
  await caller.send()
  await receivesAll(t, numbers, caller)
  t.match(proxy.streamed, '"reason":"auth_expired"')
})
