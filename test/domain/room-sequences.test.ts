// Generated sequences of room operations by all devices. After each step the invariants of a room are checked, and that the events received by
// each participant describe the room.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { findParticipantRecord } from '../../src/domain/room/access.js'
import { roomUser } from '../../src/domain/room/room-user.js'
import { type BanRecord, PART, type RoomDecision } from '../../src/domain/room/state.js'
import { viewParticipant } from '../../src/domain/room/view.js'
import { AppError } from '../../src/errors.js'
import type { Actor } from '../../src/schemas/claims.js'
import { ROLES } from '../../src/schemas/room.js'
import { actorOf, LINGER_MS, RoomFixture } from '../helpers/room-fixture.js'
import { RoomReplica } from '../helpers/room-replica.js'
import { randomRuns } from '../helpers/runs.js'

const USERS = ['alice', 'bob', 'carol']
const DEVICES: Actor[] = USERS.flatMap(user => ['phone', 'tablet'].map(device => actorOf(user, device)))
const CREATOR = DEVICES[0] as Actor

type Step = readonly [name: string, act: (fixture: RoomFixture) => RoomDecision | AppError, actor: Actor | null]

const device = fc.constantFrom(...DEVICES)
const step = (name: string, act: Step[1], actor: Actor | null = null): Step => [name, act, actor]

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(device, fc.boolean())
      .map(([who, replace]) => step('join', fixture => fixture.join(who, { replace }), who))
  },
  {
    weight: 4,
    arbitrary: fc.tuple(device, device).map(([by, target]) => step('remove', fixture => fixture.remove(by, target), by))
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(device, device, fc.constantFrom(...ROLES))
      .map(([by, target, role]) => step(`make ${role}`, fixture => fixture.change(by, target, { role }), by))
  },
  {
    weight: 2,
    arbitrary: device.map(who =>
      step('change metadata', fixture => fixture.change(who, who, { metadata: { n: fixture.version } }), who)
    )
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(device, fc.constantFrom(...USERS), fc.option(fc.constant(5_000)))
      .map(([by, user, forMs]) => step('ban', fixture => fixture.ban(by, user, forMs), by))
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(device, fc.constantFrom(...USERS))
      .map(([by, user]) => step('unban', fixture => fixture.unban(by, user), by))
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(device, fc.boolean())
      .map(([by, locked]) => step('lock', fixture => fixture.configure(by, { locked }), by))
  },
  { weight: 3, arbitrary: device.map(who => step('away', fixture => fixture.markAway(who))) },
  { weight: 3, arbitrary: device.map(who => step('back', fixture => fixture.markReturned(who))) },
  { weight: 2, arbitrary: device.map(who => step('lost', fixture => fixture.loseDevice(who))) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(1_000, LINGER_MS).map(ms =>
      step('wait', fixture => {
        fixture.now += ms
        return fixture.closeIfEmpty()
      })
    )
  }
)

const isHost = ({ parts }: RoomFixture, user: string) =>
  parts.settings?.closed === null && (roomUser(parts, user).assigned?.role ?? roomUser(parts, user).role) === 'host'
const keyOf = ({ user, device: name }: { user: string; device: string }) => `${user}/${name}`
const rolesIn = (fixture: RoomFixture) =>
  new Map(fixture.participants().map(({ participantId, role }) => [participantId, role]))
const isBanned = (fixture: RoomFixture, user: string) => {
  const ban = fixture.parts.get<BanRecord>(PART.ban(user))
  return ban !== null && (ban.until === null || ban.until > fixture.now)
}

interface Received {
  /** How many events each device had before the step. */
  readonly counts: ReadonlyMap<string, number>
  /** The participant ids before the step, by user/device. */
  readonly before: ReadonlyMap<string, string>
  readonly decision: RoomDecision
  readonly actor: Actor | null
}

class Sequence {
  readonly fixture = new RoomFixture(4)
  readonly #replicas = new Map<string, RoomReplica>()
  /** Names of the steps that succeeded, and error codes of the others. */
  readonly outcomes = new Set<string>()
  /** Users who were hosts before the step, in the room or not. */
  hosts = new Set<string>()
  /** The user of each participation. */
  readonly users = new Map<string, string>()

  run([name, act, actor]: Step): void {
    const { fixture } = this
    const before = { version: fixture.version, ids: new Map(fixture.participantIds), roles: rolesIn(fixture) }
    this.hosts = new Set(USERS.filter(user => isHost(fixture, user)))
    const banned = USERS.filter(user => isBanned(fixture, user))
    const mayManage = actor !== null && (this.hosts.has(actor.user) || this.#roleOutside(actor) === 'host')
    const counts = new Map([...fixture.received].map(([key, events]) => [key, events.length]))
    const outcome = act(fixture)
    this.outcomes.add(outcome instanceof AppError ? outcome.code : name)
    if (outcome instanceof AppError) {
      assert.equal(fixture.version, before.version, 'a refusal changes nothing')
      return
    }

    for (const [key, participantId] of fixture.participantIds) {
      const isNew = before.ids.get(key) !== participantId
      if (isNew) assert.ok(!banned.includes(key.split('/')[0] ?? ''), 'no device of a banned user joins')
    }
    if (!mayManage && name !== 'lost' && actor !== null) this.#checkHosts(before.roles, actor)
    this.#checkParts()
    this.#applyEvents({ counts, before: before.ids, decision: outcome, actor })
    this.#checkReplicas()
  }

  /** The role that a user has outside the room. */
  #roleOutside({ user }: Actor) {
    const { settings } = this.fixture.parts
    if (settings === null || settings.closed !== null) return 'host'
    return settings.createdBy === user ? (roomUser(this.fixture.parts, user).assigned?.role ?? 'host') : null
  }

