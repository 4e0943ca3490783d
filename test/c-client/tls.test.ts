// The C client with TLS by mbedTLS, against a proxy that terminates TLS.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createServer, type TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import { sdp } from '../helpers/sdp.js'
import { make, startDevice, startScene } from './device.js'

interface Terminator {
  readonly port: number
  /** Whether each connection resumed an earlier session. */
  readonly resumed: boolean[]
  cut(): void
}

/** A certificate of its own for this name, and its key. */
function makeCertificate(folder: string, name: string) {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)]
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...subject]
  execFileSync('openssl', args, { stdio: 'ignore' })
  return { key: readFileSync(key), cert: readFileSync(cert) }
}

async function terminateTls(
  t: Test,
  nodePort: number,
  { key, cert }: { key: Buffer; cert: Buffer }
): Promise<Terminator> {
  const open = new Set<Socket | TLSSocket>()
  const resumed: boolean[] = []
  const server = createServer({ key, cert }, client => {
    resumed.push(client.isSessionReused())
    const node = connect(nodePort, '127.0.0.1')
    client.pipe(node).pipe(client)
    for (const socket of [client, node]) {
      open.add(socket)
      socket.on('error', () => {}).on('close', () => open.delete(socket))
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const socket of open) socket.destroy()
  }
  t.teardown(async () => {
    server.close()
    cut()
    await once(server, 'close')
  })
  return { port: (server.address() as AddressInfo).port, resumed, cut }
}

t.test('calls over TLS, which resume the session after a cut', async t => {
  const { url, alice, variables } = await startScene(t)
  const certificate = makeCertificate(t.testdir(), 'localhost')
  const tls = await terminateTls(t, Number(new URL(url).port), certificate)
  const program = make('build/driver-tls')
  const env = { ...variables, AUTHORITIES: certificate.cert.toString() }
  const device = startDevice(t, { port: tls.port, host: 'localhost', env, program })
  t.match(await device.run('until snapshot'), { result: 'ok' })
  t.match(await device.run('receive 100'), { result: 'idle' })
  const offer = sdp('alice1') + 'a=x-pad:ppppppppppppppppppppppppppppppppppppppppppppppp\r\n'.repeat(800)
  await alice.post('/calls', { callId: 'secret', to: 'bob', offer: { sdp: offer } })
  const { events } = await device.run('until call.incoming')
  t.equal(events.at(-1)?.text('data.offer.sdp'), offer, `${offer.length} bytes`)
  await device.run('sdp bobby1 60000')
  t.match(await device.run('accept secret'), { result: 'ok' })
  tls.cut()
  await alice.post('/calls/secret/hangup')
  t.match(await device.run('until call.ended'), { result: 'ok' })
  t.equal(tls.resumed.at(-1), true, 'the last connection resumed its session')
  t.equal(await device.end(), 0)
})

t.test('a server with the certificate of another name is not talked to', async t => {
  const { url, variables } = await startScene(t)
  const certificate = makeCertificate(t.testdir(), 'elsewhere')
  const tls = await terminateTls(t, Number(new URL(url).port), certificate)
  const env = { ...variables, AUTHORITIES: certificate.cert.toString() }
  const device = startDevice(t, { port: tls.port, host: 'localhost', env, program: make('build/driver-tls') })
  t.match(await device.run('receive 0'), {
    result: 'retry',
    events: [],
    code: 'no_connection',
    isCertificateRefused: true,
    isOfAnotherName: true
  })
})
