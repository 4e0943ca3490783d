// Two hundred devices join, leave, disconnect and reconnect at random in one room, on two nodes. At the end the events that each device has
// received are replayed and compared with the room.
import assert from 'node:assert/strict'
import t from 'tap'
import { createToken } from '../../src/development.js'
import type { RoomAndParticipants } from '../../src/schemas/room.js'
import { type RoomEvent, RoomReplica } from '../helpers/room-replica.js'
import { openSse, type SseClient } from '../helpers/sse.js'
import { SETTINGS, TestCluster } from '../helpers/test-cluster.js'
import { until } from '../helpers/until.js'

const DEVICES = 200
/** Fewer than devices: some users have two. */
const USERS = 150
const ROUNDS = 3
const ACTIONS_PER_ROUND = 30
const RECONNECT_MS = 5_000
const ROOM = 'plaza'

type ReceivedEvent = RoomEvent & { readonly id: string }

interface Joined extends RoomAndParticipants {
  readonly participantId: string
  readonly cursor: string
}

/** Pseudo-random numbers, the same for the same seed: mulberry32. */
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
  readonly received: ReceivedEvent[] = []
  readonly joined: Joined[] = []
  /** Participations that it has left by request. */
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
    if (!this.isConnected) await this.connect()
  }

  async leave(): Promise<void> {
    const { participantId } = this.joined.at(-1) as Joined
    this.isIn = false
    const { status } = await this.request('DELETE', `rooms/${ROOM}/participants/${participantId}`)
    // 404: the room has removed it as lost before.
    if (status === 204) this.left.push(participantId)
  }

  async connect(): Promise<void> {
    this.#stream = await openSse(`${this.#url()}/v1/events?cursor=${this.#cursor}`, { headers: this.#headers })
  }

  async disconnect(): Promise<void> {
    await this.#stream?.close()
    this.collect()
    this.#stream = null
  }

  /** Closes the stream without reading what came over it since `collect`. */
  async end(): Promise<void> {
    await this.#stream?.close()
    this.#stream = null
  }

  /** Takes the events of the stream. Called once for a stream. */
  collect(): void {
    for (const { id = '', type, data } of this.#stream?.waiting() ?? []) {
      if (!type.startsWith('room.')) continue
      assert.equal(seqOf(id), seqOf(this.#cursor) + 1, `${this.name}: events are dense and in order`)
      this.#cursor = id
      this.received.push({ id, type, data })
    }
  }

  async setMetadata(n: number): Promise<void> {
    const { participantId } = this.joined.at(-1) as Joined
    await this.request('PATCH', `rooms/${ROOM}/participants/${participantId}`, { metadata: { n } })
  }

  /** Whether the stream has an event with the metadata `n`. */
  hasReceived(n: number): boolean {
    const frames = this.#stream?.waiting() ?? []
    return frames.some(({ data }) => (data.participant as { metadata?: { n?: number } } | undefined)?.metadata?.n === n)
  }
}

const seqOf = (id: string) => Number(id.split('.')[0])

async function createDevices(cluster: TestCluster): Promise<Device[]> {
  return Promise.all(
    Array.from({ length: DEVICES }, async (_, i) => {
      const token = await createToken(cluster.config, { user: `user${i % USERS}` })
      return new Device(`device${i}`, { url: () => cluster.urlOf(i % 2), token })
    })
  )
}

/** A random action that the device can do now. */
function choose(device: Device, dice: (sides: number) => number): () => Promise<void> {
  if (!device.isConnected) return () => device.connect()
  if (!device.isIn) return () => device.join()
  return dice(2) === 0 ? () => device.leave() : () => device.disconnect()
}

async function runRounds(
  cluster: TestCluster,
  devices: readonly Device[],
  dice: (sides: number) => number
): Promise<void> {
  // The first device stays in the room, so that it receives all events.
  const [keeper, ...others] = devices
  await keeper?.join()
  await Promise.all(others.map(device => device.join()))
  for (let round = 0; round < ROUNDS; round++) {
    const chosen = new Set(Array.from({ length: ACTIONS_PER_ROUND }, () => others[dice(others.length)] as Device))
    await Promise.all([...chosen].map(device => choose(device, dice)()))
    // After every second round, devices that have not reconnected are lost.
    await cluster.advance(round % 2 === 1 ? RECONNECT_MS + 1_500 : 250)
  }
}

/** Connects all devices, waits until all participants have received all events, and resolves to the room. */
async function settle(cluster: TestCluster, devices: readonly Device[]): Promise<RoomAndParticipants> {
  await Promise.all(devices.filter(({ isConnected }) => !isConnected).map(device => device.connect()))
  await cluster.advance(RECONNECT_MS + 1_500)
  const { body } = await (devices[0] as Device).request('GET', `rooms/${ROOM}`)
  const names = new Set((body as RoomAndParticipants).participants.map(({ device }) => device))
  const [keeper, second, ...rest] = devices.filter(({ name }) => names.has(name)) as [Device, Device, ...Device[]]
  // A device does not receive its own change, so two devices make one each.
  await second.setMetadata(1)
  await keeper.setMetadata(2)
  await until(
    'all have received the last changes',
    () => keeper.hasReceived(1) && [second, ...rest].every(each => each.hasReceived(2))
  )
  return (await keeper.request('GET', `rooms/${ROOM}`)).body as RoomAndParticipants
}

interface Span {
  readonly from: number
  to: number
}

/** The versions at which each participation began and ended, from the events of a device that was in the room all the time. */
function spansOf({ received }: Device): ReadonlyMap<string, Span> {
  const spans = new Map<string, Span>()
  for (const { type, data } of received) {
    const version = Number(data.version)
    if (type === 'room.participant_joined') {
      spans.set(String((data.participant as { participantId: string }).participantId), { from: version, to: Infinity })
    } else if (type === 'room.participant_left') (spans.get(String(data.participantId)) as Span).to = version
  }
  return spans
}

/** Checks that the device received events only while it was in the room. Returns the replica of its last participation. */
function replay({ name, received, joined, left }: Device, spans: ReadonlyMap<string, Span>): RoomReplica | null {
  const events = received.filter(({ type }) => type !== 'room.joined')
  let replica: RoomReplica | null = null
  let count = 0
  for (const { participantId, room, participants } of joined) {
    const { from, to } = spans.get(participantId) ?? { from: 1, to: Infinity }
    replica = new RoomReplica(participantId, { version: room.version, participants })
    for (const { type, data } of events) {
      const version = Number(data.version)
      // A device that leaves by request has the reply; a device that is removed gets an event.
      const last = left.includes(participantId) ? to - 1 : to
      if (version < from || version > last) continue
      replica.receive({ type, data })
      count++
    }
    replica.hasLeft ||= to < Infinity
  }
  assert.equal(count, events.length, `${name} received no event while it was not in the room`)
  return replica
}

const idOf = ({ participantId }: { participantId: string }) => participantId

/** All other participants: a participant receives no events about its own changes. */
function others<P extends { participantId: string }>(participants: Iterable<P>, self: { participantId: string }): P[] {
  return [...participants]
    .filter(({ participantId }) => participantId !== self.participantId)
    .sort((a, b) => a.participantId.localeCompare(b.participantId))
}

for (const setting of SETTINGS.filter(({ nodes }) => nodes === 2)) {
  t.test(
    `when devices join and leave at random, each has received what describes the room: ${setting.name}`,
    async t => {
      const cluster = await TestCluster.open(setting, { ROOM_RECONNECT_MS: String(RECONNECT_MS) })
      const devices = await createDevices(cluster)
      const seed = Date.now() % 1_000_000
      t.comment(`seed ${seed}`)
      try {
        await runRounds(cluster, devices, createDice(seed))
        const { room, participants } = await settle(cluster, devices)
        for (const device of devices) device.collect()
        const spans = spansOf(devices[0] as Device)
        const replicas = devices.flatMap(device => {
          const replica = replay(device, spans)
          return replica === null || replica.hasLeft ? [] : [replica]
        })
        for (const each of replicas) {
          assert.deepEqual(others(each.participants.values(), each), others(participants, each))
        }
        t.same(replicas.map(({ participantId }) => participantId).sort(), participants.map(idOf).sort())
        t.equal(
          room.participantCount,
          replicas.length,
          `${replicas.length} participants after ${room.version} versions`
        )
      } finally {
        for (const device of devices) await device.end()
        await until('all streams are closed', () => cluster.openStreams() === 0)
        await cluster.settle()
        await cluster.close()
      }
    }
  )
}
