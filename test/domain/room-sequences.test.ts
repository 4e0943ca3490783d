// Generated stories of a room: anybody does anything to anybody, devices come and go. After each step it is held against what must
// always be true, and what each participant has heard against what the room is.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { findParticipantRecord, roomUser } from '../../src/domain/room/access.js'
import { type BanRecord, PART, type RoomDecision, viewParticipant } from '../../src/domain/room/state.js'
import { AppError } from '../../src/errors.js'
import type { Actor } from '../../src/schemas/claims.js'
import { ROLES } from '../../src/schemas/room.js'
import { LINGER_MS, RoomFixture, somebody } from '../helpers/room-fixture.js'
import { RoomReplica } from '../helpers/room-replica.js'

const USERS = ['alice', 'bob', 'carol']
const DEVICES: Actor[] = USERS.flatMap(user => ['phone', 'tablet'].map(device => somebody(user, device)))
const MAKER = DEVICES[0] as Actor

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
    arbitrary: fc.tuple(device, device).map(([by, whom]) => step('remove', fixture => fixture.remove(by, whom), by))
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(device, device, fc.constantFrom(...ROLES))
      .map(([by, whom, role]) => step(`make ${role}`, fixture => fixture.change(by, whom, { role }), by))
  },
  {
    weight: 2,
    arbitrary: device.map(who =>
      step('name', fixture => fixture.change(who, who, { metadata: { n: fixture.version } }), who)
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
  { weight: 3, arbitrary: device.map(who => step('away', fixture => fixture.goesAway(who))) },
  { weight: 3, arbitrary: device.map(who => step('back', fixture => fixture.comesBack(who))) },
  { weight: 2, arbitrary: device.map(who => step('lost', fixture => fixture.isLost(who))) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(1_000, LINGER_MS).map(ms =>
      step('pass', fixture => {
        fixture.now += ms
        return fixture.closesIfEmpty()
      })
    )
  }
)

const isHost = ({ parts }: RoomFixture, user: string) =>
  parts.settings?.closed === null && (roomUser(parts, user).assigned?.role ?? roomUser(parts, user).role) === 'host'
const placeOf = ({ user, device: name }: { user: string; device: string }) => `${user}/${name}`
const roles = (fixture: RoomFixture) =>
  new Map(fixture.members().map(({ participantId, role }) => [participantId, role]))
const isBanned = (fixture: RoomFixture, user: string) => {
  const ban = fixture.parts.get<BanRecord>(PART.ban(user))
  return ban !== null && (ban.until === null || ban.until > fixture.now)
}

class Story {
  readonly fixture = new RoomFixture(4)
  readonly #replicas = new Map<string, RoomReplica>()
  readonly seen = new Set<string>()

  play([name, act, actor]: Step): void {
    const { fixture } = this
    const before = { version: fixture.version, participants: new Map(fixture.participants), roles: roles(fixture) }
    this.hosts = new Set(USERS.filter(user => isHost(fixture, user)))
    const banned = USERS.filter(user => isBanned(fixture, user))
    const mayManage = actor !== null && (this.hosts.has(actor.user) || this.#outside(actor) === 'host')
    const counts = new Map([...fixture.heard].map(([place, heard]) => [place, heard.length]))
    const outcome = act(fixture)
    this.seen.add(outcome instanceof AppError ? outcome.code : name)
    if (outcome instanceof AppError) {
      assert.equal(fixture.version, before.version, 'a refusal changes nothing')
      return
    }

    for (const [place, participant] of fixture.participants) {
      const isNew = before.participants.get(place) !== participant
      if (isNew) assert.ok(!banned.includes(place.split('/')[0] ?? ''), 'nobody gets in under a ban, on any device')
    }
    if (!mayManage && name !== 'lost' && actor !== null) this.#holdHosts(before.roles, actor)
    this.#holdParts()
    this.#tell(counts, before.participants, outcome, actor)
    this.#holdReplicas()
  }

  /** The role of somebody who is not in. */
  #outside({ user }: Actor) {
    const { settings } = this.fixture.parts
    if (settings === null || settings.closed !== null) return 'host'
    return settings.createdBy === user ? (roomUser(this.fixture.parts, user).assigned?.role ?? 'host') : null
  }

  /** Whoever is no host makes and unmakes none, and puts none out but their own devices. */
  #holdHosts(before: ReadonlyMap<string, string>, actor: Actor): void {
    const now = roles(this.fixture)
    const maker = this.fixture.parts.settings?.createdBy
    const hosts = new Set([...before, ...now].filter(([, role]) => role === 'host').map(([participant]) => participant))
    for (const participant of hosts) {
      const [was, is] = [before.get(participant), now.get(participant)]
      const member = this.fixture.members().find(({ participantId }) => participantId === participant)
      // A host joins as one, with any device: the maker, or a user who was made one.
      if (was === undefined) assert.ok(member?.user === maker || this.hosts.has(member?.user ?? ''))
      else if (is === undefined) assert.equal(this.users.get(participant), actor.user)
      else assert.equal(is, was, `${actor.user} changed who is host`)
    }
  }

  /** Users who were hosts before this step, wherever they are. */
  hosts = new Set<string>()

  /** Whose each participation was. */
  readonly users = new Map<string, string>()

  #holdParts(): void {
    const { fixture } = this
    const members = fixture.members()
    for (const { participantId, user } of members) this.users.set(participantId, user)
    for (const member of members) {
      assert.deepEqual(findParticipantRecord(fixture.parts, member.participantId), member, 'found by either name')
      assert.deepEqual(fixture.member(member), member)
      assert.ok(!isBanned(fixture, member.user), 'a banned user is out, with every device')
    }
    const byUser = (user: string) => members.filter(member => member.user === user)
    for (const user of USERS) {
      const { devices, assigned } = roomUser(fixture.parts, user)
      assert.deepEqual(
        [...devices].sort(),
        byUser(user)
          .map(({ device: name }) => name)
          .sort(),
        `devices of ${user}`
      )
      const roles = new Set(byUser(user).map(({ role }) => role))
      assert.ok(roles.size <= 1, `${user} has one role on all devices`)
      if (assigned !== null && roles.size > 0)
        assert.ok(roles.has(assigned.role), `the role that was assigned to ${user}`)
    }
    const isOpen = fixture.parts.settings?.closed === null
    if (isOpen && members.length === 0) assert.ok(fixture.parts.emptySince !== null, 'an empty room will end')
  }

  /** What was told in this step reaches the replicas; who acted knows it from the reply. */
  #tell(
    counts: ReadonlyMap<string, number>,
    before: ReadonlyMap<string, string>,
    outcome: RoomDecision,
    actor: Actor | null
  ): void {
    const { fixture } = this
    for (const [place, heard] of fixture.heard) {
      const news = heard.slice(counts.get(place) ?? 0)
      const [was, is] = [before.get(place), fixture.participants.get(place)]
      if (was === undefined && is === undefined) assert.deepEqual(news, [], `${place} is not in and hears nothing`)
      // Whoever goes hears at most that, and whoever comes nothing of what was before.
      if (was !== undefined && is === undefined) {
        assert.ok(news.every(({ type, data }) => type === 'room.participant_left' && data.participantId === was))
      }
      const replica = this.#replicas.get(place)
      if (replica && was === is)
        for (const { type, data, version } of news) replica.receive({ type, data: { ...data, version } })
    }
    const own = actor && this.#replicas.get(placeOf(actor))
    if (own) for (const event of outcome.events) own.apply(event)
    for (const place of new Set([...before.keys(), ...fixture.participants.keys()])) {
      const participant = fixture.participants.get(place)
      if (participant === undefined) this.#replicas.delete(place)
      else if (participant !== before.get(place)) {
        const participants = fixture.members().map(viewParticipant)
        this.#replicas.set(place, new RoomReplica(participant, { version: fixture.version, participants }))
      }
    }
  }

  #holdReplicas(): void {
    const others = (participants: Iterable<{ participantId: string }>, self: string) =>
      [...participants].filter(({ participantId }) => participantId !== self).sort(byId)
    const members = this.fixture.members().map(viewParticipant)
    for (const [place, { participantId, participants }] of this.#replicas) {
      assert.deepEqual(
        others(participants.values(), participantId),
        others(members, participantId),
        `what ${place} knows`
      )
    }
  }
}

const byId = (a: { participantId: string }, b: { participantId: string }) =>
  a.participantId.localeCompare(b.participantId)

function play(story: readonly Step[]): Story {
  const told = new Story()
  told.play(step('join', fixture => fixture.join(MAKER), MAKER))
  for (const each of story) told.play(each)
  return told
}

const stories = fc.array(steps, { maxLength: 60, size: 'max' })
const RUNS = 400

t.test('whatever anybody does, a room keeps its promises', async t => {
  let finished = 0
  fc.assert(
    fc.property(stories, story => {
      play(story)
      finished++
    }),
    { numRuns: RUNS }
  )
  t.equal(finished, RUNS)
})

t.test('the stories get everywhere', async t => {
  const seen = new Set<string>()
  for (const story of fc.sample(stories, { numRuns: 300, seed: 1 })) for (const each of play(story).seen) seen.add(each)
  const wanted = [
    ...['join', 'remove', 'make host', 'name', 'ban', 'unban', 'lock', 'away', 'back', 'lost', 'pass'],
    ...['banned', 'not_permitted', 'room_full', 'room_locked', 'room_not_found', 'participant_not_found']
  ]
  t.strictSame(
    wanted.filter(each => !seen.has(each)),
    []
  )
})
