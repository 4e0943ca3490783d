// A device in Python with a key of its own, and with a clock that is ten years slow: it enrolls, calls and is called, replaces its key, and is
// revoked.
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { run } from '../helpers/child-process.js'
import { Client, type ClientEvent } from '../helpers/client.js'
import { LAYOUTS, nameOf, type Server, startServers, tokenOf } from '../helpers/servers.js'
import { build } from './programs.js'

const ADMIN_SECRET = 'the-secret-of-operators-is-32-bytes-long'
const ENV = { ADMIN_PORT: '0', ADMIN_SECRET }
const FOLDER = join(process.cwd(), 'examples/clients/python')
const PYTHON = join(process.env.WORK ?? join(FOLDER, '.build'), 'python/bin/python')
const CAMERA = '/v1/admin/users/home%2F1/devices/AA:BB/'

const admin = async (server: Server | undefined, method: 'POST' | 'DELETE', path: string) => {
  const headers = { authorization: `Bearer ${ADMIN_SECRET}` }
  const reply = await server?.app.admin?.inject({ method, url: `${CAMERA}${path}`, headers })
  return reply?.body ? reply.json() : {}
}

t.before(() => build(t, { name: 'python', needs: ['python3'], media: 'data' }))

/** Runs a program of the example as the device of this file. */
function device(t: Test, { url = '' }: Partial<Server>, file: string) {
  return (...args: string[]) =>
    run(t, 'faketime', ['-f', '-10y', PYTHON, '-u', ...args], {
      cwd: FOLDER,
      withinMs: 60_000,
      env: {
        ...{ SIGNALPOST_URL: url, SIGNALPOST_DEVICE_FILE: file, MEDIA: 'none', PYTHONPATH: 'generated' },
        // Waiting has to take as long as it does: only the date is wrong.
        ...{ FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1' }
      }
    })
}

async function person(t: Test, { url = '' }: Partial<Server>, user: string) {
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
    const servers = await startServers(t, layout, ENV)
    const [first] = servers
    const last = servers.at(-1)
    if (!first || !last) throw new Error('a node was started')
    const file = join(t.testdir(), 'camera.json')
    const start = device(t, last, file)
    const { code } = await admin(first, 'POST', 'enrollment-codes')

    const enrolling = start('device.py', 'enroll', code.toLowerCase())
    t.equal(await enrolling.waitForExit(), 0, enrolling.stderr())
    t.equal(enrolling.stdout(), 'enrolled as home/1, device AA:BB\n')
    const date = start('-c', 'import datetime; print(datetime.date.today().year)')
    await date.waitForExit()
    t.ok(Number(date.stdout()) < new Date().getFullYear() - 8, `its clock says ${date.stdout()}`)

    const alice = await person(t, first, 'alice')
    const answering = start('client.py', 'answer')
    await answering.waitForOutput(/^ready$/m)
    await alice.client.post('/calls', { to: 'home/1', callId: 'to-camera' })
    t.match(await alice.next('call.accepted'), { call: { callee: { user: 'home/1', device: 'AA:BB' } } })
    await alice.client.post('/calls/to-camera/hangup')
    t.equal(await answering.waitForExit(), 0, answering.stderr())

    const calling = start('client.py', 'call', 'alice')
    const { callId, from } = await alice.next('call.incoming')
    t.same(from, { user: 'home/1', device: 'AA:BB' })
    await alice.client.post(`/calls/${callId}/accept`, { answer: { sdp: ANSWER } })
    t.equal(await calling.waitForExit(), 0, calling.stderr())
    t.match(calling.stdout(), /accepted\nended: hangup/)

    copyFileSync(file, `${file}.old`)
    const rotating = start('device.py', 'rotate')
    t.equal(await rotating.waitForExit(), 0, rotating.stderr())
    const old = device(t, last, `${file}.old`)('device.py', 'token')
    t.equal(await old.waitForExit(), 1)
    t.match(old.stderr(), /^invalid_credential: /)
    const young = start('device.py', 'token')
    t.equal(await young.waitForExit(), 0, young.stderr())

    await admin(first, 'DELETE', 'credential')
    const revoked = start('device.py', 'token')
    t.equal(await revoked.waitForExit(), 1)
    t.match(revoked.stderr(), /^invalid_credential: /)
    const again = start('device.py', 'enroll', code)
    t.equal(await again.waitForExit(), 1, 'nor does its old code help')
  })

const ANSWER = `${[
  'v=0',
  'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:F7gI',
  'a=ice-pwd:x9cml/YzichV2+XlhiMu8g',
  `a=fingerprint:sha-256 ${Array(32).fill('D1').join(':')}`,
  'a=setup:active',
  'a=mid:0',
  'a=sctp-port:5000'
].join('\r\n')}\r\n`
