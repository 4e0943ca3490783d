// Chat messages of a room: each is stored once, received by all in one order, and read from the history.
import { join, meet } from '../helpers/rooms.js'
import { flow } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'

interface Message {
  readonly messageId: string
  readonly content: string
  readonly version: number
  readonly from: { readonly user: string }
}

interface Page {
  readonly messages: readonly Message[]
  readonly before: string | null
  readonly after: string | null
}

const MESSAGES = 'rooms/r1/messages'

async function read(who: TestClient, query = ''): Promise<Page> {
  const { status, body } = await who.request('GET', `${MESSAGES}${query}`)
  if (status !== 200) throw new Error(`${status} ${body.code}`)
  return body as unknown as Page
}

const contents = ({ messages }: Page) => messages.map(({ content }) => content).join(' ')

async function postAll(who: TestClient, ...texts: string[]): Promise<void> {
  for (const content of texts) await who.post(MESSAGES, { content })
}

flow('when a message is posted, all others receive it and every participant can read it', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  const content = 'Grüße\n"an alle" \u0085 \u2028 \u2029 🎥 <b>'
  const reply = await alice.who.request('POST', MESSAGES, { content, messageId: 'm1' })
  const from = { ...alice.who.endpoint, participantId: alice.id }
  t.match(reply, { status: 201, body: { message: { roomId: 'r1', messageId: 'm1', from, content, version: 4 } } })
  for (const other of [bob, carol]) t.same(await other.who.expectEvent('chat.message'), reply.body.message)
  t.same(await read(bob.who), { messages: [reply.body.message], before: null, after: null })
})

flow(
  'when a post is repeated, the first message is returned; an id of another user is refused',
  async (t, scenario) => {
    const [alice, bob, carol] = await meet(scenario)
    const first = await alice.who.request('POST', MESSAGES, { content: 'one', messageId: 'm1' })
    alice.who.useNode(scenario.lastNode)
    const again = await alice.who.request('POST', MESSAGES, { content: 'another', messageId: 'm1' })
    t.same([first.status, again], [201, { status: 200, body: first.body }])
    await bob.who.expectRefusal('message_id_taken', MESSAGES, { content: 'one', messageId: 'm1' })

    const key = { 'idempotency-key': 'k/1' }
    const keyed = await alice.who.request('POST', MESSAGES, { content: 'two' }, key)
    t.same(await alice.who.request('POST', MESSAGES, { content: 'two' }, key), { ...keyed, status: 200 })
    t.match(
      await bob.who.request('POST', MESSAGES, { content: 'three' }, key),
      { status: 201 },
      'a key belongs to its user'
    )

    const many = await Promise.all(
      Array.from({ length: 8 }, () => alice.who.request('POST', MESSAGES, { content: 'four', messageId: 'm4' }))
    )
    t.same(many.map(({ status }) => status).sort(), [200, 200, 200, 200, 200, 200, 200, 201])
    t.equal(contents(await read(bob.who)), 'one two three four')
    await alice.who.expectEvent('chat.message')
    await bob.who.expectEvents('chat.message', 'chat.message', 'chat.message')
    await carol.who.expectEvents('chat.message', 'chat.message', 'chat.message', 'chat.message')
  }
)

flow('when many post at once, all receive the messages in the order of the history', async (t, scenario) => {
  const participants = await meet(scenario)
  const each = 12
  await Promise.all(
    participants.flatMap(({ who }) => Array.from({ length: each }, (_, n) => who.post(MESSAGES, { content: `${n}` })))
  )
  const { messages } = await read(participants[0].who, '?limit=100')
  t.equal(messages.length, 3 * each)
  for (const { who } of participants) {
    const theirs = messages.filter(({ from }) => from.user !== who.user)
    for (const message of theirs) t.same(await who.expectEvent('chat.message'), message)
  }
})

