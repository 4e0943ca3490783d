// The examples about rooms, which continue those of examples.ts.
import { CANDIDATE_EXAMPLE, SDP_EXAMPLE } from './signal.js'

export interface Example {
  readonly body?: unknown
  readonly reply?: unknown
}

export const at = (second: number, minute = 0) => `2026-11-21T10:0${minute}:${String(second).padStart(2, '0')}.000Z`
export const ALICE = { user: 'alice', device: 'phone' }
export const BOB = { user: 'bob', device: 'laptop' }
export const delivery = { online: 0, queued: 1 }
export const candidates = [CANDIDATE_EXAMPLE]

export const ROOM = {
  roomId: 'standup',
  version: 1,
  mode: 'p2p',
  p2pFallback: true,
  callType: 'video',
  locked: false,
  record: false,
  maxParticipants: 12,
  defaultRole: 'speaker',
  createdAt: at(31),
  createdBy: 'alice',
  metadata: { title: 'Daily standup' },
  participantCount: 0
}
export const HOST = {
  participantId: 'Jq3v0XbW7mZk1cYh5tLs9dRf2gNa8pUe',
  ...ALICE,
  role: 'host',
  away: false,
  joinedAt: at(32),
  metadata: { name: 'Alice' }
}
export const SPEAKER = {
  participantId: 'hT5nQ2wXbR8kLc0vYd3mZs7gJf1aPeUi',
  ...BOB,
  role: 'speaker',
  away: false,
  joinedAt: at(35),
  metadata: {}
}
const MESSAGE = {
  roomId: 'standup',
  messageId: 'm-7Qk2',
  from: { participantId: HOST.participantId, ...ALICE },
  content: 'Can everybody hear me?',
  sentAt: at(41),
  version: 7
}
const { participantId: to } = SPEAKER

/** Of a room in mode p2p. */
export const NO_MEDIA = { sfu: null, producers: [], dataProducers: [] }

export const ROOM_EXAMPLES: Readonly<Record<string, Example>> = {
  createOrUpdateRoom: {
    body: { callType: 'video', maxParticipants: 12, metadata: ROOM.metadata },
    reply: { room: ROOM }
  },
  joinRoom: {
    body: { metadata: HOST.metadata },
    reply: {
      room: { ...ROOM, version: 2, participantCount: 1 },
      participantId: HOST.participantId,
      participants: [HOST],
      ...NO_MEDIA,
      cursor: '5.e5fi9'
    }
  },
  getRoom: {
    reply: { room: { ...ROOM, version: 5, participantCount: 2 }, participants: [HOST, SPEAKER], ...NO_MEDIA }
  },
  updateParticipant: { body: { mute: ['audio'] }, reply: { participant: SPEAKER } },
  listBans: { reply: { bans: [{ user: 'bob', by: ALICE, at: at(50, 1), expiresInMs: 3_599_000 }] } },
  inviteUsers: {
    body: { users: ['bob'], invitationId: 'inv-8Kq2' },
    reply: {
      invitations: [
        { invitationId: 'inv-8Kq2', user: 'bob', state: 'ringing', by: null, expiresInMs: 30_000, delivery }
      ],
      refused: []
    }
  },
  acceptInvitation: {
    reply: {
      invitation: { invitationId: 'inv-8Kq2', user: 'bob', state: 'accepted', by: BOB, expiresInMs: 0 },
      cursor: '8.cccpp'
    }
  },
  declineInvitation: {
    reply: {
      invitation: {
        invitationId: 'declined',
        user: 'carol',
        state: 'declined',
        by: { user: 'carol', device: 'tablet' },
        expiresInMs: 0
      }
    }
  },
  sendRoomOffer: { body: { to, sdp: SDP_EXAMPLE }, reply: { revision: 1, delivery } },
  sendRoomAnswer: { body: { to, sdp: SDP_EXAMPLE }, reply: { revision: 1, delivery } },
  sendRoomCandidates: { body: { to, candidates, end: true }, reply: { accepted: 1, held: [], rejected: [], delivery } },
  postMessage: { body: { content: MESSAGE.content, messageId: MESSAGE.messageId }, reply: { message: MESSAGE } },
  listMessages: { reply: { messages: [MESSAGE], before: null, after: null } },
  sendTyping: { body: { typing: true } }
}
