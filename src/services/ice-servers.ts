// STUN and TURN servers for one user. Credentials are not stored: the TURN server verifies them with the same secret
// (draft-uberti-behave-turn-rest, section 2.2).
import { createHmac, hash } from 'node:crypto'
import { encodeId } from '../id-text.js'
import type { Actor } from '../schemas/claims.js'
import type { IceServer, IceServersReply } from '../schemas/ice.js'
import type { Context } from './context.js'

export function listIceServers({ config, clock }: Pick<Context, 'config' | 'clock'>, actor: Actor): IceServersReply {
  const { stunUrls, turnUrls, turnTtlMs } = config
  const iceServers: IceServer[] = []
  if (stunUrls.length > 0) iceServers.push({ urls: [...stunUrls] })
  const [secret] = config.turnSecrets
  if (turnUrls.length === 0 || secret === undefined) return { iceServers, expiresInMs: null }

  const username = `${Math.floor((clock.now() + turnTtlMs) / 1000)}:${turnNameOf(actor.user)}`
  const credential = createHmac('sha1', secret).update(username).digest('base64')
  iceServers.push({ urls: [...turnUrls], username, credential })
  return { iceServers, expiresInMs: turnTtlMs }
}

/** RFC 8489, section 14.3: a USERNAME has less than 509 bytes. The expiry takes up to 12 of them. */
const TURN_NAME_MAX = 496

/**
 * Names the user to the TURN server, which limits and logs by it. Encoded, because clients may normalise what is not ASCII (RFC 8265,
 * section 4.2), and the credential is valid for exactly this text. What is too long is replaced by a digest after `+`, which no encoding
 * contains.
 */
function turnNameOf(user: string): string {
  const name = encodeId(user)
  return name.length <= TURN_NAME_MAX ? name : `+${hash('sha256', user, 'base64url')}`
}