flow(
  'when the history is read in pages, each message is on one page, in both directions',
  async (t, scenario) => {
    const alice = await join(await scenario.addClient('alice', 'phone'), 'r1')
    const who = alice.who
    await postAll(who, 'a', 'b', 'c', 'd', 'e', 'f', 'g')
    const newest = await read(who, '?limit=3')
    t.equal(contents(newest), 'e f g')
    t.equal(newest.after, null)
    const middle = await read(who, `?limit=3&before=${newest.before}`)
    t.equal(contents(middle), 'b c d', 'seven were posted, six are kept')
    t.equal(middle.before, null)
    const forth = await read(who, `?limit=2&after=${middle.after}`)
    t.equal(contents(forth), 'e f')
    t.equal(contents(await read(who, `?after=${forth.after}`)), 'g')
    t.equal(contents(await read(who, `?before=${forth.before}`)), 'b c d')
    t.equal(contents(await read(who, `?after=${middle.after}&before=${forth.after}`)), 'e')
    await postAll(who, 'h', 'i', 'j', 'k', 'l', 'm')
    const gone = await read(who, `?before=${newest.before}`)
    t.equal(contents(gone), '', 'the messages before this cursor are no longer kept')
    t.equal(gone.before, null)
    t.equal(contents(await read(who, `?after=${gone.after}`)), 'h i j k l m')
    t.match(await who.request('POST', MESSAGES, { content: 'a' }), { status: 201 })
  },
  { env: { CHAT_HISTORY_MAX: '6' } }
)

flow(
  'posting and reading are refused when the user has no part in the room or lacks the grant chat',
  async (t, scenario) => {
    const alice = await join(await scenario.addClient('alice', 'phone'), 'r1')
    const outside = (name: string, claim: object) =>
      scenario.addClient(name, 'phone', { rooms: { r1: claim }, node: scenario.lastNode, silent: true })
    const isRefused = async (who: TestClient, code: string) => {
      t.match(await who.request('POST', MESSAGES, { content: 'x' }), { body: { code } }, `${who.user} posts`)
      t.match(await who.request('GET', MESSAGES), { body: { code } }, `${who.user} reads`)
    }
    const eve = await scenario.addClient('eve', 'phone', { silent: true })
    await isRefused(eve, 'room_not_found')
    const frank = await outside('frank', { grants: ['join', 'moderate'] })
    t.match(await frank.request('POST', MESSAGES, { content: 'x' }), { body: { code: 'not_in_room' } })
    t.match(await frank.request('GET', MESSAGES), { body: { code: 'not_permitted' } })
    t.match(await eve.request('POST', 'rooms/r9/messages', { content: 'x' }), { body: { code: 'room_not_found' } })

    const mute = await join(await outside('mallory', { grants: ['join', 'signal'] }), 'r1')
    await alice.who.expectEvent('room.participant_joined')
    await isRefused(mute.who, 'not_permitted')
    await alice.who.post(MESSAGES, { content: 'hello' })
    const auditor = await outside('grace', { grants: ['chat'] })
    t.equal(contents(await read(auditor)), 'hello', 'a claim is enough to read')
    t.match(await auditor.request('POST', MESSAGES, { content: 'x' }), { body: { code: 'not_in_room' } })

    await alice.who.request('DELETE', 'rooms/r1')
    await isRefused(alice.who, 'room_closed')
  }
)

flow('when a room was created anew, the messages of the earlier room are not shown', async (t, scenario) => {
  const alice = await join(await scenario.addClient('alice', 'phone'), 'r1')
  await alice.who.post(MESSAGES, { content: 'a secret', messageId: 'm1' })
  await alice.who.post(MESSAGES, { content: 'another' })
  const { before } = await read(alice.who, '?limit=1')
  await alice.who.request('DELETE', `rooms/r1/participants/${alice.id}`)
  await scenario.advance(40_000)
  const bob = await join(await scenario.addClient('bob', 'laptop', { node: scenario.lastNode }), 'r1')
  t.same(await read(bob.who), { messages: [], before: null, after: null })
  await bob.who.expectRefusal('message_id_taken', MESSAGES, { content: 'x', messageId: 'm1' })
  await postAll(bob.who, 'hello', 'again')
  t.match(await bob.who.request('GET', `${MESSAGES}?before=${before}`), { body: { code: 'invalid_page_token' } })
  const page = await read(bob.who, '?limit=1')
  t.match(await read(bob.who, `?before=${page.before}`), { messages: [{ content: 'hello' }], before: null })
})

