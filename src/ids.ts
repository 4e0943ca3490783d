// Everything random, made in one place and injected.
import { randomBytes, randomInt, randomUUID } from 'node:crypto'

export interface Ids {
  /** A new call id, connection id or node id: a UUID, RFC 9562 version 4. */
  unique(): string
  /** Five characters that make an event id unguessable and tell two histories of one mailbox apart (25 bits). */
  tag(): string
  /** 192 random bits, base64url: for tickets. */
  secret(): string
  /** A whole number in [low, high]: jitter. */
  between(low: number, high: number): number
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
    between: (low, high) => randomInt(low, high + 1)
  }
}
