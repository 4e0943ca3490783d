// What people in a room write to each other: once, in one order for everybody, and to be read again.

import { join, meet, type Seat } from '../helpers/rooms.js'
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

async function writeAll(who: TestClient, ...texts: string[]): Promise<void> {
  for (const content of texts) await who.post(MESSAGES, { content })
}

flow('what one writes all others hear, and everybody can read it', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  const content = 'Grüße\n"an alle" \u2028 🎥 <b>'
  const reply = await alice.who.request('POST', MESSAGES, { content, messageId: 'm1' })
  const from = { ...alice.who.endpoint, participantId: alice.id }
  t.match(reply, { status: 201, body: { message: { roomId: 'r1', messageId: 'm1', from, content, version: 4 } } })
  for (const other of [bob, carol]) t.same(await other.who.expectEvent('chat.message'), reply.body.message)
  t.same(await read(bob.who), { messages: [reply.body.message], before: null, after: null })
})

flow('a retry is the same message; somebody else’s id is taken', async (t, scenario) => {
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
    'a key is its user’s own'
  )

  const many = await Promise.all(
    Array.from({ length: 8 }, () => alice.who.request('POST', MESSAGES, { content: 'four', messageId: 'm4' }))
  )
  t.same(many.map(({ status }) => status).sort(), [200, 200, 200, 200, 200, 200, 200, 201])
  t.equal(contents(await read(bob.who)), 'one two three four')
  await alice.who.expectEvent('chat.message')
  await bob.who.expectEvents('chat.message', 'chat.message', 'chat.message')
  await carol.who.expectEvents('chat.message', 'chat.message', 'chat.message', 'chat.message')
})

flow('when many write at once, everybody hears it in the order of the history', async (t, scenario) => {
  const seats = await meet(scenario)
  const each = 12
  await Promise.all(
    seats.flatMap(({ who }) => Array.from({ length: each }, (_, n) => who.post(MESSAGES, { content: `${n}` })))
  )
  const { messages } = await read(seats[0].who, '?limit=100')
  t.equal(messages.length, 3 * each)
  for (const { who } of seats) {
    const theirs = messages.filter(({ from }) => from.user !== who.user)
    for (const message of theirs) t.same(await who.expectEvent('chat.message'), message)
  }
})

flow(
  'the history is read page by page, both ways, as far as it is kept',
  async (t, scenario) => {
    const alice = await join(await scenario.addClient('alice', 'phone'), 'r1')
    const who = alice.who
    await writeAll(who, 'a', 'b', 'c', 'd', 'e', 'f', 'g')
    const newest = await read(who, '?limit=3')
    t.equal(contents(newest), 'e f g')
    t.equal(newest.after, null)
    const middle = await read(who, `?limit=3&before=${newest.before}`)
    t.equal(contents(middle), 'b c d', 'seven were written, six are kept')
    t.equal(middle.before, null)
    const forth = await read(who, `?limit=2&after=${middle.after}`)
    t.equal(contents(forth), 'e f')
    t.equal(contents(await read(who, `?after=${forth.after}`)), 'g')
    t.equal(contents(await read(who, `?before=${forth.before}`)), 'b c d')
    t.equal(contents(await read(who, `?after=${middle.after}&before=${forth.after}`)), 'e')
    await writeAll(who, 'h', 'i', 'j', 'k', 'l', 'm')
    const gone = await read(who, `?before=${newest.before}`)
    t.equal(contents(gone), '', 'what the cursor led to is not kept any more')
    t.equal(gone.before, null)
    t.equal(contents(await read(who, `?after=${gone.after}`)), 'h i j k l m')
    t.match(await who.request('POST', MESSAGES, { content: 'a' }), { status: 201 })
  },
  { env: { CHAT_HISTORY_MAX: '6' } }
)