flow('when a participant types, connected participants receive it and nothing is stored', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  await carol.who.closeStream()
  await scenario.waitForStreams(2)
  for (const { who } of [alice, bob]) t.match(await who.expectEvent('room.participant_updated'), {})
  await alice.who.post(MESSAGES, { content: 'one' })
  await bob.who.expectEvent('chat.message')
  t.equal((await alice.who.request('POST', 'rooms/r1/typing', { typing: true })).status, 204)
  const from = { ...alice.who.endpoint, participantId: alice.id }
  t.same(await bob.who.expectNotice('chat.typing'), { roomId: 'r1', from, typing: true })
  await alice.who.post('rooms/r1/typing', { typing: false })
  t.same(await bob.who.expectNotice('chat.typing'), { roomId: 'r1', from, typing: false })
  await bob.who.post(MESSAGES, { content: 'two' })
  await alice.who.expectEvent('chat.message')
  t.match(await alice.who.request('GET', 'rooms/r1'), { body: { room: { version: 6 } } })

  const events = await carol.who.poll()
  t.same(
    events.map(({ type }) => type),
    ['chat.message', 'chat.message'],
    'the mailbox has no typing indicator'
  )
  for (const { who } of [alice, bob]) await who.expectEvent('room.participant_updated')

  const eve = await scenario.addClient('eve', 'phone', { silent: true })
  await eve.expectRefusal('room_not_found', 'rooms/r1/typing', { typing: true })
  for (const body of [{}, { typing: 'yes' }, { typing: true, to: 'bob' }]) {
    await alice.who.expectRefusal('invalid_request', 'rooms/r1/typing', body)
  }
})

flow('when a participant types, a waiting poll returns it as a notice and keeps its cursor', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  await bob.who.closeStream()
  await scenario.waitForStreams(2)
  for (const { who } of [alice, carol]) await who.expectEvent('room.participant_updated')
  const { cursor } = bob.who
  const waiting = bob.who.request('GET', `events/poll?cursor=${cursor}&wait=25`)
  await until('the poll waits', () => scenario.cluster.waitingPolls() === 1)
  for (const { who } of [alice, carol]) await who.expectEvent('room.participant_updated')
  await scenario.cluster.settle()
  await alice.who.post('rooms/r1/typing', { typing: true })
  const data = { roomId: 'r1', from: { ...alice.who.endpoint, participantId: alice.id }, typing: true }
  t.match(await waiting, { status: 200, body: { events: [], cursor, notices: [{ type: 'chat.typing', data }] } })
})

const INVALID: readonly [why: string, body: object][] = [
  ['no content', {}],
  ['empty content', { content: '' }],
  ['content is no string', { content: 7 }],
  ['a NUL', { content: 'a\0b' }],
  ['an invalid id', { content: 'x', messageId: 'a\nb' }],
  ['an unknown member', { content: 'x', metadata: {} }]
]

flow('when a message is invalid, it is refused and the room does not change', async (t, scenario) => {
  const alice = await join(await scenario.addClient('alice', 'phone'), 'r1')
  for (const [why, body] of INVALID) {
    t.match(await alice.who.request('POST', MESSAGES, body), { status: 400, body: { code: 'invalid_request' } }, why)
  }
  for (const content of ['x'.repeat(4097), 'ü'.repeat(2049), 'x'.repeat(250_000), 'x'.repeat(1_000_000)]) {
    t.match(await alice.who.request('POST', MESSAGES, { content }), { status: 413, body: { code: 'too_large' } })
  }
  for (const query of ['before=x', 'after=', 'before=bXQ5a2YwMDAuMTI', 'after=MS4x%00']) {
    t.match(
      await alice.who.request('GET', `${MESSAGES}?${query}`),
      { status: 400, body: { code: 'invalid_page_token' } },
      query
    )
  }
  for (const query of ['limit=0', 'limit=101', 'limit=x']) {
    t.match(await alice.who.request('GET', `${MESSAGES}?${query}`), { body: { code: 'invalid_request' } }, query)
  }
  t.match(await alice.who.request('GET', 'rooms/r1'), { body: { room: { version: 1 } } })
  const longest = 'ü'.repeat(2048)
  await alice.who.post(MESSAGES, { content: longest })
  t.equal(contents(await read(alice.who)), longest)
})