  /** A user who is no host appoints and dismisses no host, and removes none except their own devices. */
  #checkHosts(before: ReadonlyMap<string, string>, actor: Actor): void {
    const now = rolesIn(this.fixture)
    const creator = this.fixture.parts.settings?.createdBy
    const hosts = new Set([...before, ...now].filter(([, role]) => role === 'host').map(([id]) => id))
    for (const id of hosts) {
      const [roleBefore, roleNow] = [before.get(id), now.get(id)]
      const joined = this.fixture.participants().find(({ participantId }) => participantId === id)
      // Only the creator, and users who were appointed, join as hosts, with any device.
      if (roleBefore === undefined) assert.ok(joined?.user === creator || this.hosts.has(joined?.user ?? ''))
      else if (roleNow === undefined) assert.equal(this.users.get(id), actor.user)
      else assert.equal(roleNow, roleBefore, `${actor.user} changed who is host`)
    }
  }

  #checkParts(): void {
    const { fixture } = this
    const participants = fixture.participants()
    for (const { participantId, user } of participants) this.users.set(participantId, user)
    for (const participant of participants) {
      const { participantId, user } = participant
      assert.deepEqual(findParticipantRecord(fixture.parts, participantId), participant, 'found by participant id')
      assert.deepEqual(fixture.participant(participant), participant, 'found by device')
      assert.ok(!isBanned(fixture, user), 'no device of a banned user is in the room')
    }
    for (const user of USERS) this.#checkUser(user)
    const isOpen = fixture.parts.settings?.closed === null
    if (isOpen && participants.length === 0) assert.ok(fixture.parts.emptySince !== null, 'an empty room will close')
  }

  #checkUser(user: string): void {
    const { fixture } = this
    const participants = fixture.participants().filter(participant => participant.user === user)
    const { devices, assigned } = roomUser(fixture.parts, user)
    const inRoom = participants.map(({ device: name }) => name).sort()
    assert.deepEqual([...devices].sort(), inRoom, `devices of ${user}`)
    const roles = new Set(participants.map(({ role }) => role))
    assert.ok(roles.size <= 1, `${user} has one role on all devices`)
    if (assigned !== null && roles.size > 0) assert.ok(roles.has(assigned.role), `the role assigned to ${user}`)
  }

  /** Applies the events of this step to the replicas. The acting device has no event, so its replica applies the decision. */
  #applyEvents({ counts, before, decision, actor }: Received): void {
    const { fixture } = this
    for (const [key, events] of fixture.received) {
      const received = events.slice(counts.get(key) ?? 0)
      const [was, is] = [before.get(key), fixture.participantIds.get(key)]
      if (was === undefined && is === undefined) assert.deepEqual(received, [], `${key} is not in the room`)
      // A device that is removed receives at most that.
      if (was !== undefined && is === undefined) {
        assert.ok(received.every(({ type, data }) => type === 'room.participant_left' && data.participantId === was))
      }
      const replica = this.#replicas.get(key)
      if (!replica || was !== is) continue
      for (const { type, data, version } of received) replica.receive({ type, data: { ...data, version } })
    }
    const own = actor && this.#replicas.get(keyOf(actor))
    if (own) for (const event of decision.events) own.apply(event)
    this.#renewReplicas(before)
  }

  /** Each new participation begins with the room as the reply to its join shows it. */
  #renewReplicas(before: ReadonlyMap<string, string>): void {
    const { fixture } = this
    for (const key of new Set([...before.keys(), ...fixture.participantIds.keys()])) {
      const participantId = fixture.participantIds.get(key)
      if (participantId === undefined) this.#replicas.delete(key)
      else if (participantId !== before.get(key)) {
        const participants = fixture.participants().map(viewParticipant)
        this.#replicas.set(key, new RoomReplica(participantId, { version: fixture.version, participants }))
      }
    }
  }

  #checkReplicas(): void {
    const others = (participants: Iterable<{ participantId: string }>, self: string) =>
      [...participants].filter(({ participantId }) => participantId !== self).sort(byId)
    const inRoom = this.fixture.participants().map(viewParticipant)
    for (const [key, { participantId, participants }] of this.#replicas) {
      assert.deepEqual(others(participants.values(), participantId), others(inRoom, participantId), `replica of ${key}`)
    }
  }
}

const byId = (a: { participantId: string }, b: { participantId: string }) =>
  a.participantId.localeCompare(b.participantId)

function run(sequence: readonly Step[]): Sequence {
  const running = new Sequence()
  running.run(step('join', fixture => fixture.join(CREATOR), CREATOR))
  for (const each of sequence) running.run(each)
  return running
}

const sequences = fc.array(steps, { maxLength: 60, size: 'max' })
const RUNS = randomRuns(120)

t.test('when devices run any sequence of operations, the invariants of the room hold', async t => {
  let finished = 0
  fc.assert(
    fc.property(sequences, sequence => {
      run(sequence)
      finished++
    }),
    { numRuns: RUNS }
  )
  t.equal(finished, RUNS)
})

t.test('when sequences are generated, they reach every operation and refusal', async t => {
  const reached = new Set<string>()
  for (const sequence of fc.sample(sequences, { numRuns: 300, seed: 1 }))
    for (const outcome of run(sequence).outcomes) reached.add(outcome)
  const wanted = [
    ...['join', 'remove', 'make host', 'change metadata', 'ban', 'unban', 'lock', 'away', 'back', 'lost', 'wait'],
    ...['banned', 'not_permitted', 'room_full', 'room_locked', 'room_not_found', 'participant_not_found']
  ]
  t.strictSame(
    wanted.filter(each => !reached.has(each)),
    []
  )
})
