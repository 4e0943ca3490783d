// What a party does in a call with one request: ends it, sends a message, transfers it.
import type { CallReply, CallTimeline, RejectCallRequest, SendCallMessageReply, TransferCallRequest } from './api.js'
import type { Call } from './call.js'
import type { EndReason, Start } from './call-events.js'
import { type CallHost, type PostRequest, pathOf } from './call-requests.js'
import { CallState } from './call-state.js'
import type { RequestOptions } from './core.js'
import { isGone } from './problem.js'

export abstract class CallActions extends CallState {
  protected readonly host: CallHost

  constructor(host: CallHost, start: Start) {
    super(start)
    this.host = host
  }

  protected post<T>(...[action, body = {}, options]: PostRequest): Promise<T> {
    return this.host.client.requestAndShare('POST', pathOf(this.id, action), body, options)
  }

  /** Ends the call on this device at once, in every state. */
  async hangup(reason: 'hangup' | 'media_failed' = 'hangup', options: RequestOptions = {}): Promise<void> {
    if (this.state !== 'ringing') return this.#end(reason, 'hangup', { reason }, options)
    // The server keeps a cancel for a create that has not arrived.
    if (this.direction === 'outgoing') return this.#end('cancelled', 'cancel', {}, options)
    return this.#end('declined', 'hangup', {}, options)
  }

  /** `device`: stops the ringing on this device only. */
  reject({ scope = 'user' }: RejectCallRequest = {}): Promise<void> {
    return this.#end('declined', 'reject', { scope })
  }

  async #end(reason: EndReason, ...request: PostRequest): Promise<void> {
    if (this.state === 'ended') return
    this.finishAs(reason)
    await this.leave(...request)
  }

  protected async leave(...request: PostRequest): Promise<void> {
    await this.post(...request).catch(error => {
      // It has ended already.
      if (!isGone(error)) throw error
    })
  }

  send(content: string, messageId?: string): Promise<SendCallMessageReply> {
    return this.post('messages', { content, messageId })
  }

  timeline(): Promise<CallTimeline> {
    return this.host.client.requestAndShare('GET', pathOf(this.id, 'timeline'))
  }

  /**
   * Leaves a connected call to another user: `to`, who rings while the call goes on, and takes your place with the accept. This call then ends as
   * `transferred`. With `toCall`, the id of another call of this device, the other parties of both calls are joined.
   * Resolves to the call that is transferred: with `toCall` the older one of the two.
   * @throws Problem, such as `callee_busy` or `transfer_pending`
   */
  async transfer(options: TransferCallRequest): Promise<Call> {
    let call = this as unknown as Call
    await this.during(async () => {
      const { call: record } = await this.post<CallReply>('transfer', options)
      call = this.host.live.get(record.callId) ?? call
      call.onTransfer(record)
    })
    return call
  }

  /** @internal */
  onTransfer(record: CallReply['call']): void {
    const isNew = record.version > this.version
    this.applyRecord(record)
    const { transfer } = record
    // The acting device receives no event.
    if (isNew && transfer) this.emit('transferring', { ...transfer, by: record[transfer.by], left: false })
  }

  /** Takes the transfer back: its target stops ringing, and the call goes on. */
  async cancelTransfer(): Promise<void> {
    const { client } = this.host
    const { call } = await client.requestAndShare<CallReply>('DELETE', pathOf(this.id, 'transfer'))
    // An event may have said how it went.
    const before = this.pendingTransfer
    this.applyRecord(call)
    if (before && this.state !== 'ended') this.emit('transfer_failed', { to: before.to, reason: 'cancelled' })
  }
}
