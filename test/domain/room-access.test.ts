// Who may do what in a room, as a table: each action of each kind of user, in an open room, a locked one, one for members only, a closed one
// and one that does not exist.
import t from 'tap'
import { type RoomAction, requireAccess } from '../../src/domain/room/access.js'
import { withServiceClaim } from '../../src/domain/room/service-answer.js'
import {
  type Invitation,
  PART,
  type ParticipantRecord,
  type RoomParts,
  type RoomUser,
  type Settings
} from '../../src/domain/room/state.js'
import { AppError } from '../../src/errors.js'
import type { Actor } from '../../src/schemas/claims.js'
import type { RoomDefinition } from '../../src/schemas/room-service.js'
import { actorOf, ROOM, T0 } from '../helpers/room-fixture.js'

const SETTINGS: Settings = {
  mode: 'p2p',
  p2pFallback: true,
  callType: 'video',
  locked: false,
  record: false,
  maxParticipants: 9,
  defaultRole: 'speaker',
  metadata: {},
  createdAt: T0,
  createdBy: 'creator',
  closed: null
}

type Parts = Readonly<Record<string, object>>

const participantOf = (user: string, role: ParticipantRecord['role']): ParticipantRecord => {
  const rest = { since: null, claimed: null, awaySince: null, joinedAt: T0, metadata: {} }
  return { participantId: `p-${user}`, user, device: 'phone', role, ...rest }
}
const userOf = (parts: Partial<RoomUser>): RoomUser => ({
  ...{ roomCreatedAt: T0, devices: [], role: null, assigned: null, left: [] },
  ...parts
})
const inside = (user: string, role: ParticipantRecord['role'], device = 'phone'): Parts => ({
  ...(device === 'phone' ? { [PART.participantOf({ user, device: 'phone' })]: participantOf(user, role) } : {}),
  [PART.user(user)]: userOf({ devices: [device], role })
})
const assigned = (user: string, role: ParticipantRecord['role']): Parts => ({
  [PART.user(user)]: userOf({ assigned: { role, claimed: null } })
})
const invited = (user: string, ended: Invitation['ended'] = null): Parts => {
  const from = { participantId: 'p', user: 'creator', device: 'phone' }
  return { [PART.invitation(user)]: { invitationId: 'i', user, from, metadata: {}, until: T0 + 1, ended } }
}
const banned = (user: string, until: number | null = null): Parts => ({ [PART.ban(user)]: { by: {}, at: T0, until } })
const ended = (reason: 'accepted' | 'declined', at = T0) => ({ reason, by: null, at })

function roomOf(settings: Settings | null, parts: Parts): RoomParts {
  const all: Parts = { ...parts, ...(settings ? { [PART.settings]: settings } : {}) }
  const get = <T>(part: string) => (all[part] ?? null) as T | null
  return { roomId: ROOM, version: 1, settings, emptySince: null, get, list: () => [], participantCount: 0 }
}

