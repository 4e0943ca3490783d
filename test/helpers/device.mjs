// A device as a program of its own, which can be stopped: it opens a stream that promises acknowledgements, gives them, and says
// what it receives. Arguments: the server's URL, a token, and what its query adds.
const [url, token, query = ''] = process.argv.slice(2)
const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }

const { body } = await fetch(`${url}/v1/events${query}`, { headers })
let text = ''
for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
  text += chunk
  const blocks = text.split('\n\n')
  text = blocks.pop()
  for (const block of blocks) await take(block)
}

async function take(block) {
  const type = /^event: (.*)$/m.exec(block)?.[1]
  const data = /^data: (.*)$/m.exec(block)?.[1]
  if (type === undefined || data === undefined) return
  const event = JSON.parse(data).data
  console.log(type, JSON.stringify(event))
  if (event.ack) await fetch(`${url}/v1/presence`, { method: 'PUT', headers, body: '{}' })
}
