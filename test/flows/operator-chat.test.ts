// Dead letters of chat: an operator lists, reads, replays and deletes them.
import t from 'tap'
import { ChatService } from '../helpers/chat-service.js'
import { operate, WITH_ADMIN } from '../helpers/operator.js'
import { flow, type Scenario } from '../helpers/scenario.js'

const service = await ChatService.open()
t.teardown(() => service.close())

const env = { ...WITH_ADMIN, CHAT_SERVICE_URL: service.url, CHAT_SERVICE_TIMEOUT_MS: '1000' }

/** Adds a letter as chat/dead-letters.ts does. Resolves to its id. */
async function addLetter(scenario: Scenario, messageId: string, content: string): Promise<string> {
  const roomId = scenario.toWire('r1')
  const at = new Date(scenario.now()).toISOString()
  const from = { user: 'alice', device: 'phone', participantId: 'p' }
  const message = { roomId, messageId, from, content, sentAt: at, version: 1 }
  const text = JSON.stringify({ reason: 'refused', status: 422, at, message })
  await scenario.store.deadLetters.add({ id: `${roomId}/${messageId}`, text, now: scenario.now() }, 1000)
  const { body } = await operate(scenario, 'GET', 'chat/dead-letters?limit=1')
  return String((body.deadLetters as { deadLetterId: string }[])[0]?.deadLetterId)
}

/** The list of a cluster has the letters of earlier scenarios, too. */
async function clear(scenario: Scenario): Promise<void> {
  for (const { id } of await scenario.store.deadLetters.list({ limit: 1000 }))
    await scenario.store.deadLetters.remove(id)
}

const idsIn = (body: Record<string, unknown>) =>
  (body.deadLetters as { messageId: string }[]).map(each => each.messageId)
const arrived = (scenario: Scenario) => service.messagesOf(scenario.toWire('r1')).map(({ content }) => content)

flow(
  'dead letters are listed newest first without their text, and read, deleted and replayed one by one',
  async (t, scenario) => {
    await clear(scenario)
    const ids = []
    for (const name of ['m1', 'm2', 'm3']) ids.push(await addLetter(scenario, name, `text of ${name}`))
    const [first = '', second = '', third = ''] = ids
    const page = await operate(scenario, 'GET', 'chat/dead-letters?limit=2', { node: scenario.lastNode })
    t.same([idsIn(page.body), page.body.next], [['m3', 'm2'], second])
    t.notMatch(JSON.stringify(page.body), /text of/)
    const rest = await operate(scenario, 'GET', `chat/dead-letters?limit=2&before=${second}`)
    t.same([idsIn(rest.body), rest.body.next], [['m1'], null])
    t.match(await operate(scenario, 'GET', `chat/dead-letters/${second}`), {
      status: 200,
      body: { deadLetterId: second, reason: 'refused', status: 422, message: { roomId: 'r1', content: 'text of m2' } }
    })
    t.equal((await operate(scenario, 'DELETE', `chat/dead-letters/${third}`)).status, 204)
    t.equal((await operate(scenario, 'POST', `chat/dead-letters/${first}/replay`)).status, 204)
    t.same(arrived(scenario), ['text of m1'])
    for (const [method, path] of [
      ['GET', first],
      ['DELETE', third],
      ['POST', `${first}/replay`],
      ['GET', '1']
    ] as const)
      t.match(await operate(scenario, method, `chat/dead-letters/${path}`), { body: { code: 'dead_letter_not_found' } })
    t.match(await operate(scenario, 'GET', 'chat/dead-letters/x'), { body: { code: 'invalid_request' } })
    t.same(idsIn((await operate(scenario, 'GET', 'chat/dead-letters')).body), ['m2'])
  },
  { env }
)

flow(
  'replayed together they come oldest first; what the service refuses or does not take stays',
  async (t, scenario) => {
    await clear(scenario)
    for (const [name, text] of Object.entries({ m1: 'one', m2: 'spam', m3: 'three' }))
      await addLetter(scenario, name, text)
    service.stop()
    const down = await operate(scenario, 'POST', 'chat/dead-letters/replay')
    t.match(down, { status: 503, body: { code: 'chat_service_unavailable', retryable: true } })
    service.restart()
    const replies = await operate(scenario, 'POST', 'chat/dead-letters/replay', { node: scenario.lastNode })
    t.match(replies, { status: 200, body: { replayed: 2, refused: 1, next: null } })
    t.same(arrived(scenario), ['one', 'three'])
    const { body } = await operate(scenario, 'GET', 'chat/dead-letters')
    t.same(idsIn(body), ['m2'])
    const [{ deadLetterId = '' } = {}] = body.deadLetters as { deadLetterId?: string }[]
    t.match(await operate(scenario, 'POST', `chat/dead-letters/${deadLetterId}/replay`), {
      status: 409,
      body: { code: 'chat_service_refused', retryable: false }
    })
  },
  { env }
)

flow(
  'more than a request may replay go on where it stopped, and without a chat service there is nothing to replay to',
  async (t, scenario) => {
    await clear(scenario)
    for (let n = 0; n < 103; n++) await addLetter(scenario, `m${n}`, n < 101 ? 'spam' : `text ${n}`)
    const first = await operate(scenario, 'POST', 'chat/dead-letters/replay')
    t.match(first.body, { replayed: 0, refused: 100, next: String })
    const second = await operate(scenario, 'POST', `chat/dead-letters/replay?after=${first.body.next}`)
    t.match(second.body, { replayed: 2, refused: 1, next: null })
    t.same(arrived(scenario), ['text 101', 'text 102'])
  },
  { env }
)

flow(
  'without a chat service nothing is replayed, and letters stay',
  async (t, scenario) => {
    await clear(scenario)
    const id = await addLetter(scenario, 'm1', 'one')
    for (const path of ['replay', `${id}/replay`])
      t.match(await operate(scenario, 'POST', `chat/dead-letters/${path}`), {
        status: 409,
        body: { code: 'no_chat_service' }
      })
    t.same(idsIn((await operate(scenario, 'GET', 'chat/dead-letters')).body), ['m1'])
  },
  { env: WITH_ADMIN }
)
