// A device in C with a key of its own, and with a clock that is ten years slow: it enrolls, calls and is called, replaces its key, and is
// revoked.
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { run } from '../helpers/child-process.js'
import { Client, type ClientEvent } from '../helpers/client.js'
import { LAYOUTS, nameOf, type Server, startServers, tokenOf } from '../helpers/servers.js'
import { make } from './device.js'

const ADMIN_SECRET = 'the-secret-of-operators-is-32-bytes-long'
const CAMERA = '/v1/admin/users/home%2F1/devices/AA:BB/'

const admin = async (server: Server, method: 'POST' | 'DELETE', path: string) => {
  const headers = { authorization: `Bearer ${ADMIN_SECRET}` }
  const reply = await server.app.admin?.inject({ method, url: `${CAMERA}${path}`, headers })
  return reply?.body ? reply.json() : {}
}

async function person(t: Test, { url }: Server, user: string) {
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
  return { client, next }
}

for (const layout of LAYOUTS)
  t.test(`a device enrolls, calls, is called, replaces its key and is revoked: ${nameOf(layout)}`, async t => {
    const env = { ADMIN_PORT: '0', ADMIN_SECRET }
    const servers = await startServers(t, layout, env)
    const [first, last = first] = servers
    if (!first || !last) throw new Error('a node was started')
    const program = make('build/camera')
    const { port } = new URL(last.url)
    const kept = join(t.testdir(), 'camera')
    // Waiting has to take as long as it does: only the date is wrong.
    const clock = { FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1' }
    const start = (file: string, ...args: string[]) =>
      run(t, 'faketime', ['-f', '-10y', program, file, '127.0.0.1', port, ...args], { env: clock, withinMs: 60_000 })
    const { code } = await admin(first, 'POST', 'enrollment-codes')

    const enrolling = start(kept, 'enroll', code.toLowerCase())
    t.equal(await enrolling.waitForExit(), 0, enrolling.stderr())
    t.equal(enrolling.stdout(), 'enrolled as home/1, device AA:BB\n')

    const alice = await person(t, first, 'alice')
    const answering = start(kept, 'answer')
    await answering.waitForOutput(/^ready$/m)
    await alice.client.post('/calls', { to: 'home/1', callId: 'to-camera' })
    t.match(await alice.next('call.accepted'), { call: { callee: { user: 'home/1', device: 'AA:BB' } } })
    await alice.client.post('/calls/to-camera/hangup')
    t.equal(await answering.waitForExit(), 0, answering.stderr())

    const calling = start(kept, 'call', 'alice')
    const { callId, from } = await alice.next('call.incoming')
    t.same(from, { user: 'home/1', device: 'AA:BB' })
    await alice.client.post(`/calls/${callId}/accept`)
    t.equal((await alice.next('call.ended')).reason, 'hangup')
    t.equal(await calling.waitForExit(), 0, calling.stderr())
    t.equal(calling.stdout(), 'calling alice\nanswered\n')

    copyFileSync(kept, `${kept}.old`)
    const rotating = start(kept, 'rotate')
    t.equal(await rotating.waitForExit(), 0, rotating.stderr())
    const old = start(`${kept}.old`, 'answer')
    t.equal(await old.waitForExit(), 1)
    t.equal(old.stderr(), 'refused: 401 invalid_credential\n')

    await admin(first, 'DELETE', 'credential')
    const revoked = start(kept, 'answer')
    t.equal(await revoked.waitForExit(), 1)
    t.equal(revoked.stderr(), 'refused: 401 invalid_credential\n')
    const again = start(kept, 'enroll', code)
    t.equal(await again.waitForExit(), 1, 'nor does its old code help')
    t.equal(again.stderr(), 'refused: 401 invalid_enrollment_code\n')
    const wrong = start(kept, 'enroll', 'none')
    t.equal(await wrong.waitForExit(), 1)
    t.equal(wrong.stderr(), 'refused: 0 invalid_code\n')
  })
