// The flows of a device with a key of its own and a clock that is ten years slow, as a program in some language: it enrolls, calls and is called,
// replaces its key, gets a new token before the old one expires, and is revoked.
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { type Options, type Program, run } from './child-process.js'
import { Client, type ClientEvent } from './client.js'
import { LAYOUTS, nameOf, startServers, tokenOf } from './servers.js'
import { SETTINGS, TestCluster } from './test-cluster.js'
import { until } from './until.js'

export interface DeviceProgram {
  /** `kept` is the file in which the device keeps its key. */
  command(kept: string, url: string, action: string, argument?: string): readonly string[]
  readonly options?: Pick<Options, 'cwd' | 'env'>
  /** The body with which the other side accepts its call. */
  readonly accept: object
}

const ADMIN_SECRET = 'the-secret-of-operators-is-32-bytes-long'
const ENV = { ADMIN_PORT: '0', ADMIN_SECRET }
const DEVICE = '/v1/admin/users/home%2F1/devices/AA:BB/'
const CAMERA = { user: 'home/1', device: 'AA:BB' }

async function admin(app: FastifyInstance | null, method: 'GET' | 'POST' | 'DELETE', path: string) {
  const url = path.startsWith('/') ? path : `${DEVICE}${path}`
  const reply = await app?.inject({ method, url, headers: { authorization: `Bearer ${ADMIN_SECRET}` } })
  return reply?.body ?? ''
}
const newCode = async (app: FastifyInstance | null): Promise<string> =>
  JSON.parse(await admin(app, 'POST', 'enrollment-codes')).code

async function person(t: Test, url: string, user: string) {
  const client = new Client(url, { token: await tokenOf(user), device: 'phone' })
  t.teardown(() => client.close())
  const events = client.events('sse')
  await events.next()
  const next = async (type: string): Promise<ClientEvent['data']> => {
    for (;;) {
      const { value } = await events.next()
      if (value.type === type) return value.data
    }
  }
  return { post: client.post.bind(client), next }
}

/** Starts the program with its clock ten years back. Waiting takes as long as it does: only the date is wrong. */
function starterOf(t: Test, program: DeviceProgram, url: string) {
  const { command, options } = program
  const env = { ...options?.env, FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1' }
  return (kept: string, action: string, argument?: string): Program =>
    run(t, 'faketime', ['-f', '-10y', ...command(kept, url, action, argument)], { ...options, env, withinMs: 60_000 })
}

async function succeed(t: Test, program: Program): Promise<string> {
  t.equal(await program.waitForExit(), 0, program.stderr())
  return program.stdout()
}

async function fail(t: Test, program: Program, code: string): Promise<void> {
  t.not(await program.waitForExit(), 0)
  t.match(program.stderr(), new RegExp(`\\b${code}\\b`))
}

export function testDevice(t: Test, program: DeviceProgram): void {
  for (const layout of LAYOUTS)
    t.test(`a device enrolls, calls, is called, replaces its key and is revoked: ${nameOf(layout)}`, async t => {
      const servers = await startServers(t, layout, ENV)
      const [first, last = first] = servers
      if (!first || !last) throw new Error('a node was started')
      const start = starterOf(t, program, last.url)
      const kept = join(t.testdir(), 'camera')
      const code = await newCode(first.app.admin)
      t.equal(await succeed(t, start(kept, 'enroll', code.toLowerCase())), 'enrolled as home/1, device AA:BB\n')

      const alice = await person(t, first.url, 'alice')
      const answering = start(kept, 'answer')
      await answering.waitForOutput(/^ready$/m)
      await alice.post('/calls', { to: CAMERA.user, callId: 'to-camera' })
      t.match(await alice.next('call.accepted'), { call: { callee: CAMERA } })
      await alice.post('/calls/to-camera/hangup')
      await succeed(t, answering)

      const calling = start(kept, 'call', 'alice')
      const { callId, from } = await alice.next('call.incoming')
      t.same(from, CAMERA)
      await alice.post(`/calls/${callId}/accept`, program.accept)
      t.equal((await alice.next('call.ended')).reason, 'hangup')
      await succeed(t, calling)

      copyFileSync(kept, `${kept}.old`)
      await succeed(t, start(kept, 'rotate'))
      await fail(t, start(`${kept}.old`, 'answer'), 'invalid_credential')

      const waiting = start(kept, 'answer')
      const open = () => servers.reduce((sum, { app }) => sum + app.streams.count().sse, 0)
      await until('the streams of alice and of the device are open', () => open() === 2)
      await admin(first.app.admin, 'DELETE', 'credential')
      await fail(t, waiting, 'signed_out')
      await fail(t, start(kept, 'answer'), 'invalid_credential')
      await fail(t, start(kept, 'enroll', code), 'invalid_enrollment_code')
    })

  t.test('a stream outlives the token that opened it, because the device gets another one', async t => {
    const [setting = { name: '', engine: 'memory', nodes: 1 }] = SETTINGS
    const cluster = await TestCluster.open(setting, { ...ENV, ...DEVELOPMENT, DEVICE_TOKEN_TTL_MS: '60000' })
    t.teardown(() => cluster.close())
    const start = starterOf(t, program, cluster.urlOf(0))
    const kept = join(t.testdir(), 'camera')
    await succeed(t, start(kept, 'enroll', await newCode(cluster.adminOf(0))))
    const answering = start(kept, 'answer')
    await answering.waitForOutput(/^ready$/m)
    await until('its stream is open', () => cluster.openStreams() === 1)
    const counted = async (route: string) => {
      const line = new RegExp(`_count\\{route="${route}",method="\\w+",status="2xx"\\} (\\d+)`)
      return Number(line.exec(await admin(cluster.adminOf(0), 'GET', '/metrics'))?.[1] ?? 0)
    }
    const before = await counted('/v1/device/token')
    await cluster.advance(31_000)
    await until('it has another token', async () => (await counted('/v1/device/token')) > before)
    await until('the stream knows of it', async () => (await counted('/v1/presence')) > 0)
    await cluster.settle()
    await cluster.advance(31_000)
    const alice = await person(t, cluster.urlOf(0), 'alice')
    await alice.post('/calls', { to: CAMERA.user, callId: 'late' })
    await alice.next('call.accepted')
    await alice.post('/calls/late/hangup')
    await succeed(t, answering)
  })
}

/** The cluster has a secret by default. */
const DEVELOPMENT = { JWT_SECRET: '' }
