// How a person transfers a call: to another user at once, or after a consultation, which is a second call while the first one is on hold.
import type { Call } from '../../client/src/index.js'
import type { Person } from './person.js'

export class Transfers {
  readonly #person: Person
  /** The first call during a consultation. */
  #waiting: Call | null = null
  /** How the last transfer went. */
  note = ''

  constructor(person: Person) {
    this.#person = person
  }

  get isConsulting(): boolean {
    return this.#waiting !== null
  }

  /** The call whose transfer by this person, or by the other side, is pending. */
  get pending(): { readonly call: Call; readonly isMine: boolean; readonly to: string } | null {
    const call = [this.#waiting, this.#person.liveCall].find(each => each?.pendingTransfer)
    if (!call?.pendingTransfer) return null
    const { by, to } = call.pendingTransfer
    return { call, isMine: (by === 'caller') === (call.direction === 'outgoing'), to: to.user }
  }

  begin(user: string): Promise<boolean> {
    return this.#person.act(async () => this.#person.liveCall?.transfer({ to: user }), user)
  }

  async cancel(): Promise<void> {
    const { pending } = this
    await this.#person.act(async () => pending?.call.cancelTransfer())
  }

  /** Puts the call on hold, and calls the user. If that call ends, the first one goes on. */
  async consult(user: string): Promise<void> {
    const first = this.#person.liveCall
    if (!first || !(await this.#person.act(() => first.hold(true)))) return
    this.#waiting = first
    const isCalling = await this.#person.dial(user, { consultationOf: first.id })
    if (!isCalling) this.#goBack()
  }

  /** The consultation is over, and the first call goes on. */
  #goBack(): void {
    const first = this.#waiting
    this.#waiting = null
    if (!first || first.state === 'ended') return
    this.#person.show(first)
    first.hold(false).catch(error => this.#person.fail(error))
  }

  /** Joins the other sides of both calls. */
  async join(): Promise<void> {
    const { liveCall } = this.#person
    await this.#person.act(async () => liveCall && this.#waiting?.transfer({ toCall: liveCall.id }))
  }

  /** Says how it goes in this call. */
  follow(call: Call): void {
    const note = (text: string) => {
      this.note = text
    }
    // The other call with that user ends with the answer.
    if (call.replaces) void this.#person.answer()
    call.on('transferring', () => note(''))
    call.on('transfer_failed', ({ to, reason }) =>
      note(`${to.user} has not taken the call: ${reason.replaceAll('_', ' ')}`)
    )
    call.on('transferred', ({ by }) => note(`${by?.user} has transferred the call to ${call.peer?.user}`))
    call.on('ended', ({ reason }) => {
      if (call === this.#waiting) this.#waiting = null
      else if (reason !== 'transferred' && call === this.#person.call) this.#goBack()
    })
  }
}
