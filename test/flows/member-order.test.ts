// The order of members that docs/guides/embedded.md promises to clients that read JSON piece by piece.
import t from 'tap'
import { startServers, tokenOf } from '../helpers/servers.js'

t.test('an event names its type before its data, and in a poll its id before that', async t => {
  const [server] = await startServers(t, { engine: 'memory' })
  const url = server?.url ?? ''
  const headersOf = async (user: string) => ({ authorization: `Bearer ${await tokenOf(user)}` })
  const bob = await headersOf('bob')
  const { cursor } = (await (await fetch(`${url}/v1/snapshot`, { headers: bob })).json()) as { cursor: string }
  const headers = { ...(await headersOf('alice')), 'content-type': 'application/json' }
  await fetch(`${url}/v1/calls`, { method: 'POST', headers, body: '{"to":"bob"}' })

  const poll = await (await fetch(`${url}/v1/events/poll?cursor=${cursor}`, { headers: bob })).text()
  const envelope = /"type":"call\.incoming","timestamp":"[^"]+","data":{/
  t.match(poll, new RegExp(`^{"events":\\[{"id":"[^"]+",${envelope.source}`))
  const stream = await fetch(`${url}/v1/events?cursor=${cursor}`, { headers: bob })
  const reader = stream.body?.getReader()
  let text = ''
  while (!text.includes('event: caught-up')) text += Buffer.from((await reader?.read())?.value ?? []).toString()
  await reader?.cancel()
  t.match(text, new RegExp(`\ndata: {${envelope.source}`))

  const unknown = await fetch(`${url}/v1/events/poll?cursor=9.zzzzz`, { headers: bob })
  t.match(await unknown.text(), /^{"events":\[{"id":"[^"]+","type":"reset","timestamp":"[^"]+","data":{/)
})
