// What the requests of a call have in common.
import type { CreateCallRequest } from './api.js'
import type { Call } from './call.js'
import type { Signals } from './call-events.js'
import type { MediaOptions } from './call-media.js'
import type { Method, RequestOptions } from './core.js'
import type { Times } from './times.js'

export type CreateBody = Omit<CreateCallRequest, 'offer' | 'candidates' | 'end'> & { callId: string }

/** `offer`, `answer`, `candidates` and `end` are for programs that bring their own WebRTC. */
export interface AcceptOptions extends MediaOptions, Signals {}

/** The client, as calls and rooms see it. */
export interface Client {
  readonly device: string
  readonly user: string | null
  readonly options: { readonly times?: Partial<Times> }
  /** Tells the other tabs, if the reply shows a call or a participation: the acting device receives no event. */
  requestAndShare<T>(method: Method, path: string, body?: object, options?: RequestOptions): Promise<T>
  /** Resolves to what creates connections; null without RTCPeerConnection. */
  prepare(rtc?: RTCConfiguration): Promise<(() => RTCPeerConnection) | null>
  onError(error: unknown): void
}

/** All calls of this tab, as one of them sees them. */
export interface CallHost {
  readonly client: Client
  readonly live: ReadonlyMap<string, Call>
  /** This call goes on under the id of the one that it was merged into. */
  rename(call: Call, before: string): void
}

/** What is posted beneath `/calls/{callId}`. */
export type PostRequest = [action: string, body?: object, options?: RequestOptions]

export const pathOf = (callId: string, what: string) => `/calls/${encodeURIComponent(callId)}/${what}`
