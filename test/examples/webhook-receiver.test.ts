// The webhook receiver of the examples, as a program: what it accepts, and how it is told to misbehave.
import { Webhook } from 'standardwebhooks'
import t from 'tap'
import { run } from '../helpers/child-process.js'
import { secretOf } from '../helpers/webhook-receiver.js'

const [OLD, NEW, OTHER] = [secretOf(1), secretOf(2), secretOf(3)]
const event = { type: 'call.ended', timestamp: '2026-11-21T10:00:00.000Z', data: { callId: 'c1' } }

interface Sending {
  readonly secret?: string
  readonly at?: number
  readonly body?: string
}

t.test('the program takes what is signed, once, and misbehaves when it is told to', async t => {
  const program = run(t, process.execPath, ['examples/services/webhook-receiver.mjs', '0'], {
    env: { WEBHOOK_SECRETS: `${OLD}+${NEW}` }
  })
  const [, url = ''] = /(http:\S+)/.exec(await program.waitForOutput(/http:\S+/)) ?? []
  const text = JSON.stringify(event)

  /** Signed by the public library. */
  async function send(id: string, { secret = OLD, at = Date.now(), body = text }: Sending = {}): Promise<Response> {
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at / 1000)),
      'webhook-signature': new Webhook(secret).sign(id, new Date(at), text)
    }
    return fetch(`${url}/hook`, { method: 'POST', headers, body })
  }
  const statusOf = async (...sent: Parameters<typeof send>) => (await send(...sent)).status
  const behave = (behaviour: object) =>
    fetch(`${url}/behaviour`, { method: 'PUT', body: JSON.stringify(behaviour) }).then(reply => reply.json())

  t.equal(await statusOf('msg_1'), 204)
  t.equal(await statusOf('msg_1', { secret: NEW }), 204, 'a repeat, signed with the other secret')
  t.equal(await statusOf('msg_2', { secret: OTHER }), 401)
  t.equal(await statusOf('msg_2', { body: `${text} ` }), 401, 'the body is not what was signed')
  for (const minutes of [-6, 6]) t.equal(await statusOf('msg_2', { at: Date.now() + minutes * 60_000 }), 401)
  t.equal((await fetch(`${url}/hook`, { method: 'POST', body: text })).status, 401)
  t.match(await (await fetch(`${url}/events`)).json(), { requests: 7, repeats: 1, refused: 5, events: [event] })
  await program.waitForOutput(/call\.ended c1/)

  t.same(await behave({ status: 429, retryAfter: 7 }), { status: 429, retryAfter: 7 })
  const busy = await send('msg_3')
  t.same([busy.status, busy.headers.get('retry-after')], [429, '7'])
  await behave({ closes: true })
  await t.rejects(send('msg_3'))
  await behave({ status: 410 })
  t.equal(await statusOf('msg_3'), 410)
  await behave({})
  t.equal(await statusOf('msg_3'), 204)
})
