// The options of a store in tests that do not test its bounds.
import type { StoreOptions } from '../../src/store/store.js'

export const LIMITS: StoreOptions = {
  retentionMs: 600_000,
  mailboxMaxEvents: 1000,
  mailboxMaxBytes: 2_097_152,
  maxDevicesPerUser: 32
}
