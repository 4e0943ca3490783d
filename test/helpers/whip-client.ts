// A WHIP or WHEP client without media: what an encoder or a player sends over HTTP.
import type { TestClient } from './test-client.js'

export interface WhipReply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The code of a problem. */
  readonly code: string | null
}

export interface WhipRequest {
  readonly method?: string
  readonly type?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

export const SDP = 'application/sdp'
export const FRAGMENT = 'application/trickle-ice-sdpfrag'

/** Sends requests as this user. */
export class WhipClient {
  readonly #base: string
  readonly #authorization: string

  constructor(base: string, user: TestClient) {
    this.#base = base
    this.#authorization = user.credentials.headers.authorization ?? ''
  }

  async send(path: string, { method = 'POST', type, body, headers = {} }: WhipRequest): Promise<WhipReply> {
    const reply = await fetch(new URL(path, this.#base), {
      method,
      headers: {
        authorization: this.#authorization,
        ...(type === undefined ? {} : { 'content-type': type }),
        ...headers
      },
      ...(body === undefined ? {} : { body })
    })
    const text = await reply.text()
    const isProblem = reply.headers.get('content-type')?.includes('problem+json') === true
    const { code = null } = isProblem ? (JSON.parse(text) as { code?: string }) : {}
    return { status: reply.status, headers: reply.headers, text, code }
  }

  /** POST of an offer. */
  offer(path: string, sdp: string, headers: Readonly<Record<string, string>> = {}): Promise<WhipReply> {
    return this.send(path, { type: SDP, body: sdp, headers })
  }

  /** PATCH of a session. */
  patch(session: string, fragment: string, ifMatch?: string): Promise<WhipReply> {
    const headers: Record<string, string> = ifMatch === undefined ? {} : { 'if-match': ifMatch }
    return this.send(session, { method: 'PATCH', type: FRAGMENT, body: fragment, headers })
  }

  end(session: string): Promise<WhipReply> {
    return this.send(session, { method: 'DELETE' })
  }
}
