// The examples of the OpenAPI document, by operation. Together they are a session, which test/openapi-examples.test.ts repeats.

import { ALICE, at, BOB, candidates, delivery, type Example, ROOM_EXAMPLES } from './room-examples.js'
import { SETUP_EXAMPLES } from './setup-examples.js'
import { SFU_EXAMPLES } from './sfu-examples.js'
import { SDP_EXAMPLE } from './signal.js'
import { TRANSFER_EXAMPLES } from './transfer-examples.js'
import { WHIP_EXAMPLES } from './whip-examples.js'

const SECOND_SDP = SDP_EXAMPLE.replace('F7gI', 'k2Wm')

/** Of the one candidate in a request. */
const outcomes = { accepted: 1, held: [], rejected: [] }

const CREATED = {
  callId: '7d1f0c1e-57a8-4f0e-9c55-0d2f6a1b3c4d',
  version: 1,
  state: 'ringing',
  caller: ALICE,
  callee: { user: 'bob', device: null },
  media: 'video',
  metadata: {},
  offerer: 'caller',
  createdAt: at(4),
  answeredAt: null,
  connectedAt: null,
  endedAt: null,
  reason: null,
  endedBy: null,
  expiresInMs: 30_000,
  setupMs: null,
  durationMs: null,
  held: { caller: false, callee: false },
  negotiation: { revision: 1, pendingFrom: 'caller' }
}
const ACCEPTED = {
  ...CREATED,
  version: 3,
  state: 'connecting',
  callee: BOB,
  answeredAt: at(9),
  negotiation: { revision: 1, pendingFrom: null }
}
export const CONNECTED = {
  ...ACCEPTED,
  version: 4,
  state: 'connected',
  connectedAt: at(11),
  expiresInMs: null,
  setupMs: 7000
}
const RENEGOTIATED = { ...CONNECTED, version: 8, negotiation: { revision: 2, pendingFrom: null } }
const HUNG_UP = {
  ...RENEGOTIATED,
  version: 9,
  state: 'ended',
  endedAt: at(17),
  reason: 'hangup',
  endedBy: ALICE,
  durationMs: 6000
}
const UNANSWERED = {
  ...CREATED,
  version: 2,
  state: 'ended',
  media: null,
  expiresInMs: null,
  negotiation: { revision: 0, pendingFrom: null }
}

const INCOMING = {
  id: '1.x7w2q',
  type: 'call.incoming',
  timestamp: at(4),
  data: {
    callId: CREATED.callId,
    version: 1,
    from: ALICE,
    media: 'video',
    metadata: {},
    expiresInMs: 30_000,
    offer: { revision: 1, sdp: SDP_EXAMPLE },
    candidates,
    end: true,
    call: CREATED
  }
}

