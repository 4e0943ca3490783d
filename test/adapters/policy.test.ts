// Answers of the policy service: which are valid, for the adapter as for openapi/policy-service.yaml, and how a service may fail.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { Compile } from 'typebox/compile'
import { parse } from 'yaml'
import { askPolicyService, readPolicyAnswer } from '../../src/adapters/policy.js'
import type { PolicyAction, PolicyQuestion, QuestionOf } from '../../src/schemas/policy.js'
import { resolved } from '../helpers/invalid-values.js'

const question: QuestionOf<'call'> = {
  action: 'call',
  callId: 'c1',
  caller: { user: 'alice', device: 'phone' },
  to: 'bob',
  redirectedFrom: [],
  media: 'audio',
  metadata: {},
  ringTimeoutMs: 30_000
}

const contract = parse(readFileSync(new URL('../../openapi/policy-service.yaml', import.meta.url), 'utf8'))
const { schemas } = contract.components
const shapeOf = (name: string) => Compile(resolved(schemas[name], schemas) as object)
const SHAPES = {
  call: [shapeOf('Denial'), shapeOf('CallAllowance')],
  transfer: [shapeOf('Denial'), shapeOf('TransferAllowance')],
  invitation: [shapeOf('Denial'), shapeOf('InvitationAllowance')],
  room: [shapeOf('Denial'), shapeOf('Allowance')],
  join: [shapeOf('Denial'), shapeOf('JoinAllowance')],
  presence: [shapeOf('Denial'), shapeOf('Allowance')]
} as const

const ACTIONS = Object.keys(SHAPES) as PolicyAction[]

/** The actions for which the answer is valid. */
const ANSWERS: readonly (readonly [answer: unknown, validFor: readonly PolicyAction[]])[] = [
  [{ allow: true }, ACTIONS],
  [{ allow: false }, ACTIONS],
  [{ allow: false, reason: 'Not at night' }, ACTIONS],
  [{ allow: false, reason: 'Not at night', holdsMs: 60_000 }, ACTIONS],
  [{ allow: true, holdsMs: 3_600_000 }, ACTIONS],
  [{ allow: true, to: 'carol' }, ['call', 'transfer']],
  [{ allow: true, media: 'audio' }, ['call']],
  [{ allow: true, maxDurationMs: 1000 }, ['call']],
  [{ allow: true, ringTimeoutMs: 5000 }, ['call', 'transfer', 'invitation']],
  [{ allow: true, metadata: { name: 'Alice of Accounting' } }, ['call', 'invitation']],
  [
    { allow: true, to: 'carol', media: 'data', metadata: {}, ringTimeoutMs: 90_000, maxDurationMs: 1e6, holdsMs: 1 },
    ['call']
  ],
  [{ allow: true, role: 'listener' }, ['join']],
  [{}, []],
  [null, []],
  [[], []],
  ['allow', []],
  [true, []],
  [{ allow: 'true' }, []],
  [{ allow: 1 }, []],
  [{ allow: null }, []],
  [{ allow: true, more: 1 }, []],
  [{ allow: false, more: 1 }, []],
  [{ allow: true, reason: 'welcome' }, []],
  [{ allow: false, to: 'carol' }, []],
  [{ allow: false, reason: '' }, []],
  [{ allow: false, reason: 'x'.repeat(501) }, []],
  [{ allow: false, reason: null }, []],
  [{ allow: true, holdsMs: 0 }, []],
  [{ allow: true, holdsMs: 3_600_001 }, []],
  [{ allow: true, holdsMs: '60000' }, []],
  [{ allow: true, holdsMs: 1.5 }, []],
  [{ allow: true, to: '' }, []],
  [{ allow: true, to: null }, []],
  [{ allow: true, to: ['carol'] }, ['call']],
  [{ allow: true, to: 'x'.repeat(256) }, []],
  [{ allow: true, to: 'a\nb' }, []],
  [{ allow: true, media: 'screen' }, []],
  [{ allow: true, media: null }, []],
  [{ allow: true, metadata: 'text' }, []],
  [{ allow: true, metadata: Object.fromEntries(Array.from({ length: 65 }, (_, n) => [n, n])) }, []],
  [{ allow: true, ringTimeoutMs: 4999 }, []],
  [{ allow: true, ringTimeoutMs: 90_001 }, []],
  [{ allow: true, maxDurationMs: 999 }, []],
  [{ allow: true, maxDurationMs: 2_147_483_648 }, []],
  [{ allow: true, role: 'owner' }, []],
  [{ allow: true, grants: ['join'] }, []]
]

