// The target of the fuzz tests: a node with calls in each state, their users, and the operations of its OpenAPI document.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createToken } from '../../src/development.js'
import { ERRORS, type ErrorCode } from '../../src/errors.js'
import { resolved, type Schema } from './invalid-values.js'
import { expectedRetryable, faultsOfProblem } from './problems.js'
import { Scenario } from './scenario.js'
import { candidates, sdp } from './sdp.js'
import type { TestClient } from './test-client.js'
import type { TestCluster } from './test-cluster.js'

const DEVICE = 'phone'

type Where = 'path' | 'query' | 'header'

interface Parameter {
  readonly name: string
  readonly in: Where
  readonly schema: Schema
}

export interface Operation {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly parameters: readonly Parameter[]
  /** Of JSON. */
  readonly body: Schema | null
  readonly isBodyRequired: boolean
  /** Of a body that is a text, such as application/sdp; null: the body is JSON, or there is none. */
  readonly textType: string | null
  /** False: it is for devices that have none yet. */
  readonly takesToken: boolean
}

export interface RawRequest {
  readonly path?: string
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  /** As text. */
  readonly body?: string
}

export class Target {
  readonly scenario: Scenario
  readonly clients: readonly TestClient[]
  readonly operations: readonly Operation[]
  readonly #tokens: readonly string[]

  private constructor(scenario: Scenario, parts: { clients: TestClient[]; operations: Operation[]; tokens: string[] }) {
    this.scenario = scenario
    this.clients = parts.clients
    this.operations = parts.operations
    this.#tokens = parts.tokens
  }

  /** With a ringing call, a connected one and an ended one. Requests come from the users of these calls and from a stranger. */
  static async make(cluster: TestCluster): Promise<Target> {
    const scenario = new Scenario(cluster)
    const names = ['alice', 'bob', 'carol', 'dave', 'mallory']
    const clients: TestClient[] = []
    for (const name of names) clients.push(await scenario.addClient(name, 'phone', { silent: true }))
    const [alice, bob, carol, dave] = clients as [TestClient, TestClient, TestClient, TestClient]
    for (const client of clients) await client.poll()
    await alice.post('calls', { callId: 'over', to: 'bob' })
    await bob.post('calls/over/reject')
    await alice.post('calls', { callId: 'rings', to: 'bob', ringTimeoutMs: 90_000 })
    await carol.post('calls', { callId: 'on', to: 'dave', offer: { sdp: sdp('carolA') } })
    await dave.post('calls/on/accept')
    await dave.post('calls/on/answer', { sdp: sdp('daveA') })
    await carol.post('calls/on/candidates', { candidates: candidates(2, 'later') })
    await dave.post('calls/on/connected')
    for (const client of clients) await client.poll()
    const tokens = await Promise.all(names.map(name => createToken(cluster.config, { user: scenario.toWire(name) })))
    const reply = await fetch(`${cluster.urlOf(0)}/openapi.json`)
    return new Target(scenario, { clients, operations: operationsOf((await reply.json()) as Document), tokens })
  }

  get calls(): string[] {
    return ['over', 'rings', 'on', 'none'].map(name => this.scenario.toPath(name))
  }

  /** The calls as each user sees them, and the events that each has received since the last time. */
  async visibleState(): Promise<unknown> {
    await this.scenario.cluster.settle()
    const seen = this.clients.map(async client => ({
      calls: await Promise.all(['over', 'rings', 'on', 'none'].map(id => client.request('GET', `calls/${id}`))),
      active: await client.activeCalls(),
      events: await client.poll()
    }))
    return Promise.all(seen)
  }

  async send({ method, path }: Operation, who: number, wire: RawRequest): Promise<Response> {
    const filled = path.replace('{callId}', this.calls[who % 4] ?? '').replace('{deviceId}', DEVICE)
    const url = `${this.scenario.urlOf(0)}${wire.path ?? filled}${wire.query ?? ''}`
    const json = wire.body === undefined ? {} : { 'content-type': 'application/json', body: wire.body }
    return fetch(url, {
      method: method.toUpperCase(),
      headers: {
        authorization: `Bearer ${this.#tokens[who % this.#tokens.length]}`,
        'x-device-id': DEVICE,
        ...(wire.body === undefined ? {} : { 'content-type': json['content-type'] ?? '' }),
        ...wire.headers
      },
      ...(wire.body === undefined ? {} : { body: wire.body })
    })
  }
}

/** Sends bytes that no client library would send. Resolves to the reply when the server has closed the connection. */
export async function sendBytes(url: string, bytes: string): Promise<Response> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', chunk => chunks.push(chunk)).write(bytes, 'latin1')
  await once(socket, 'close')
  const [head = '', body = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const headers = lines.map(line => line.split(': ', 2) as [string, string])
  return new Response(body, { status: Number(first.split(' ')[1]), headers })
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, unknown>>
    readonly parameters: Readonly<Record<string, Parameter>>
  }
}

interface DocumentedOperation {
  readonly operationId: string
  readonly parameters?: readonly (Parameter | { readonly $ref: string })[]
  readonly security?: readonly object[]
  readonly requestBody?: { required?: boolean; content: Readonly<Record<string, { schema: unknown }>> }
}

const jsonSchemaOf = ({ requestBody }: DocumentedOperation) => requestBody?.content['application/json']?.schema

export function operationsOf({ paths, components }: Document): Operation[] {
  const parameterOf = (parameter: Parameter | { readonly $ref: string }): Parameter =>
    '$ref' in parameter
      ? (components.parameters[parameter.$ref.replace('#/components/parameters/', '')] as Parameter)
      : parameter
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      id: operation.operationId,
      method,
      path,
      parameters: (operation.parameters ?? []).map(each => {
        const parameter = parameterOf(each)
        return { ...parameter, schema: resolved(parameter.schema, components.schemas) }
      }),
      body: jsonSchemaOf(operation) ? resolved(jsonSchemaOf(operation), components.schemas) : null,
      isBodyRequired: operation.requestBody?.required === true,
      textType: jsonSchemaOf(operation) ? null : (Object.keys(operation.requestBody?.content ?? {})[0] ?? null),
      takesToken: operation.security?.length !== 0
    }))
  )
}

export async function checkProblem(response: Response, about: string): Promise<ErrorCode> {
  const text = await response.text()
  assert.ok(response.status >= 400 && response.status < 500, `${response.status} for ${about}: ${text.slice(0, 200)}`)
  assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/, about)
  const problem = JSON.parse(text)
  const row = ERRORS[problem.code as ErrorCode]
  assert.ok(row, `${problem.code} is in the table`)
  const retryable = expectedRetryable(problem.code, problem.retryable)
  assert.deepEqual([problem.status, problem.title, problem.retryable], [row.status, row.title, retryable], about)
  assert.equal(response.status, row.status, about)
  assert.deepEqual(faultsOfProblem(problem), [], about)
  return problem.code
}
