// What the constructor refuses, and errors that have nowhere to go.
import t from 'tap'
import { type CoreOptions, SignalpostCore } from '../../packages/client/src/core.js'
import { createClient, startNode } from './fixture.js'

t.test('a client without a url of a server, or without a token, is refused at once', async t => {
  const [url, token] = ['http://127.0.0.1:8080', () => 'token']
  for (const options of [{}, { token }, { url }, { url: 'not a url', token }, { url: '127.0.0.1:8080', token }])
    t.throws(() => new SignalpostCore(options as CoreOptions), { name: 'TypeError', message: /url.*token/ })
  for (const known of [url, `${url}/`, 'https://calls.example.com']) t.ok(new SignalpostCore({ url: known, token }))
})

t.test('a listener for errors that throws is called once for each error', async t => {
  const { url } = await startNode(t)
  const client = createClient(t, url)
  const [seen, printed] = [[] as unknown[], t.capture(console, 'error')]
  client.on('error', error => {
    seen.push(error)
    throw new Error('from the listener')
  })
  const fault = new Error('from another listener')
  client.on('connection', () => {
    throw fault
  })
  await client.connect()
  t.strictSame(seen, [fault, fault], 'connecting and live')
  t.match(printed.args(), [[{ message: 'from the listener' }], [{ message: 'from the listener' }]])
})
