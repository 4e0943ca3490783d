// STUN and TURN servers for one user. Credentials are not stored: the TURN server verifies them with the same secret
// (draft-uberti-behave-turn-rest, section 2.2).
import { createHmac } from 'node:crypto'
import type { Actor } from '../schemas/claims.js'
import type { IceServer, IceServersReply } from '../schemas/ice.js'
import type { Context } from './context.js'

export function listIceServers({ config, clock }: Pick<Context, 'config' | 'clock'>, actor: Actor): IceServersReply {
  const { stunUrls, turnUrls, turnTtlMs } = config
  const iceServers: IceServer[] = []
  if (stunUrls.length > 0) iceServers.push({ urls: [...stunUrls] })
  const [secret] = config.turnSecrets
  if (turnUrls.length === 0 || secret === undefined) return { iceServers, expiresInMs: null }

  const username = `${Math.floor((clock.now() + turnTtlMs) / 1000)}:${actor.user}`
  const credential = createHmac('sha1', secret).update(username).digest('base64')
  iceServers.push({ urls: [...turnUrls], username, credential })
  return { iceServers, expiresInMs: turnTtlMs }
}