function outcome(action: RoomAction, settings: Settings | null, [actor, parts]: readonly [Actor, Parts]): string {
  try {
    requireAccess(action, roomOf(settings, parts), { actor, now: T0 + 5 })
    return 'yes'
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
}

const SERVICE: RoomDefinition = { roles: { named: 'moderator' }, grants: { guest: ['join', 'chat'] } }
const CLOSED_SERVICE: RoomDefinition = { ...SERVICE, defaultRole: 'none' }
const served = (user: string, room: RoomDefinition) => withServiceClaim(actorOf(user), ROOM, room)

const USERS = {
  host: [actorOf('ann'), inside('ann', 'host')],
  moderator: [actorOf('ann'), inside('ann', 'moderator')],
  speaker: [actorOf('ann'), inside('ann', 'speaker')],
  listener: [actorOf('ann'), inside('ann', 'listener')],
  'speaker, with another device': [actorOf('ann'), inside('ann', 'speaker', 'tablet')],
  'banned host': [actorOf('ann'), { ...inside('ann', 'host'), ...banned('ann') }],
  'banned operator': [actorOf('ann', 'phone', { role: 'host' }), banned('ann')],
  'host whose ban has lapsed': [actorOf('ann'), { ...inside('ann', 'host'), ...banned('ann', T0 + 5) }],
  creator: [actorOf('creator'), {}],
  'demoted creator': [actorOf('creator'), assigned('creator', 'speaker')],
  invitee: [actorOf('ann'), invited('ann')],
  'invitee who has accepted': [actorOf('ann'), invited('ann', ended('accepted'))],
  'invitee who has declined': [actorOf('ann'), invited('ann', ended('declined'))],
  'invitee of an earlier room': [actorOf('ann'), invited('ann', ended('accepted', T0 - 1))],
  'banned invitee': [actorOf('ann'), { ...invited('ann'), ...banned('ann') }],
  stranger: [actorOf('ann'), {}],
  'former moderator': [actorOf('ann'), assigned('ann', 'moderator')],
  'token for this room': [actorOf('ann', 'phone', {}), {}],
  'token for this room as moderator': [actorOf('ann', 'phone', { role: 'moderator' }), {}],
  'token for this room with chat': [actorOf('ann', 'phone', { grants: ['chat'] }), {}],
  'token for this room with nothing': [actorOf('ann', 'phone', { grants: [] }), {}],
  'token for any room': [{ ...actorOf('ann'), rooms: { '*': {} } }, {}],
  'token for any room as host': [{ ...actorOf('ann'), rooms: { '*': { role: 'host' } } }, {}],
  'token for other rooms': [{ ...actorOf('ann'), rooms: { r2: { role: 'host' } } }, {}],
  'named by the service': [served('named', SERVICE), {}],
  'guest of the service': [served('guest', SERVICE), {}],
  'not named by the service': [served('ann', SERVICE), {}],
  'not let in by the service': [served('ann', CLOSED_SERVICE), {}],
  'not let in, with an invitation': [served('ann', CLOSED_SERVICE), invited('ann')],
  'not let in, called constructor': [served('constructor', CLOSED_SERVICE), {}],
  'not let in, called __proto__': [served('__proto__', CLOSED_SERVICE), {}],
  'in, and no longer let in': [served('ann', CLOSED_SERVICE), inside('ann', 'speaker')]
} satisfies Record<string, readonly [Actor, Parts]>

const ACTIONS = ['join', 'read', 'readChat', 'chat', 'signal', 'invite', 'moderate', 'manage'] as const

/** y: yes; p: not_permitted; b: banned; n: room_not_found; i: not_in_room; c: room_closed. In the order of ACTIONS. */
const CODES: Readonly<Record<string, string>> = {
  yes: 'y',
  not_permitted: 'p',
  banned: 'b',
  room_not_found: 'n',
  not_in_room: 'i',
  room_closed: 'c'
}

/** In an open room, in a locked one, and in one for members only. */
const EXPECTED: Record<keyof typeof USERS, readonly [open: string, locked: string, membersOnly: string]> = {
  host: ['yyyyyyyy', 'yyyyyyyy', 'yyyyyyyy'],
  moderator: ['yyyyyyyp', 'yyyyyyyp', 'yyyyyyyp'],
  speaker: ['yyyyyypp', 'yyyyyypp', 'yyyyyypp'],
  listener: ['yyyyyypp', 'yyyyyypp', 'yyyyyypp'],
  'speaker, with another device': ['yyyiiipp', 'yyyiiipp', 'yyyiiipp'],
  'banned host': ['bbbbbbbb', 'bbbbbbbb', 'bbbbbbbb'],
  'banned operator': ['bbbbbbbb', 'bbbbbbbb', 'bbbbbbbb'],
  'host whose ban has lapsed': ['yyyyyyyy', 'yyyyyyyy', 'yyyyyyyy'],
  creator: ['yyyiiiyy', 'yyyiiiyy', 'yyyiiiyy'],
  'demoted creator': ['ynnnnnnn', 'ynnnnnnn', 'ynnnnnnn'],
  invitee: ['yyyiiipp', 'yyyiiipp', 'yyyiiipp'],
  'invitee who has accepted': ['yyyiiipp', 'yyyiiipp', 'yyyiiipp'],
  'invitee who has declined': ['ynnnnnnn', 'ynnnnnnn', 'nnnnnnnn'],
  'invitee of an earlier room': ['ynnnnnnn', 'ynnnnnnn', 'nnnnnnnn'],
  'banned invitee': ['bbbbbbbb', 'bbbbbbbb', 'bbbbbbbb'],
  stranger: ['ynnnnnnn', 'ynnnnnnn', 'nnnnnnnn'],
  'former moderator': ['ynnnnnnn', 'ynnnnnnn', 'ynnnnnnn'],
  'token for this room': ['yyyiiipp', 'ynniiipp', 'pppiiipp'],
  'token for this room as moderator': ['yyyiiiyp', 'yyyiiiyp', 'yyyiiiyp'],
  'token for this room with chat': ['ppyiiipp', 'ppniiipp', 'ppyiiipp'],
  'token for this room with nothing': ['pppiiipp', 'pppiiipp', 'pppiiipp'],
  'token for any room': ['ynnnnnnn', 'ynnnnnnn', 'nnnnnnnn'],
  'token for any room as host': ['yyyiiiyy', 'yyyiiiyy', 'yyyiiiyy'],
  'token for other rooms': ['pppppppp', 'pppppppp', 'pppppppp'],
  'named by the service': ['yyyiiiyp', 'yyyiiiyp', 'yyyiiiyp'],
  'guest of the service': ['yyyiiipp', 'ynniiipp', 'yyyiiipp'],
  'not named by the service': ['ynnnnnnn', 'ynnnnnnn', 'ynnnnnnn'],
  'not let in by the service': ['nnnnnnnn', 'nnnnnnnn', 'nnnnnnnn'],
  'not let in, with an invitation': ['pppiiipp', 'pppiiipp', 'pppiiipp'],
  'not let in, called constructor': ['nnnnnnnn', 'nnnnnnnn', 'nnnnnnnn'],
  'not let in, called __proto__': ['nnnnnnnn', 'nnnnnnnn', 'nnnnnnnn'],
  'in, and no longer let in': ['pppppppp', 'pppppppp', 'pppppppp']
}

const row = (settings: Settings | null, user: readonly [Actor, Parts]) =>
  ACTIONS.map(action => CODES[outcome(action, settings, user)]).join('')

t.test(
  'each kind of user may do what the table says, in an open room, a locked one and one for members only',
  async t => {
    for (const [name, user] of Object.entries(USERS)) {
      const found = [SETTINGS, { ...SETTINGS, locked: true }, { ...SETTINGS, defaultRole: 'none' as const }].map(
        settings => row(settings, user)
      )
      t.strictSame(found, EXPECTED[name as keyof typeof USERS], name)
    }
  }
)

t.test(
  'when a user has no part in a room, every action but join answers as for a room that does not exist',
  async t => {
    const hidden = Object.entries(USERS).filter(([, user]) => /^.nnnnnnn$/.test(row(SETTINGS, user)))
    t.ok(hidden.length >= 9)
    for (const [name, user] of hidden) {
      for (const settings of [
        null,
        { ...SETTINGS, closed: 'closed' as const },
        { ...SETTINGS, closed: 'empty' as const }
      ]) {
        t.equal(row(settings, user).slice(1), 'nnnnnnn', name)
      }
    }
  }
)

t.test(
  'when a room was closed, a participant gets room_closed; when it closed because it was empty, its creator gets room_not_found',
  async t => {
    t.equal(row({ ...SETTINGS, closed: 'closed' }, USERS.speaker), 'cccccccc')
    t.equal(row({ ...SETTINGS, closed: 'empty' }, USERS.creator), 'nnnnnnnn')
  }
)
