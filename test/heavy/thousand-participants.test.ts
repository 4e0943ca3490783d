// A full room: a thousand devices join concurrently on two nodes, and each then receives all chat messages, in order, once. Few devices have a
// stream; the others poll. Each user has four devices: fan-out appends to all devices of a user in one step, so the test takes less time with
// the same number of joins, participants and deliveries.
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
/** Of this many devices two have a stream. */
const STREAM_EACH = 50
const AUTHORS = 10
const LINES_EACH = 3
const CONNECTIONS = 64
/** No device counts as away although most have no stream. */
const NEVER_AWAY = { AWAY_AFTER_MS: '3600000', GRACE_MS: '3600000' }

interface Received {
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
  /** The cursor of the last poll. */
  cursor = ''

  constructor(name: string, { url, token }: { url: string; token: string }) {
    this.name = name
    this.#url = url
    this.#headers = { authorization: `Bearer ${token}`, 'x-device-id': name, 'content-type': 'application/json' }
  }

  /** Resolves to the reply as text, because parsing a thousand lists of a thousand participants takes long. */
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

  /** The events since the last poll. The first poll sets the cursor. */
  async poll(): Promise<readonly Received[]> {
    const from = this.cursor === '' ? '' : `cursor=${this.cursor}&`
    const { events, cursor } = JSON.parse(await this.request('GET', `events/poll?${from}wait=0&limit=500`))
    this.cursor = cursor
    return events
  }

  /** The events of its stream. */
  received(): readonly Received[] {
    const frames = this.#stream?.waiting() ?? []
    const events = frames.flatMap(({ id, type, data }) => (id && data.roomId ? [{ id, type, data }] : []))
    for (const [i, { id }] of events.entries()) assert.equal(seqOf(id), i + 1, `${this.name}: none lost, none twice`)
    return events
  }
}

/** Waits until all commits of the room are in the mailboxes of all participants; replies do not wait for that. */
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

/** Posts the messages of all authors concurrently. Resolves to the room's history: its order is the order for all devices. */
async function talk(authors: readonly Guest[]): Promise<string[]> {
  const lines = authors.flatMap(({ name }) => Array.from({ length: LINES_EACH }, (_, n) => `${name}: ${n}`))
  await Promise.all(
    lines.map((content, i) => {
      return (authors[Math.floor(i / LINES_EACH)] as Guest).request('POST', 'rooms/hall/messages', { content })
    })
  )
  const { messages } = JSON.parse(await (authors[0] as Guest).request('GET', 'rooms/hall/messages?limit=100'))
  const history = (messages as { content: string }[]).map(({ content }) => content)
  assert.deepEqual([...history].sort(), lines.sort())
  return history
}

/** The messages that this guest receives: all but their own. */
const forGuest = (history: readonly string[], { name }: Guest) => history.filter(line => !line.startsWith(`${name}:`))

const linesIn = (events: readonly Received[]) =>
  events.filter(({ type }) => type === 'chat.message').map(({ data }) => String(data.content))

const joinedIn = (events: readonly Received[]) =>
  events
    .filter(({ type }) => type === 'room.participant_joined')
    .map(({ data }) => (data.participant as Participant).device)

// The test takes about 20 s of processor time, and longer than the default timeout on a busy machine.
t.setTimeout(300_000)

t.test(
  'a thousand devices that join one room receive every message and every later join, once and in order',
  async t => {
    const fleet = await Fleet.launch(2, redis, NEVER_AWAY)
    const guests = await invite(fleet)
    const listeners = guests.filter((_, i) => i % STREAM_EACH < 2)
    const others = guests.filter((_, i) => i % STREAM_EACH >= 2)
    t.teardown(async () => {
      for (const listener of listeners) await listener.leave()
      agent.destroy()
      await store.close()
      await fleet.stop()
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
      // One event for each device that joined later, and perhaps one for other devices of its user whose joins were published later.
      const extra = seqOf(cursor) - (after.get(name)?.length ?? 0)
      assert.ok(extra >= 0 && extra < DEVICES_EACH, `${name} received ${extra} events besides the later joins`)
    }
    const history = await talk(guests.slice(0, AUTHORS))
    await isPublished('hall')
    const polls = await Promise.all(others.map(async guest => ({ guest, events: await guest.poll() })))
    for (const { guest, events } of polls) assert.deepEqual(linesIn(events), forGuest(history, guest), guest.name)
    for (const listener of listeners) {
      const lines = forGuest(history, listener)
      await until(
        `${listener.name} has received all messages`,
        () => linesIn(listener.received()).length >= lines.length
      )
      assert.deepEqual(linesIn(listener.received()), lines)
      assert.deepEqual(joinedIn(listener.received()), after.get(listener.name))
    }
  }
)
