// The ids that the server makes: random ones, and those derived from an Idempotency-Key.
import { createHash, randomBytes, randomUUID } from 'node:crypto'

export interface Ids {
  /** A new call id, connection id or node id: a UUID, RFC 9562 version 4. */
  unique(): string
  /** 25 random bits, as five characters. They tell two histories of one mailbox apart, and make the id of an event hard to guess. */
  tag(): string
  /** 192 random bits in base64url, for tickets. */
  secret(): string
  /** A random integer from `low` to `high`, both included. For jitter only: it can be predicted. */
  between(low: number, high: number): number
}

/** Begins each id that is derived from a key. A client must not choose such an id. */
export const DERIVED_ID_PREFIX = 'key~'

/** The same id for the same user, Idempotency-Key and scope, on every node and without anything stored. */
export function idFromKey(user: string, key: string, scope = ''): string {
  return DERIVED_ID_PREFIX + createHash('sha256').update(`${user}\n${scope}\n${key}`).digest('base64url')
}

/** In characters: 36 bits of a digest. */
const NODE_NAME_LENGTH = 6

/** A short name of a node. */
export const nodeNameOf = (node: string): string =>
  createHash('sha256').update(node).digest('base64url').slice(0, NODE_NAME_LENGTH)

/** The id of a stream or poll. It begins with the name of the node that serves it. */
export const connectionIdOf = (nodeName: string, unique: string): string => nodeName + unique

/** The name of the node that serves or served the connection. */
export const nodeOfConnection = (connection: string): string => connection.slice(0, NODE_NAME_LENGTH)

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
