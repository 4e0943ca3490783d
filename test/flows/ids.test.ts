// Ids of every kind with any characters. Three people use calls, a room, chat, presence and blocks; two of them, or their devices, or the
// room and another one, have ids that differ only in where a separator stands. No person receives or reads what belongs to another.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { createToken } from '../../src/development.js'
import { isId } from '../../src/schemas/common.js'
import { ODD_IDS } from '../helpers/ids.js'
import { randomRuns } from '../helpers/runs.js'
import { sdp } from '../helpers/sdp.js'
import { settingsFor, sharedCluster, type TestCluster } from '../helpers/test-cluster.js'

const RUNS = randomRuns(15)

interface Names {
  /** User and device of the caller, the callee and a stranger. */
  readonly people: readonly [Endpoint, Endpoint, Endpoint]
  readonly rooms: readonly [string, string]
  readonly call: string
  readonly message: string
}

type Endpoint = readonly [user: string, device: string]

const anyId = fc.oneof(
  fc.constantFrom(...ODD_IDS),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 70 })
)

const unrelated: fc.Arbitrary<Names> = fc
  .tuple(fc.array(anyId, { minLength: 10, maxLength: 10 }))
  .map(([[a = '', b = '', c = '', d = '', e = '', f = '', room = '', other = '', call = '', message = '']]) => ({
    people: [
      [a, b],
      [c, d],
      [e, f]
    ],
    rooms: [room, other],
    call,
    message
  }))

/** What one joins with a separator, another has apart. */
const confusable: fc.Arbitrary<Names> = fc
  .tuple(
    fc.constantFrom('/', ':', '|', ',', ' ', '.', '%', '%2F', '/participant:', '}:', '\u2028', '~1~', '+'),
    fc.tuple(...Array.from({ length: 3 }, () => fc.constantFrom('a', 'b', '1', 'caller', 'é', '%', '{', '')))
  )
  .map(([s, [x = '', y = '', z = '']]) => ({
    people: [
      [`${x}${s}${y}`, z],
      [`${x}${s}${y}${s}${z}`, y],
      [x, `${y}${s}${z}`]
    ],
    rooms: [`${x}${s}${y}`, `${x}${s}`],
    call: `${y}${s}${z}`,
    message: `${s}${x}`
  }))

const areValid = ({ people, rooms, call, message }: Names): boolean =>
  [...people.flat(), call, message].every(isId) &&
  rooms.every(room => isId(room) && room !== '*') &&
  new Set(people.map(([user]) => user)).size === 3 &&
  rooms[0] !== rooms[1]

class Person {
  readonly user: string
  readonly device: string
  readonly #url: string
  readonly #headers: Readonly<Record<string, string>>
  #cursor = ''

  constructor(url: string, [user, device]: Endpoint, token: string) {
    this.user = user
    this.device = device
    this.#url = `${url}/v1/`
    this.#headers = { authorization: `Bearer ${token}`, 'x-device-id': encodeURIComponent(device) }
  }

  get endpoint() {
    return { user: this.user, device: this.device }
  }

