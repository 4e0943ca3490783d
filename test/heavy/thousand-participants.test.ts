// A full room: a thousand devices join in parallel on two nodes, and what is said then reaches all of them, in order, once. Few have
// a stream; the others look into their mailboxes, which hold the same. People have four devices each: a commit is told client by
// client, so that saves a quarter of the work, and leaves the number of joins, members and deliveries as it is.
import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import t from 'tap'
import { createToken } from '../../src/development.js'
import type { Participant, RoomAndParticipants } from '../../src/schemas/room.js'
import { Fleet } from '../helpers/fleet.js'
import { startRedis } from '../helpers/redis.js'
import { openSse, type SseClient } from '../helpers/sse.js'
import { openRedisStore } from '../helpers/store.js'
import { until } from '../helpers/until.js'

const DEVICES = 1_000
const DEVICES_EACH = 4
/** Every so many of them have a stream. */
const STREAM_EACH = 50
const AUTHORS = 10
const LINES_EACH = 3
const CONNECTIONS = 64
/** Nobody is missed for want of a stream. */
const PATIENT = { AWAY_AFTER_MS: '3600000', GRACE_MS: '3600000' }

interface Told {
  readonly id: string
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

const redis = await startRedis()
const store = await openRedisStore(redis.url)
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
const seqOf = (cursor: string) => Number(cursor.split('.')[0])

class Guest {
  readonly name: string
  readonly #url: string
  readonly #headers: Readonly<Record<string, string>>
  #stream: SseClient | null = null
  /** Where its mailbox stood at the last poll. */
  cursor = ''

  constructor(name: string, { url, token }: { url: string; token: string }) {
    this.name = name
    this.#url = url
    this.#headers = { authorization: `Bearer ${token}`, 'x-device-id': name, 'content-type': 'application/json' }
  }

  /** The reply as text: a thousand lists of a thousand participants are not parsed for nothing. */
  request(method: 'GET' | 'POST', path: string, body?: object): Promise<string> {
    return new Promise((resolve, reject) => {
      const sent = request(`${this.#url}/v1/${path}`, { method, headers: this.#headers, agent }, async reply => {
        const chunks = await reply.toArray().catch(reject)
        if (!chunks) return
        const text = Buffer.concat(chunks).toString()
        if ((reply.statusCode ?? 0) < 300) resolve(text)
        else reject(new Error(`${this.name} ${method} ${path}: ${reply.statusCode} ${text}`))
      })
      sent.once('error', reject).end(body && JSON.stringify(body))
    })
  }

  async listen(): Promise<void> {
    this.#stream = await openSse(`${this.#url}/v1/events`, { headers: this.#headers })
    await this.#stream.next('hello')
  }

  async leave(): Promise<void> {
    await this.#stream?.close()
  }

  /** All since the last poll; the first one tells where the mailbox stands. */
  async poll(): Promise<readonly Told[]> {
    const from = this.cursor === '' ? '' : `cursor=${this.cursor}&`
    const { events, cursor } = JSON.parse(await this.request('GET', `events/poll?${from}wait=0&limit=500`))
    this.cursor = cursor
    return events
  }

  /** What its stream has brought, one after the other. */
  heard(): readonly Told[] {
    const frames = this.#stream?.waiting() ?? []
    const told = frames.flatMap(({ id, type, data }) => (id && data.roomId ? [{ id, type, data }] : []))
    for (const [i, { id }] of told.entries()) assert.equal(seqOf(id), i + 1, `${this.name}: none lost, none twice`)
    return told
  }
}

/** All that was committed in the room is in everybody's mailbox: replies do not wait for that. */
async function isPublished(roomId: string): Promise<void> {
  const startedAt = performance.now()
  await until(
    'everything is published',
    async () => {
      const room = await store.rooms.load(roomId, [])
      return room !== null && room.publishedVersion === room.version
    },
    120_000
  )
  t.comment(`published after ${Math.round(performance.now() - startedAt)} ms`)
}

async function invite(fleet: Fleet): Promise<Guest[]> {
  return Promise.all(
    Array.from({ length: DEVICES }, async (_, i) => {
      const token = await createToken(fleet.config, { user: `guest${Math.floor(i / DEVICES_EACH)}` })
      return new Guest(`device${i}`, { url: fleet.urlOf(i % 2), token })
    })
  )
}

/** All authors at once. What stands in the room's history then is the order for everybody. */
async function talk(authors: readonly Guest[]): Promise<string[]> {
  const lines = authors.flatMap(({ name }) => Array.from({ length: LINES_EACH }, (_, n) => `${name}: ${n}`))
  await Promise.all(
    lines.map((content, i) => {
      return (authors[Math.floor(i / LINES_EACH)] as Guest).request('POST', 'rooms/hall/messages', { content })
    })
  )
  const { messages } = JSON.parse(await (authors[0] as Guest).request('GET', 'rooms/hall/messages?limit=100'))
  const said = (messages as { content: string }[]).map(({ content }) => content)
  assert.deepEqual([...said].sort(), lines.sort())
  return said
}

/** What others have said: nobody hears an echo. */
const forGuest = (said: readonly string[], { name }: Guest) => said.filter(line => !line.startsWith(`${name}:`))

const linesIn = (told: readonly Told[]) =>
  told.filter(({ type }) => type === 'chat.message').map(({ data }) => String(data.content))

const joinedIn = (told: readonly Told[]) =>
  told
    .filter(({ type }) => type === 'room.participant_joined')
    .map(({ data }) => (data.participant as Participant).device)

// Some twenty seconds of processor time: on a machine that is busy otherwise it takes longer than a test may.
t.setTimeout(300_000)

t.test('a room of a thousand', async t => {
  const fleet = await Fleet.launch(2, redis, PATIENT)
  const guests = await invite(fleet)
  const listeners = guests.filter((_, i) => i % STREAM_EACH < 2)
  const others = guests.filter((_, i) => i % STREAM_EACH >= 2)
  t.teardown(async () => {
    for (const listener of listeners) await listener.leave()
    agent.destroy()
    await store.close()
    await fleet.sink()
  })
  for (const listener of listeners) await listener.listen()
  await Promise.all(guests.map(guest => guest.request('POST', 'rooms/hall/participants', {})))
  const { room, participants }: RoomAndParticipants = JSON.parse(
    await (guests[0] as Guest).request('GET', 'rooms/hall')
  )
  const devices = participants.map(({ device }) => device)
  t.equal(room.participantCount, DEVICES)
  t.equal(new Set(devices).size, DEVICES)
  const after = new Map(devices.map((device, i) => [device, devices.slice(i + 1)]))

  await isPublished('hall')
  await Promise.all(others.map(guest => guest.poll()))
  for (const { name, cursor } of others) {
    // One for each who came later; and one for each of its own kin that came after it was known.
    const extra = seqOf(cursor) - (after.get(name)?.length ?? 0)
    assert.ok(extra >= 0 && extra < DEVICES_EACH, `${name} was told of those who came later: ${extra} more`)
  }
  const said = await talk(guests.slice(0, AUTHORS))
  await isPublished('hall')
  const polls = await Promise.all(others.map(async guest => ({ guest, told: await guest.poll() })))
  for (const { guest, told } of polls) assert.deepEqual(linesIn(told), forGuest(said, guest), guest.name)
  for (const listener of listeners) {
    const lines = forGuest(said, listener)
    await until(`${listener.name} has heard it all`, () => linesIn(listener.heard()).length >= lines.length)
    assert.deepEqual(linesIn(listener.heard()), lines)
    assert.deepEqual(joinedIn(listener.heard()), after.get(listener.name))
  }
})
