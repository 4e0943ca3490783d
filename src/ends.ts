// Every reason for which a stream ends is a row here, with what the client should do next. It goes out in the `end` event.

export const ENDS = {
  superseded: { reconnect: false, meaning: 'A newer stream or poll of the same device took over' },
  signed_off: { reconnect: false, meaning: 'The device signed off; its mailbox is gone' },
  too_many_devices: {
    reconnect: false,
    meaning: 'The user has as many devices as allowed; one that signs off makes room'
  },
  auth_expired: { reconnect: false, meaning: 'The token expired; open the stream again with a fresh one' },
  slow: { reconnect: true, meaning: 'The client read too slowly; resume from the cursor' },
  unresponsive: {
    reconnect: true,
    meaning: 'The client opened the stream with `ack=true` and stopped acknowledging; resume from the cursor'
  },
  drain: { reconnect: true, meaning: 'The node is shutting down; another one will serve' },
  rate_limited: { reconnect: true, meaning: 'Too many streams opened; wait for the retry time' },
  store_unavailable: { reconnect: true, meaning: 'The store cannot be reached; wait for the retry time' },
  store_full: { reconnect: true, meaning: 'The store takes no writes at the moment; wait for the retry time' }
} as const satisfies Record<string, { reconnect: boolean; meaning: string }>

export type EndReason = keyof typeof ENDS
