// STUN and TURN servers as Link headers (RFC 9725 section 4.6).
import type { IceServersReply } from '../schemas/ice.js'

export function iceServerLinks({ iceServers }: IceServersReply): string[] {
  return iceServers.flatMap(({ urls, username, credential }) => {
    const account =
      username === undefined || credential === undefined
        ? ''
        : `; username="${quoted(username)}"; credential="${quoted(credential)}"; credential-type="password"`
    return [urls].flat().map(url => `<${url}>; rel="ice-server"${account}`)
  })
}

/** RFC 9110 section 5.6.4. */
const quoted = (text: string): string => text.replace(/["\\]/g, '\\$&')
