// The examples of openapi/admin.yaml, by operation.
import { CONNECTED } from './examples.js'
import { ALICE, at, BOB, type Example, HOST, NO_MEDIA, ROOM, SPEAKER } from './room-examples.js'

const MESSAGE_ID = 'msg_k3Jd8sPq0ZrX1vB7nT5wYc2M'
const SOURCE = { kind: 'call', id: CONNECTED.callId }
const WEBHOOK = {
  webhookId: '3f5a0c9b1d2e',
  origin: 'https://example.com',
  types: ['call.incoming', 'call.ended'],
  state: 'up',
  disabledAt: null,
  delivering: 1,
  waiting: 0
}
const LETTER = {
  deadLetterId: MESSAGE_ID,
  messageId: MESSAGE_ID,
  type: 'call.ended',
  source: SOURCE,
  reason: 'given_up',
  at: at(9)
}
const DELIVERY = {
  ...{ at: at(9), messageId: MESSAGE_ID, type: 'call.ended', source: SOURCE, attempt: 2 },
  ...{ outcome: 'failed', status: 503, error: null, durationMs: 41 }
}

const CALL = { ...CONNECTED, away: { caller: false, callee: false }, blocked: false }
const STARTED = {
  ...{ ...CALL, version: 1, state: 'ringing', media: 'audio', caller: { user: 'bob', device: 'operator' } },
  ...{
    callee: { user: 'alice', device: null },
    answeredAt: null,
    connectedAt: null,
    expiresInMs: 30_000,
    setupMs: null
  },
  negotiation: { revision: 0, pendingFrom: null }
}
const OPEN_ROOM = { ...ROOM, version: 5, participantCount: 2 }

const CALLS: Readonly<Record<string, Example>> = {
  listLiveCalls: { reply: { calls: [CALL], next: null } },
  getCallForOperator: { reply: { call: CALL } },
  startCallAsOperator: {
    body: { from: 'alice', to: 'bob', media: 'audio', whenOffline: 'ring' },
    reply: { call: STARTED }
  },
  endCallAsOperator: {
    reply: {
      call: { ...CALL, version: 5, state: 'ended', endedAt: at(17), reason: 'server', durationMs: 6000 }
    }
  },
  getTimelineForOperator: {
    reply: {
      callId: CALL.callId,
      entries: [
        { at: at(4), type: 'created', by: ALICE },
        { at: at(6), type: 'ringing', by: BOB },
        { at: at(9), type: 'accepted', by: BOB },
        { at: at(11), type: 'connected', by: ALICE }
      ],
      omitted: 0
    }
  }
}

const ROOMS: Readonly<Record<string, Example>> = {
  listOpenRooms: { reply: { rooms: [OPEN_ROOM], next: null } },
  getRoomForOperator: { reply: { room: OPEN_ROOM, participants: [HOST, SPEAKER], ...NO_MEDIA, hidden: [] } },
  listBansForOperator: { reply: { bans: [{ user: 'mallory', by: null, at: at(50), expiresInMs: null }] } }
}

const REVOCATION = {
  ...{ device: null, kind: 'sign_out', issuedAfter: at(9), changedAt: at(9) },
  expiresAt: '2027-11-21T10:00:09.000Z'
}
const REFUSED_TOKENS = { ...REVOCATION, kind: 'tokens' }

const USERS: Readonly<Record<string, Example>> = {
  getUserForOperator: {
    reply: {
      presence: { user: 'alice', state: 'busy', devices: 1, lastSeenAt: at(9) },
      devices: [{ device: 'phone', online: true, node: 'Zk3_aQ', lastSeenAt: at(9), status: null }],
      calls: [CONNECTED],
      rooms: [{ roomId: ROOM.roomId, device: 'phone', participantId: HOST.participantId }],
      revocations: []
    }
  },
  signOutUser: { reply: { revocation: REVOCATION } },
  signOutDevice: { reply: { revocation: { ...REVOCATION, device: 'phone' } } },
  refuseUserTokens: { body: { issuedAfter: at(9) }, reply: { revocation: REFUSED_TOKENS } },
  refuseDeviceTokens: {
    body: { issuedAfter: at(9) },
    reply: { revocation: { ...REFUSED_TOKENS, device: 'phone' } }
  }
}

const CHAT_LETTER = {
  ...{ deadLetterId: '1763719216000', roomId: ROOM.roomId, messageId: 'm-7Qk2', reason: 'refused' },
  ...{ status: 422, at: at(16) }
}
const { participantId } = HOST
const CHAT: Readonly<Record<string, Example>> = {
  listChatDeadLetters: { reply: { deadLetters: [CHAT_LETTER], next: null } },
  replayChatDeadLetters: { reply: { replayed: 3, refused: 1, next: null } },
  getChatDeadLetter: {
    reply: {
      ...CHAT_LETTER,
      message: {
        ...{ roomId: ROOM.roomId, messageId: 'm-7Qk2', from: { participantId, ...ALICE } },
        ...{ content: 'Good morning', sentAt: at(15), version: 6 }
      }
    }
  }
}

const CREDENTIAL = {
  ...{ user: 'home', device: 'camera', publicKey: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', keys: 0 },
  ...{ codeExpiresInMs: null, createdAt: at(4), usedAt: at(9) }
}

const NODE = {
  ...{ nodeId: '0b6f3c1a-9d52-4c77-8e21-6a4f0d9b7c35', host: 'signal-0', version: '0.1.0', startedAt: at(0) },
  ...{ seenAt: at(59), state: 'ready', streams: 1200, polls: 31, self: true }
}
const NODES: Readonly<Record<string, Example>> = {
  listNodes: { reply: { nodes: [NODE] } },
  drainNode: { reply: { node: NODE } },
  resumeNode: { reply: { node: { ...NODE, state: 'drained', streams: 0, polls: 0 } } }
}

export const ADMIN_EXAMPLES: Readonly<Record<string, Example>> = {
  ...CALLS,
  ...ROOMS,
  ...CHAT,
  ...USERS,
  listDeviceCredentials: { reply: { credentials: [CREDENTIAL], next: null } },
  getDeviceCredential: { reply: CREDENTIAL },
  setDeviceCredential: { body: { publicKey: CREDENTIAL.publicKey }, reply: CREDENTIAL },
  createEnrollmentCode: { reply: { code: '7KQ2-M4XA-0TRB-9WSE-HC6N-1VJD-8YPG', expiresInMs: 600_000 } },
  createDeviceKey: { reply: { key: 'q2V4b1J3c0ZtT1pLd1h5TnRHa0hqU2ZQYkxjRWFBdU0' } },
  ...NODES,
  listWebhooks: { reply: { webhooks: [WEBHOOK], backlog: { queues: 1, dueAt: at(10) } } },
  enableWebhook: { reply: WEBHOOK },
  listDeliveries: { reply: { deliveries: [DELIVERY], next: null } },
  listDeadLetters: { reply: { deadLetters: [LETTER], next: null } },
  replayDeadLetters: { reply: { replayed: 3, left: 0 } },
  getDeadLetter: {
    reply: { ...LETTER, event: { type: 'call.ended', timestamp: at(4), data: { callId: SOURCE.id, reason: 'hangup' } } }
  }
}
