// A crowd in one room: two hundred devices join, leave, drop off and come back at random, on two nodes. When it is over, what each
// has heard is played back and held against the room.
import assert from 'node:assert/strict'
import t from 'tap'
import { createToken } from '../../src/development.js'
import type { RoomAndParticipants } from '../../src/schemas/room.js'
import { type RoomEvent, RoomReplica } from '../helpers/room-replica.js'
import { openSse, type SseClient } from '../helpers/sse.js'
import { SETTINGS, TestCluster } from '../helpers/test-cluster.js'
import { until } from '../helpers/until.js'

const DEVICES = 200
/** Fewer than devices: some people have two. */
const USERS = 150
const ROUNDS = 3
const ACTS_A_ROUND = 30
const RECONNECT_MS = 5_000
const ROOM = 'plaza'

type Heard = RoomEvent & { readonly id: string }

interface Joined extends RoomAndParticipants {
  readonly participantId: string
  readonly cursor: string
}

/** The same story for the same seed: mulberry32. */
function createDice(seed: number): (sides: number) => number {
  let state = seed
  return sides => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides
  }
}

class Device {
  readonly name: string
  readonly heard: Heard[] = []
  readonly joined: Joined[] = []
  /** Participations it has left by itself. */
  readonly left: string[] = []
  isIn = false
  #stream: SseClient | null = null
  #cursor = ''
  readonly #url: () => string
  readonly #headers: Readonly<Record<string, string>>

  constructor(name: string, { url, token }: { url: () => string; token: string }) {
    this.name = name
    this.#url = url
    this.#headers = { authorization: `Bearer ${token}`, 'x-device-id': name }
  }

  get isConnected(): boolean {
    return this.#stream !== null
  }

