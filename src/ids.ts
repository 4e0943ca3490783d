// Every id that is made here: the random ones, injected, and those that a client's key stands for.
import { createHash, randomBytes, randomUUID } from 'node:crypto'

export interface Ids {
  /** A new call id, connection id or node id: a UUID, RFC 9562 version 4. */
  unique(): string
  /** Five characters that make an event id unguessable and tell two histories of one mailbox apart (25 bits). */
  tag(): string
  /** 192 random bits, base64url: for tickets. */
  secret(): string
  /** A whole number in [low, high]: jitter, which may be guessed. */
  between(low: number, high: number): number
}

/** What ids from keys begin with; no id that a client chooses may. */
export const DERIVED_ID_PREFIX = 'key~'

/** The same Idempotency-Key of the same user, for the same thing, is the same id: on any node, without anything to remember. */
export function idFromKey(user: string, key: string, thing = ''): string {
  return DERIVED_ID_PREFIX + createHash('sha256').update(`${user}\n${thing}\n${key}`).digest('base64url')
}

const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789'
const POOL_SIZE = 5 * 1024

export function createIds(): Ids {
  let pool = randomBytes(POOL_SIZE)
  let used = 0
  return {
    unique: () => randomUUID(),
    tag() {
      if (used + 5 > POOL_SIZE) {
        pool = randomBytes(POOL_SIZE)
        used = 0
      }
      let tag = ''
      for (let i = 0; i < 5; i++) tag += ALPHABET[(pool[used++] ?? 0) & 31]
      return tag
    },
    secret: () => randomBytes(24).toString('base64url'),
    between: (low, high) => low + Math.floor(Math.random() * (high - low + 1))
  }
}