const isRead = (action: PolicyAction, answer: unknown): boolean => {
  try {
    readPolicyAnswer(action, answer)
    return true
  } catch {
    return false
  }
}

t.test('the adapter takes what the contract allows for the action, and nothing else', async t => {
  for (const [answer, validFor] of ANSWERS)
    for (const action of ACTIONS) {
      const name = `${action} ${JSON.stringify(answer).slice(0, 80)}`
      t.equal(isRead(action, answer), validFor.includes(action), name)
      const byContract = SHAPES[action].some(shape => shape.Check(answer))
      t.equal(byContract, validFor.includes(action), `by the contract: ${name}`)
    }
  t.notOk(isRead('call', { allow: true, to: '..' }), 'no id: a URL resolves it')
  t.throws(() => readPolicyAnswer('call', { allow: true, media: 'screen' }), { message: /\/media/ })
})

t.test('the examples of the contract are valid', async t => {
  const { requestBody, responses } = contract.paths['/decisions'].post
  const examples: Record<string, { value: PolicyQuestion }> = requestBody.content['application/json'].examples
  t.same(Object.keys(examples).sort(), [...ACTIONS].sort())
  const shape = Compile(resolved(schemas.PolicyQuestion, schemas) as object)
  for (const [name, { value }] of Object.entries(examples)) t.ok(shape.Check(value), name)
  const answers: { value: unknown }[] = Object.values(responses['200'].content['application/json'].examples)
  for (const { value } of answers)
    t.ok(
      ACTIONS.some(action => isRead(action, value)),
      JSON.stringify(value)
    )
})

async function policyService(t: Test, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/decisions`
}

t.test('the service gets the question as JSON', async t => {
  let received: unknown
  const url = await policyService(t, async (incoming, reply) => {
    let text = ''
    for await (const chunk of incoming) text += chunk
    const { method, url, headers } = incoming
    received = [method, url, headers['content-type'], headers.authorization, JSON.parse(text)]
    reply.end('{"allow": false, "reason": "bob sleeps"}')
  })
  const config = { policyUrl: url, policySecret: null, policyTimeoutMs: 10_000 }
  t.strictSame(await askPolicyService(config, question), { allow: false, reason: 'bob sleeps' })
  t.strictSame(received, ['POST', '/decisions', 'application/json', undefined, question])
  await askPolicyService({ ...config, policySecret: 'the secret of the policy service' }, question)
  t.match(received, ['POST', '/decisions', 'application/json', 'Bearer the secret of the policy service'])
})

const FAILURES: Record<string, readonly [answer: RequestListener, message: RegExp]> = {
  'does not reply': [() => {}, /no reply within 100 ms/],
  'does not finish its reply': [(_request, reply) => reply.write('{"allow":'), /no reply within 100 ms/],
  'replies 500': [(_request, reply) => reply.writeHead(500).end('{"allow":true}'), /replied with 500/],
  'replies 201': [(_request, reply) => reply.writeHead(201).end('{"allow":true}'), /replied with 201/],
  'replies 204': [(_request, reply) => reply.writeHead(204).end(), /replied with 204/],
  'replies with more than 16 KiB': [
    (_request, reply) => reply.end(`{"allow":true${' '.repeat(17_000)}}`),
    /more than 16384 bytes/
  ],
  'replies with HTML': [(_request, reply) => reply.end('<html>'), /JSON/],
  'replies with nothing': [(_request, reply) => reply.end(), /JSON/],
  'replies with an unknown member': [(_request, reply) => reply.end('{"allow":true,"more":1}'), /valid answer/],
  redirects: [
    (_request, reply) => reply.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
    /replied with the redirect 307/
  ],
  'closes the connection': [(_request, reply) => reply.destroy(), /hang up/]
}

for (const [name, [answer, message]] of Object.entries(FAILURES)) {
  t.test(`it is a failure if the service ${name}`, async t => {
    const url = await policyService(t, answer)
    await t.rejects(askPolicyService({ policyUrl: url, policySecret: null, policyTimeoutMs: 100 }, question), {
      message
    })
  })
}
