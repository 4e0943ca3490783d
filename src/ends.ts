// Why a stream ends, and whether the client should reconnect. Sent in the `end` event.

export const ENDS = {
  superseded: { reconnect: false, meaning: 'a newer stream or poll of this device has replaced it' },
  signed_off: { reconnect: false, meaning: 'the device signed off and its mailbox is deleted' },
  too_many_devices: {
    reconnect: false,
    meaning: 'the user has the maximum number of devices; sign one off first'
  },
  signed_out: {
    reconnect: false,
    meaning: 'an operator signed the device or its user out; its token is refused, and the user has to sign in again'
  },
  auth_expired: {
    reconnect: false,
    meaning: 'the token expired, or tokens of its age are refused; open the stream with a new one'
  },
  slow: { reconnect: true, meaning: 'the client reads too slowly; resume from the cursor' },
  unresponsive: {
    reconnect: true,
    meaning: 'the client set `ack=true` and stopped acknowledging; resume from the cursor'
  },
  max_bytes: { reconnect: true, meaning: 'the body has `maxBytes`; resume from the cursor at once' },
  drain: { reconnect: true, meaning: 'the node is shutting down; reconnect to another one' },
  rate_limited: { reconnect: true, meaning: 'too many streams were opened; wait for the retry time' },
  store_unavailable: { reconnect: true, meaning: 'the store cannot be reached; wait for the retry time' },
  store_full: { reconnect: true, meaning: 'the store does not accept writes at the moment; wait for the retry time' }
} as const satisfies Record<string, { reconnect: boolean; meaning: string }>

export type StreamEndReason = keyof typeof ENDS
