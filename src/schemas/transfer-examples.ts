// The examples of transfers, by operation: see examples.ts.
import { ALICE, BOB, type Example } from './room-examples.js'

const CALL = {
  callId: 'handover',
  version: 3,
  state: 'connected',
  caller: ALICE,
  callee: BOB,
  media: null,
  metadata: {},
  offerer: 'caller',
  createdAt: '2026-11-21T10:02:48.000Z',
  answeredAt: '2026-11-21T10:02:49.000Z',
  connectedAt: '2026-11-21T10:02:50.000Z',
  endedAt: null,
  reason: null,
  endedBy: null,
  expiresInMs: null,
  setupMs: 2000,
  durationMs: null,
  held: { caller: false, callee: false },
  negotiation: { revision: 0, pendingFrom: null }
}
const transfer = { by: 'caller', to: { user: 'carol', device: null }, expiresInMs: 30_000 }

export const TRANSFER_EXAMPLES = {
  transferCall: { body: { to: 'carol' }, reply: { call: { ...CALL, version: 4, transfer } } },
  cancelTransfer: { reply: { call: { ...CALL, version: 5 } } }
} satisfies Record<string, Example>
