// Replies of a media service, and what the client makes of them.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { createMediaServiceClient, MediaFailure, MediaRefusal } from '../../src/adapters/media-service.js'

type Answer = (reply: ServerResponse, count: number) => void

/** How a request for a session ends. `answer` gets the number of the request, from 1. */
async function outcomeOf(answer: Answer, timeoutMs = 10_000): Promise<string> {
  let count = 0
  const server = createServer((_, reply) => answer(reply, ++count))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  try {
    const { routerRtpCapabilities } = await createMediaServiceClient({ url, secret: 's', timeoutMs }).getSession('s1')
    return `ok ${JSON.stringify(routerRtpCapabilities)}`
  } catch (error) {
    if (error instanceof MediaRefusal) return `refused ${error.code} ${error.detail}`
    return error instanceof MediaFailure ? `failed after ${count}` : String(error)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const send =
  (status: number, body: unknown): Answer =>
  reply =>
    reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

const error = (status: number, code: string, detail?: string) => send(status, { code, ...(detail ? { detail } : {}) })
const fine = send(200, { routerRtpCapabilities: { codecs: [] }, more: 1 })

const CASES: readonly [name: string, answer: Answer, expected: string][] = [
  ['200', fine, 'ok {"codecs":[]}'],
  ['201', send(201, { routerRtpCapabilities: {} }), 'ok {}'],
  ['another document', send(200, { capabilities: {} }), 'failed after 1'],
  ['a list', send(200, []), 'failed after 1'],
  ['no JSON', reply => reply.end('<html>'), 'failed after 1'],
  ['no body', reply => reply.writeHead(204).end(), 'failed after 1'],
  ['500', error(500, 'internal'), 'failed after 1'],
  ['500 with a code of a refusal', error(500, 'not_found'), 'failed after 1'],
  ['401', error(401, 'unauthorized'), 'failed after 1'],
  ['404 of a proxy', send(404, 'not here'), 'failed after 1'],
  ['400', error(400, 'invalid_parameters', 'missing codec'), 'refused invalid_parameters missing codec'],
  ['404 of a session', error(404, 'session_not_found'), 'refused session_not_found '],
  ['404', error(404, 'not_found', 'No such transport'), 'refused not_found No such transport'],
  ['409', error(409, 'already_connected'), 'refused already_connected '],
  ['503 overloaded', error(503, 'overloaded', 'busy'), 'refused overloaded busy'],
  ['503 of a proxy', error(503, 'unavailable'), 'failed after 1'],
  ['409 overloaded', error(409, 'overloaded'), 'failed after 1'],
  ['a long detail', error(400, 'invalid_parameters', 'x'.repeat(600)), `refused invalid_parameters ${'x'.repeat(500)}`],
  ['a redirect', reply => reply.writeHead(302, { location: '/' }).end(), 'failed after 1'],
  ['more than 1 MiB', send(200, { routerRtpCapabilities: { x: 'y'.repeat(1 << 20) } }), 'failed after 1'],
  ['closed connections', reply => reply.destroy(), 'failed after 2'],
  ['a connection that was closed once', (reply, n) => (n === 1 ? reply.destroy() : fine(reply, n)), 'ok {"codecs":[]}']
]

for (const [name, answer, expected] of CASES) {
  t.test(name, async t => {
    t.equal(await outcomeOf(answer), expected)
  })
}

const LATE: readonly [name: string, answer: Answer][] = [
  ['no reply', () => {}],
  ['half a reply', reply => reply.writeHead(200, { 'content-length': 99 }).write('{')]
]

for (const [name, answer] of LATE) {
  t.test(name, async t => {
    t.equal(await outcomeOf(answer, 200), 'failed after 1')
  })
}

t.test('ids are one segment of the path, and the secret is sent as Bearer', async t => {
  const requests: (string | undefined)[] = []
  const server = createServer(({ method, url, headers }, reply) => {
    requests.push(`${method} ${url} ${headers.authorization}`)
    reply.writeHead(204).end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/base/`
  const client = createMediaServiceClient({ url, secret: 'secret', timeoutMs: 10_000 })
  const owner = { sessionId: 's/1', participantId: 'a?b' }
  await client.remove(owner, 'data-producers', 'x#y')
  await client.keepParticipants('s/1', { version: 1, participants: [] })
  server.closeAllConnections()
  t.strictSame(requests, [
    'DELETE /base/sessions/s%2F1/participants/a%3Fb/data-producers/x%23y Bearer secret',
    'PUT /base/sessions/s%2F1/participants Bearer secret'
  ])
})
