// The examples of openapi/admin.yaml, by operation.
import { at, type Example } from './room-examples.js'

const MESSAGE_ID = 'msg_k3Jd8sPq0ZrX1vB7nT5wYc2M'
const SOURCE = { kind: 'call', id: '7d1f0c1e-57a8-4f0e-9c55-0d2f6a1b3c4d' }
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

export const ADMIN_EXAMPLES: Readonly<Record<string, Example>> = {
  listWebhooks: { reply: { webhooks: [WEBHOOK], backlog: { queues: 1, dueAt: at(10) } } },
  enableWebhook: { reply: WEBHOOK },
  listDeliveries: { reply: { deliveries: [DELIVERY], next: null } },
  listDeadLetters: { reply: { deadLetters: [LETTER], next: null } },
  replayDeadLetters: { reply: { replayed: 3, left: 0 } },
  getDeadLetter: {
    reply: { ...LETTER, event: { type: 'call.ended', timestamp: at(4), data: { callId: SOURCE.id, reason: 'hangup' } } }
  }
}