const CALLS: Readonly<Record<string, Example>> = {
  createCall: {
    body: {
      to: 'bob',
      media: 'video',
      callId: CREATED.callId,
      offer: { type: 'offer', sdp: SDP_EXAMPLE },
      candidates,
      end: true
    },
    reply: { call: CREATED, resolution: 'created', delivery, cursor: '0.k3f9p', outcomes }
  },
  getCall: { reply: { call: { ...CREATED, expiresInMs: 28_000 } } },
  getCallTimeline: {
    reply: {
      callId: CREATED.callId,
      entries: [
        { at: at(4), type: 'created', by: ALICE },
        { at: at(4), type: 'offer', by: ALICE, revision: 1 },
        { at: at(8), type: 'ringing', by: { user: 'bob', device: null } },
        { at: at(9), type: 'accepted', by: BOB },
        { at: at(9), type: 'answer', by: BOB, revision: 1 },
        { at: at(11), type: 'connected', by: BOB },
        { at: at(12), type: 'held', by: ALICE },
        { at: at(13), type: 'resumed', by: ALICE },
        { at: at(14), type: 'offer', by: ALICE, revision: 2 },
        { at: at(15), type: 'answer', by: BOB, revision: 2 },
        { at: at(17), type: 'ended', by: ALICE, reason: 'hangup' }
      ],
      omitted: 0
    }
  },
  listCalls: { reply: { calls: [{ ...CREATED, expiresInMs: 27_000 }] } },
  reportRinging: { body: {}, reply: { call: { ...CREATED, version: 2, expiresInMs: 26_000 } } },
  acceptCall: {
    body: { answer: { type: 'answer', sdp: SDP_EXAMPLE }, candidates, end: true },
    reply: { call: ACCEPTED, cursor: '1.x7w2q', outcomes }
  },
  reportConnected: {
    body: { stats: { candidatePair: { local: 'srflx', remote: 'relay' }, protocol: 'udp', rttMs: 48 } },
    reply: { call: CONNECTED }
  },
  ...TRANSFER_EXAMPLES,
  holdCall: { body: {}, reply: { call: { ...CONNECTED, version: 5, held: { caller: true, callee: false } } } },
  resumeCall: { body: {}, reply: { call: { ...CONNECTED, version: 6 } } },
  sendCallMessage: {
    body: { content: '{"do":"unlock","door":2}', messageId: 'unlock-1' },
    reply: { messageId: 'unlock-1', version: 3, sentAt: at(57, 1), delivery }
  },
  updateCallMedia: {
    body: { audio: false },
    reply: {
      call: {
        ...ACCEPTED,
        callId: 'door',
        version: 4,
        media: null,
        createdAt: at(55, 1),
        answeredAt: at(56, 1),
        expiresInMs: 28_000,
        negotiation: { revision: 0, pendingFrom: null }
      }
    }
  },
  hangUpCall: { body: { reason: 'hangup' }, reply: { call: HUNG_UP } },
  rejectCall: {
    body: { scope: 'user' },
    reply: {
      call: {
        ...UNANSWERED,
        callId: 'declined',
        createdAt: at(18),
        endedAt: at(19),
        reason: 'declined',
        endedBy: { user: 'bob', device: null }
      }
    }
  },
  cancelCall: {
    body: {},
    reply: {
      call: {
        ...UNANSWERED,
        callId: 'cancelled',
        callee: { user: 'carol', device: null },
        createdAt: at(20),
        endedAt: at(21),
        reason: 'cancelled',
        endedBy: ALICE
      }
    }
  },
  sendOffer: { body: { sdp: SECOND_SDP, revision: 2 }, reply: { revision: 2, delivery } },
  sendAnswer: { body: { sdp: SECOND_SDP, revision: 2 }, reply: { revision: 2, delivery } },
  sendCandidates: { body: { candidates, end: true }, reply: { accepted: 1, held: [], rejected: [], delivery } }
}

const watching = [
  { user: 'bob', state: 'away', lastSeenAt: at(0), version: 1_795_255_224_000 },
  { user: 'carol', state: 'online', lastSeenAt: at(0), version: 1_795_255_224_000 }
]

const EVENTS_AND_PRESENCE: Readonly<Record<string, Example>> = {
  createEventTicket: { reply: { ticket: 'YWxpY2U.Kqvz-t-jAxFGOA6-xXD1J47RIUCSdOuV', expiresInMs: 60_000 } },
  pollEvents: { reply: { events: [INCOMING], cursor: INCOMING.id } },
  getSnapshot: {
    reply: {
      cursor: '5.67ch6',
      calls: [RENEGOTIATED],
      rooms: [],
      invitations: [],
      presence: { user: 'bob', state: 'busy', devices: 1, lastSeenAt: at(16) },
      watching: []
    }
  },
  updatePresence: {
    body: { status: 'away' },
    reply: { presence: { user: 'bob', state: 'away', devices: 1, lastSeenAt: at(22) } }
  },
  lookUpPresence: {
    reply: {
      presences: [
        { user: 'bob', state: 'away', lastSeenAt: at(0) },
        { user: 'carol', state: 'online', lastSeenAt: at(0) }
      ]
    }
  },
  watchUsers: { body: { users: ['bob', 'carol'] }, reply: { watching } },
  listWatchedUsers: { reply: { watching } },
  listBlocks: { reply: { blocks: ['mallory'] } }
}

const OTHERS: Readonly<Record<string, Example>> = {
  explainProblem: {
    reply: {
      ...{ code: 'callee_busy', status: 409, title: 'The callee is in another call', retryable: false },
      advice: 'Tell the user, or call again later with a new callId.'
    }
  },
  getLiveness: { reply: { status: 'ok' } },
  getReadiness: { reply: { status: 'ready' } }
}

export const EXAMPLES = {
  ...CALLS,
  ...EVENTS_AND_PRESENCE,
  ...SETUP_EXAMPLES,
  ...ROOM_EXAMPLES,
  ...SFU_EXAMPLES,
  ...WHIP_EXAMPLES,
  ...OTHERS
} as Readonly<Record<string, Example>>
