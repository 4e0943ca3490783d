// STUN and TURN servers for one user. Credentials are not stored: the TURN server verifies them with the same secret
// (draft-uberti-behave-turn-rest, section 2.2).
import { createHmac, hash } from 'node:crypto'
import type { Config } from '../config.js'
import { encodeId } from '../id-text.js'
import type { Actor } from '../schemas/claims.js'
import type { IceServer, IceServersReply } from '../schemas/ice.js'
import type { Context } from './context.js'

/** `region`: near which the caller is. */
export function listIceServers(
  { config, clock }: Pick<Context, 'config' | 'clock'>,
  actor: Actor,
  region: string | null = null
): IceServersReply {
  const { iceTransportPolicy, turnTtlMs } = config
  const [stunUrls, turnUrls] = [config.stunUrls, config.turnUrls].map(urls => urlsFor(urls, region))
  const iceServers: IceServer[] = []
  if (stunUrls?.length) iceServers.push({ urls: stunUrls })
  const [secret] = config.turnSecrets
  if (!turnUrls?.length || secret === undefined) return { iceServers, iceTransportPolicy, expiresInMs: null }

  const username = `${Math.floor((clock.now() + turnTtlMs) / 1000)}:${turnNameOf(actor.user)}`
  const credential = createHmac('sha1', secret).update(username).digest('base64')
  iceServers.push({ urls: turnUrls, username, credential })
  return { iceServers, iceTransportPolicy, expiresInMs: turnTtlMs }
}

/** Those of the region, then those of every region. If there are none: all, because a distant server is better than none. */
function urlsFor(urls: Config['turnUrls'], region: string | null): string[] {
  const near = urls.filter(each => each.region !== null && each.region === region)
  const everywhere = urls.filter(each => each.region === null)
  const found = [...near, ...everywhere]
  return (found.length > 0 ? found : urls).map(({ url }) => url)
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
