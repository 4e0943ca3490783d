// The media service of the examples fulfils openapi/media-service.yaml, on a real mediasoup worker.
import t from 'tap'
import { testMediaRequests } from '../helpers/media-contract-cases.js'
import { testMediaPushes } from '../helpers/media-contract-pushes.js'
import { mediaImpossible, startMediaExample } from '../helpers/media-example.js'
import { startMediaReceiver } from '../helpers/media-receiver.js'
import { until } from '../helpers/until.js'

const impossible = mediaImpossible()

function openSession(url: string, secret: string, id: string): Promise<Response> {
  const limits = { transports: 1, producers: 1, consumers: 1, dataProducers: 1, dataConsumers: 1 }
  const body = JSON.stringify({ roomId: 'r', service: 's', idleTimeoutMs: 60_000, confirmAfterMs: 60_000, limits })
  const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' }
  return fetch(`${url}/sessions/${id}`, { method: 'PUT', headers, body })
}

if (impossible !== null) t.pass(`no worker here: ${impossible}`)
else {
  t.test('requests', async t => {
    const { url, secret } = await startMediaExample(t, { WORKERS: '2' })
    await testMediaRequests(t, { url, secret, hasMedia: true })
  })

  t.test('pushes', async t => {
    const receiver = await startMediaReceiver(t)
    const env = { ICE_TIMEOUT_MS: '120', SIGNALPOST_URLS: receiver.url }
    const { url, secret, workers } = await startMediaExample(t, env)
    const loseSession = async () => void process.kill(workers().at(-1) ?? 0, 'SIGKILL')
    // A transport to which no peer has ever sent anything is lost by itself.
    await testMediaPushes(t, { url, secret, hasMedia: true, loseSession, loseContact: () => {} }, receiver)
  })

  t.test('a worker that hangs is killed, its session is lost, and another one takes its place', async t => {
    const receiver = await startMediaReceiver(t)
    const { url, secret, workers } = await startMediaExample(t, { SIGNALPOST_URLS: receiver.url })
    t.equal((await openSession(url, secret, 'a')).status, 201)
    const [hanging = 0] = workers()
    process.kill(hanging, 'SIGSTOP')
    await until('the session is lost', () => receiver.received.length > 0)
    t.match(receiver.received[0]?.body, { sessionId: 'a', events: [{ type: 'session_lost', reason: 'worker_died' }] })
    await until('another worker runs', () => workers().length === 2)
    t.equal((await openSession(url, secret, 'b')).status, 201)
  })

  t.test('on SIGTERM it is unhealthy, takes no new session, and ends when all sessions have moved', async t => {
    const { url, secret, program } = await startMediaExample(t, { DRAIN_MS: '60000' })
    const headers = { authorization: `Bearer ${secret}` }
    const put = (id: string) => openSession(url, secret, id)
    t.equal((await put('a')).status, 201)
    program.signal('SIGTERM')
    await program.waitForOutput(/shutting down/)
    t.equal((await fetch(`${url}/health`, { headers })).status, 503)
    t.equal((await put('b')).status, 503)
    t.equal((await put('a')).status, 200)
    t.equal((await fetch(`${url}/sessions/a`, { method: 'DELETE', headers })).status, 204)
    t.equal(await program.waitForExit(), 0)
  })
}