flow('a user who has no part in the room, or may not chat, neither writes nor reads', async (t, scenario) => {
  const alice = await join(await scenario.addClient('alice', 'phone'), 'r1')
  const outside = (name: string, claim: object) =>
    scenario.addClient(name, 'phone', { rooms: { r1: claim }, node: scenario.lastNode, silent: true })
  const isRefused = async (who: TestClient, code: string) => {
    t.match(await who.request('POST', MESSAGES, { content: 'x' }), { body: { code } }, `${who.user} writes`)
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
})

flow('who makes a room anew does not read what was said in the old one', async (t, scenario) => {
  const alice = await join(await scenario.addClient('alice', 'phone'), 'r1')
  await alice.who.post(MESSAGES, { content: 'a secret', messageId: 'm1' })
  await alice.who.post(MESSAGES, { content: 'another' })
  const { before } = await read(alice.who, '?limit=1')
  await alice.who.request('DELETE', `rooms/r1/participants/${alice.id}`)
  await scenario.advance(40_000)
  const bob = await join(await scenario.addClient('bob', 'laptop', { node: scenario.lastNode }), 'r1')
  t.same(await read(bob.who), { messages: [], before: null, after: null })
  await bob.who.expectRefusal('message_id_taken', MESSAGES, { content: 'x', messageId: 'm1' })
  await writeAll(bob.who, 'hello', 'again')
  t.match(await bob.who.request('GET', `${MESSAGES}?before=${before}`), { body: { code: 'invalid_cursor' } })
  const page = await read(bob.who, '?limit=1')
  t.match(await read(bob.who, `?before=${page.before}`), { messages: [{ content: 'hello' }], before: null })
})

flow('who writes is seen to write by those who listen now, and it is kept nowhere', async (t, scenario) => {
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

  const told = await carol.who.poll()
  t.same(
    told.map(({ type }) => type),
    ['chat.message', 'chat.message'],
    'it was not waiting in the mailbox'
  )
  for (const { who } of [alice, bob]) await who.expectEvent('room.participant_updated')

  const eve = await scenario.addClient('eve', 'phone', { silent: true })
  await eve.expectRefusal('room_not_found', 'rooms/r1/typing', { typing: true })
  for (const body of [{}, { typing: 'yes' }, { typing: true, to: 'bob' }]) {
    await alice.who.expectRefusal('invalid_request', 'rooms/r1/typing', body)
  }
})

flow('a poll that waits answers with who is writing, and stays where it was', async (t, scenario) => {
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

const BAD: readonly [why: string, body: object][] = [
  ['nothing', {}],
  ['empty', { content: '' }],
  ['no text', { content: 7 }],
  ['a NUL', { content: 'a\0b' }],
  ['an id that is none', { content: 'x', messageId: 'a/b' }],
  ['a member nobody knows', { content: 'x', metadata: {} }]
]

flow('what cannot be a message is refused, and nothing is changed', async (t, scenario) => {
  const alice: Seat = await join(await scenario.addClient('alice', 'phone'), 'r1')
  for (const [why, body] of BAD) {
    t.match(await alice.who.request('POST', MESSAGES, body), { status: 400, body: { code: 'invalid_request' } }, why)
  }
  for (const content of ['x'.repeat(4097), 'ü'.repeat(2049), 'x'.repeat(250_000), 'x'.repeat(1_000_000)]) {
    t.match(await alice.who.request('POST', MESSAGES, { content }), { status: 413, body: { code: 'too_large' } })
  }
  for (const query of ['before=x', 'after=', 'before=bXQ5a2YwMDAuMTI', 'after=MS4x%00']) {
    t.match(
      await alice.who.request('GET', `${MESSAGES}?${query}`),
      { status: 400, body: { code: 'invalid_cursor' } },
      query
    )
  }
  for (const query of ['limit=0', 'limit=101', 'limit=x', 'offset=1']) {
    t.match(await alice.who.request('GET', `${MESSAGES}?${query}`), { body: { code: 'invalid_request' } }, query)
  }
  t.match(await alice.who.request('GET', 'rooms/r1'), { body: { room: { version: 1 } } })
  const longest = 'ü'.repeat(2048)
  await alice.who.post(MESSAGES, { content: longest })
  t.equal(contents(await read(alice.who)), longest)
})