  async request(method: string, path: string, body?: object) {
    const json = body === undefined ? {} : { body: JSON.stringify(body) }
    const headers = { ...this.#headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
    const reply = await fetch(this.#url + path, { method, headers, ...json })
    const text = await reply.text()
    return { status: reply.status, body: text === '' ? {} : JSON.parse(text) }
  }

  /** The request has to succeed. */
  async send(method: string, path: string, body?: object) {
    const { status, body: reply } = await this.request(method, path, body)
    assert.ok(status < 300, `${method} ${path}: ${status} ${JSON.stringify(reply)}`)
    return reply
  }

  async expectRefusal(code: string, method: string, path: string, body?: object): Promise<void> {
    const { status, body: reply } = await this.request(method, path, body)
    assert.equal(reply.code, code, `${method} ${path}: ${status} ${JSON.stringify(reply)}`)
  }

  /** The events since the last time; the first time registers the device. */
  async events(): Promise<readonly { type: string; data: Record<string, unknown> }[]> {
    const { events, cursor } = await this.send('GET', `events/poll?wait=0&cursor=${this.#cursor || 'start'}`)
    this.#cursor = cursor
    return events
  }

  async expectEvents(...types: readonly string[]) {
    const events = await this.events()
    assert.deepEqual(
      events.map(({ type }) => type),
      types,
      JSON.stringify([this.endpoint, events])
    )
    return events.map(({ data }) => data)
  }
}

/** The data of the next event of this type, after others. */
async function received(cluster: TestCluster, person: Person, type: string): Promise<Record<string, unknown>> {
  for (let i = 0; i < 200; i++) {
    await cluster.settle()
    const found = (await person.events()).find(event => event.type === type)
    if (found) return found.data
  }
  throw new Error(`${person.user} received no ${type}`)
}

const path = (strings: TemplateStringsArray, ...ids: readonly string[]) =>
  String.raw({ raw: strings }, ...ids.map(encodeURIComponent))

/** Ids of calls and rooms that an earlier run has used, in any setting: those with Redis share one server. */
const used = new Set<string>()
let runs = 0

/** The id itself the first time; later with a number in front. */
function fresh(id: string): string {
  let unused = id
  while (used.has(unused) || !isId(unused)) unused = [...`${++runs}${id}`].slice(0, 60).join('')
  used.add(unused)
  return unused
}

async function play(cluster: TestCluster, names: Names): Promise<void> {
  const clients = names.people.map(async (endpoint, i) => {
    const token = await createToken(cluster.config, { user: endpoint[0] })
    return new Person(cluster.urlOf(i % 2), endpoint, token)
  })
  const people = (await Promise.all(clients)) as [Person, Person, Person]
  for (const person of people) await person.events()
  const call = fresh(names.call)
  const [room, other] = names.rooms.map(id => fresh(id)) as [string, string]
  await playCall(people, call)
  await playRoom(cluster, people, { room, other, message: names.message })
  await playPresence(cluster, people)
  for (const person of people) {
    assert.deepEqual(await person.send('GET', 'calls'), { calls: [] })
    await person.send('DELETE', 'presence')
  }
}

async function playCall([alice, bob, eve]: readonly [Person, Person, Person], callId: string): Promise<void> {
  const created = await alice.send('POST', 'calls', { to: bob.user, callId })
  assert.deepEqual([created.call.callId, created.call.caller], [callId, alice.endpoint])
  const [incoming] = await bob.expectEvents('call.incoming')
  assert.deepEqual([incoming?.callId, incoming?.from], [callId, alice.endpoint])
  await eve.expectRefusal('call_not_found', 'GET', path`calls/${callId}`)
  await eve.expectRefusal('call_not_found', 'POST', path`calls/${callId}/accept`, {})
  await eve.expectRefusal('call_id_taken', 'POST', 'calls', { to: bob.user, callId })
  await bob.send('POST', path`calls/${callId}/accept`)
  const [accepted] = await alice.expectEvents('call.accepted')
  assert.deepEqual([accepted?.callId, accepted?.by], [callId, bob.endpoint])
  assert.deepEqual(await eve.send('GET', 'calls'), { calls: [] })
  await alice.expectRefusal('caller_busy', 'POST', 'calls', { to: eve.user })
  await eve.expectRefusal('callee_busy', 'POST', 'calls', { to: alice.user })
  await bob.send('POST', path`calls/${callId}/hangup`)
  const [ended] = await alice.expectEvents('call.ended')
  assert.deepEqual([ended?.callId, ended?.endedBy], [callId, bob.endpoint])
  await eve.expectEvents()
}

interface RoomNames {
  readonly room: string
  readonly other: string
  readonly message: string
}

async function playRoom(
  cluster: TestCluster,
  [alice, bob, eve]: readonly [Person, Person, Person],
  { room, other, message }: RoomNames
): Promise<void> {
  const host = await alice.send('POST', path`rooms/${room}/participants`)
  await alice.send('POST', path`rooms/${room}/invitations`, { users: [bob.user], invitationId: message })
  const [invitation] = await bob.expectEvents('room.invitation')
  assert.deepEqual([invitation?.roomId, invitation?.invitationId], [room, message])
  for (const each of ['', '/messages', '/bans']) {
    await eve.expectRefusal('room_not_found', 'GET', path`rooms/${room}` + each)
    await alice.expectRefusal('room_not_found', 'GET', path`rooms/${other}` + each)
  }
  await eve.expectRefusal('invitation_not_found', 'POST', path`rooms/${room}/invitations/${message}/accept`)
  await bob.send('POST', path`rooms/${room}/invitations/${message}/accept`)
  const guest = await bob.send('POST', path`rooms/${room}/participants`)
  await alice.send('POST', path`rooms/${room}/messages`, { content: 'hello', messageId: message })
  await bob.send('POST', path`rooms/${room}/offer`, { to: host.participantId, sdp: sdp('bobA') })
  const chat = await received(cluster, bob, 'chat.message')
  assert.deepEqual([chat.roomId, chat.messageId, chat.from], [room, message, participant(alice, host)])
  const signal = await received(cluster, alice, 'signal.offer')
  assert.deepEqual([signal.roomId, signal.from], [room, participant(bob, guest)])
  const history = await bob.send('GET', path`rooms/${room}/messages`)
  assert.deepEqual(
    history.messages.map((each: { messageId: string }) => each.messageId),
    [message]
  )
  const snapshots = await Promise.all([alice, bob, eve].map(person => person.send('GET', 'snapshot')))
  assert.deepEqual(
    snapshots.map(({ rooms }) => rooms.map((each: { room: { roomId: string } }) => each.room.roomId)),
    [[room], [room], []]
  )
  await alice.send('DELETE', `${path`rooms/${room}/participants/${guest.participantId}`}?ban=true`)
  const { bans } = await alice.send('GET', path`rooms/${room}/bans`)
  assert.deepEqual(
    bans.map(({ user }: { user: string }) => user),
    [bob.user]
  )
  await bob.expectRefusal('banned', 'POST', path`rooms/${room}/participants`)
  await eve.expectEvents()
  await eve.send('POST', path`rooms/${room}/participants`)
  await alice.send('DELETE', path`rooms/${room}/bans/${bob.user}`)
  await alice.send('DELETE', path`rooms/${room}`)
  await cluster.settle()
}

const participant = ({ user, device }: Person, { participantId }: { participantId: string }) => ({
  participantId,
  user,
  device
})

async function playPresence(cluster: TestCluster, [alice, bob, eve]: readonly [Person, Person, Person]): Promise<void> {
  const query = [alice, bob, eve].map(({ user }) => path`user=${user}`).join('&')
  const { presences } = await eve.send('GET', `presence?${query}`)
  assert.deepEqual(
    presences.map(({ user }: { user: string }) => user),
    [alice.user, bob.user, eve.user]
  )
  await eve.send('PUT', 'presence/watch', { users: [alice.user, bob.user] })
  const { watching } = await eve.send('GET', 'presence/watch')
  assert.deepEqual(watching.map(({ user }: { user: string }) => user).sort(), [alice.user, bob.user].sort())
  await alice.send('PUT', path`blocks/${bob.user}`)
  assert.deepEqual(await alice.send('GET', 'blocks'), { blocks: [bob.user] })
  assert.deepEqual(await eve.send('GET', 'blocks'), { blocks: [] })
  await bob.expectRefusal('callee_unreachable', 'POST', 'calls', { to: alice.user })
  const { call } = await eve.send('POST', 'calls', { to: alice.user })
  await alice.send('POST', path`calls/${call.callId}/reject`)
  await alice.send('DELETE', path`blocks/${bob.user}`)
  const second = await bob.send('POST', 'calls', { to: alice.user })
  await bob.send('POST', path`calls/${second.call.callId}/cancel`)
  await eve.send('DELETE', 'presence/watch')
  await cluster.settle()
}

for (const setting of settingsFor({})) {
  t.test(`${setting.name}: people, calls, rooms and messages whose ids differ share nothing`, async () => {
    const cluster = await sharedCluster(setting, {})
    const names = fc.oneof(unrelated, confusable).filter(areValid)
    await fc.assert(
      fc.asyncProperty(names, each => play(cluster, each)),
      // Without shrinking: the calls and rooms of a failed run are still there.
      { numRuns: RUNS, endOnFailure: true }
    )
  })
}