  async request(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }> {
    const headers = { ...this.#headers, ...(body ? { 'content-type': 'application/json' } : {}) }
    const reply = await fetch(`${this.#url()}/v1/${path}`, {
      method,
      headers,
      ...(body ? { body: JSON.stringify(body) } : {})
    })
    const text = await reply.text()
    assert.ok(reply.ok || reply.status === 404, `${this.name} ${method} ${path}: ${reply.status} ${text}`)
    return { status: reply.status, body: text === '' ? null : JSON.parse(text) }
  }

  async join(): Promise<void> {
    const reply = (await this.request('POST', `rooms/${ROOM}/participants`)).body as Joined
    this.#cursor ||= reply.cursor
    this.joined.push(reply)
    this.isIn = true
    if (!this.isConnected) await this.comeBack()
  }

  async leave(): Promise<void> {
    const { participantId } = this.joined.at(-1) as Joined
    this.isIn = false
    const { status } = await this.request('DELETE', `rooms/${ROOM}/participants/${participantId}`)
    // Otherwise it was lost before.
    if (status === 204) this.left.push(participantId)
  }

  async comeBack(): Promise<void> {
    this.#stream = await openSse(`${this.#url()}/v1/events?cursor=${this.#cursor}`, { headers: this.#headers })
  }

  async drop(): Promise<void> {
    await this.#stream?.close()
    this.collect()
    this.#stream = null
  }

  /** Closes its stream; what came over it since it was collected is of no more interest. */
  async end(): Promise<void> {
    await this.#stream?.close()
    this.#stream = null
  }

  /** Takes what has come over the stream. Once: nothing is read from that stream afterwards. */
  collect(): void {
    for (const { id = '', type, data } of this.#stream?.waiting() ?? []) {
      if (!type.startsWith('room.')) continue
      assert.equal(seqOf(id), seqOf(this.#cursor) + 1, `${this.name}: one after the other, none lost, none twice`)
      this.#cursor = id
      this.heard.push({ id, type, data })
    }
  }

  async says(n: number): Promise<void> {
    const { participantId } = this.joined.at(-1) as Joined
    await this.request('PATCH', `rooms/${ROOM}/participants/${participantId}`, { metadata: { n } })
  }

  /** Whether its stream has brought what somebody said. */
  hasHeard(n: number): boolean {
    const frames = this.#stream?.waiting() ?? []
    return frames.some(({ data }) => (data.participant as { metadata?: { n?: number } } | undefined)?.metadata?.n === n)
  }
}

const seqOf = (id: string) => Number(id.split('.')[0])

async function enter(cluster: TestCluster): Promise<Device[]> {
  return Promise.all(
    Array.from({ length: DEVICES }, async (_, i) => {
      const token = await createToken(cluster.config, { user: `user${i % USERS}` })
      return new Device(`device${i}`, { url: () => cluster.urlOf(i % 2), token })
    })
  )
}

/** What it might do now. The first device stays, so that there is somebody who has heard it all. */
function choose(device: Device, dice: (sides: number) => number): () => Promise<void> {
  if (!device.isConnected) return () => device.comeBack()
  if (!device.isIn) return () => device.join()
  return dice(2) === 0 ? () => device.leave() : () => device.drop()
}

async function liveThrough(
  cluster: TestCluster,
  devices: readonly Device[],
  dice: (sides: number) => number
): Promise<void> {
  const [keeper, ...others] = devices
  await keeper?.join()
  await Promise.all(others.map(device => device.join()))
  for (let round = 0; round < ROUNDS; round++) {
    const chosen = new Set(Array.from({ length: ACTS_A_ROUND }, () => others[dice(others.length)] as Device))
    await Promise.all([...chosen].map(device => choose(device, dice)()))
    // Some are back in time, some are not.
    await cluster.advance(round % 2 === 1 ? RECONNECT_MS + 1_500 : 250)
  }
}

/** Everybody is there, and has heard all that there is. */
async function settle(cluster: TestCluster, devices: readonly Device[]): Promise<RoomAndParticipants> {
  await Promise.all(devices.filter(({ isConnected }) => !isConnected).map(device => device.comeBack()))
  await cluster.advance(RECONNECT_MS + 1_500)
  const { body } = await (devices[0] as Device).request('GET', `rooms/${ROOM}`)
  const names = new Set((body as RoomAndParticipants).participants.map(({ device }) => device))
  const [keeper, second, ...rest] = devices.filter(({ name }) => names.has(name)) as [Device, Device, ...Device[]]
  // The last words: who says something hears no echo, so it takes two.
  await second.says(1)
  await keeper.says(2)
  await until('the last words are heard', () => keeper.hasHeard(1) && [second, ...rest].every(each => each.hasHeard(2)))
  return (await keeper.request('GET', `rooms/${ROOM}`)).body as RoomAndParticipants
}

interface Span {
  readonly from: number
  to: number
}

/** When each participation began and ended, as somebody has heard it who was there all the time. */
function spansOf({ heard }: Device): ReadonlyMap<string, Span> {
  const spans = new Map<string, Span>()
  for (const { type, data } of heard) {
    const version = Number(data.version)
    if (type === 'room.participant_joined') {
      spans.set(String((data.participant as { participantId: string }).participantId), { from: version, to: Infinity })
    } else if (type === 'room.participant_left') (spans.get(String(data.participantId)) as Span).to = version
  }
  return spans
}

/** Nothing came to it but while it was in; what it made of the last time it was. */
function playBack({ name, heard, joined, left }: Device, spans: ReadonlyMap<string, Span>): RoomReplica | null {
  const news = heard.filter(({ type }) => type !== 'room.joined')
  let replica: RoomReplica | null = null
  let count = 0
  for (const { participantId, room, participants } of joined) {
    const { from, to } = spans.get(participantId) ?? { from: 1, to: Infinity }
    replica = new RoomReplica(participantId, { version: room.version, participants })
    for (const { type, data } of news) {
      const version = Number(data.version)
      // Whoever leaves by itself is told so by the reply, others by the last event.
      const last = left.includes(participantId) ? to - 1 : to
      if (version < from || version > last) continue
      replica.receive({ type, data })
      count++
    }
    replica.hasLeft ||= to < Infinity
  }
  assert.equal(count, news.length, `${name} heard nothing while it was out`)
  return replica
}

const idOf = ({ participantId }: { participantId: string }) => participantId

/** All that a participant is told of: nobody is told of their own doings. */
function others<P extends { participantId: string }>(participants: Iterable<P>, self: { participantId: string }): P[] {
  return [...participants]
    .filter(({ participantId }) => participantId !== self.participantId)
    .sort((a, b) => a.participantId.localeCompare(b.participantId))
}

for (const setting of SETTINGS.filter(({ nodes }) => nodes === 2)) {
  t.test(setting.name, async t => {
    const cluster = await TestCluster.open(setting, { ROOM_RECONNECT_MS: String(RECONNECT_MS) })
    const devices = await enter(cluster)
    const seed = Date.now() % 1_000_000
    t.comment(`seed ${seed}`)
    try {
      await liveThrough(cluster, devices, createDice(seed))
      const { room, participants } = await settle(cluster, devices)
      for (const device of devices) device.collect()
      const spans = spansOf(devices[0] as Device)
      const members = devices.flatMap(device => {
        const replica = playBack(device, spans)
        return replica === null || replica.hasLeft ? [] : [replica]
      })
      for (const each of members) {
        assert.deepEqual(others(each.participants.values(), each), others(participants, each))
      }
      t.same(members.map(({ participantId }) => participantId).sort(), participants.map(idOf).sort())
      t.equal(room.participantCount, members.length, `${members.length} are in after ${room.version} versions`)
    } finally {
      for (const device of devices) await device.end()
      await until('all streams are closed', () => cluster.openStreams() === 0)
      await cluster.settle()
      await cluster.close()
    }
  })
}
