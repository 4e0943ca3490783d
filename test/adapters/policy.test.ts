import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { askPolicy, type PolicyRequest } from '../../src/adapters/policy.js'

const { log } = Fastify()
const request: Extract<PolicyRequest, { callId: string }> = {
  action: 'call',
  callId: 'c1',
  caller: { user: 'alice', device: 'phone' },
  to: 'bob',
  media: { audio: true },
  metadata: {}
}

async function policyService(t: Test, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/ask`
}

const config = (policyUrl: string | null, policyOnError: 'deny' | 'allow' = 'deny', policyTimeoutMs = 10_000) => ({
  policyUrl,
  policyOnError,
  policyTimeoutMs
})

t.test('everything is allowed when no service is configured', async t => {
  t.strictSame(await askPolicy(config(null), request, log), { allow: true })
})

t.test('the service receives the call, and its answer decides', async t => {
  let received = ''
  const url = await policyService(t, async (incoming, reply) => {
    for await (const chunk of incoming) received += chunk
    const { to } = JSON.parse(received)
    reply.end(JSON.stringify(to === 'bob' ? { allow: false, reason: 'bob sleeps', more: 1 } : { allow: true }))
  })
  t.strictSame(await askPolicy(config(url), request, log), { allow: false, reason: 'bob sleeps' })
  t.strictSame(JSON.parse(received), request)
  received = ''
  t.strictSame(await askPolicy(config(url), { ...request, to: 'carol' }, log), { allow: true })
})

const FAILURES: Record<string, RequestListener> = {
  'does not reply': () => {},
  'does not finish its reply': (_request, reply) => reply.write('{"allow":'),
  'replies 500': (_request, reply) => reply.writeHead(500).end('{"allow":true}'),
  'replies with more than 64 KiB': (_request, reply) => reply.end(`{"allow":true,"reason":"${'x'.repeat(70_000)}"}`),
  'replies 204': (_request, reply) => reply.writeHead(204).end(),
  'replies with HTML': (_request, reply) => reply.end('<html>'),
  'replies without a boolean `allow`': (_request, reply) => reply.end('{"allow":"yes"}'),
  'replies with null': (_request, reply) => reply.end('null'),
  redirects: (_request, reply) => reply.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
  'closes the connection': (_request, reply) => reply.destroy()
}

for (const [name, answer] of Object.entries(FAILURES)) {
  t.test(`POLICY_ON_ERROR decides when the service ${name}`, async t => {
    const url = await policyService(t, answer)
    await t.rejects(askPolicy(config(url, 'deny', 100), request, log), { code: 'policy_unavailable' })
    t.strictSame(await askPolicy(config(url, 'allow', 100), request, log), { allow: true })
  })
}
