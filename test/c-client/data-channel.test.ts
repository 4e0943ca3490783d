// The C client with libdatachannel: a device answers a page in a real Chromium, and a message goes there and back over a data channel.
import t, { type Test } from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { servePages } from '../client/pages.js'
import { run } from '../helpers/child-process.js'
import { Client } from '../helpers/client.js'
import { startServers, tokenOf } from '../helpers/servers.js'
import { make } from './device.js'

const program = make('build/data-channel', `LIBDATACHANNEL=${process.env.LIBDATACHANNEL}`)

const origin = await servePages(t)
const browser = await launchChromium(t)

async function startScene(t: Test) {
  const [server] = await startServers(t, { engine: 'memory' }, { CORS_ORIGINS: origin })
  const url = server?.url ?? ''
  const device = run(t, program, ['127.0.0.1', new URL(url).port, 'door'], { env: { TOKEN: await tokenOf('bob') } })
  await device.waitForOutput(/^ready$/m)
  const page = await browser.newPage()
  t.teardown(() => page.close())
  await page.goto(origin)
  return { url, device, evaluate: (script: string) => page.evaluate(script) }
}

/** Calls bob with the SDK, with the options of `client.call`, opens a data channel, and resolves to the first message that comes back. */
const callScript = (url: string, token: string, options: string) => `(async () => {
  const { Signalpost } = await import('/client/index.js')
  const client = new Signalpost({ url: '${url}', token: () => '${token}' })
  await client.connect()
  let setup
  const echo = new Promise(resolve => {
    setup = connection => {
      const channel = connection.createDataChannel('echo')
      channel.onopen = () => channel.send('Grüße')
      channel.onmessage = ({ data }) => resolve(data)
    }
  })
  globalThis.call = await client.call('bob', { setup, ${options} })
  return await echo
})()`

t.test('a device answers a browser, and sends back what arrives on the data channel', async t => {
  const { url, device, evaluate } = await startScene(t)
  t.equal(await evaluate(callScript(url, await tokenOf('alice'), '')), 'Grüße')
  // A second negotiation, which the device answers too.
  const renegotiated = `call.peerConnection.addTransceiver('audio') && new Promise(resolve => {
    call.peerConnection.addEventListener('signalingstatechange', ({ target }) => target.signalingState === 'stable' && resolve('stable'))
  })`
  t.equal(await evaluate(renegotiated), 'stable')
  await evaluate('call.hangup()')
  t.equal(await device.waitForExit(), 0, device.stderr())
  t.equal(device.stdout(), 'ready\nanswered\nanswered\nover\n')
  t.equal(device.stderr(), '')
})

t.test('a device accepts a call whose offer follows', async t => {
  const { url, device } = await startScene(t)
  const alice = new Client(url, { token: await tokenOf('alice'), device: 'phone' })
  t.teardown(() => alice.close())
  const events = alice.events('sse')
  await events.next()
  await alice.post('/calls', { callId: 'later', to: 'bob' })
  t.match((await events.next()).value, { type: 'call.accepted' })
  await alice.post('/calls/later/hangup')
  t.equal(await device.waitForExit(), 0, device.stderr())
  t.equal(device.stdout(), 'ready\nover\n')
})
