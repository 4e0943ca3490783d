// The newest poll of each device on this node, until its reply has left this process. A device has one: a newer poll closes the reply of
// the poll before it, which the client no longer reads.
import type { ServerResponse } from 'node:http'
import { AppError } from '../errors.js'
import { joinIds } from '../id-text.js'
import type { Actor } from '../schemas/claims.js'

interface NewestPoll {
  readonly res: ServerResponse
  isAnswered: boolean
}

export class NewestPolls {
  readonly #newest = new Map<string, NewestPoll>()

  /** The returned function marks the poll as answered. It throws AppError superseded if a newer poll was added. */
  add({ user, device }: Actor, res: ServerResponse): () => void {
    const key = joinIds(user, device)
    const previous = this.#newest.get(key)
    if (previous?.isAnswered) previous.res.destroy()
    const added: NewestPoll = { res, isAnswered: false }
    this.#newest.set(key, added)
    const isNewest = () => this.#newest.get(key) === added
    whenClosed(res, () => isNewest() && this.#newest.delete(key))
    return () => {
      if (!isNewest()) throw new AppError('superseded')
      added.isAnswered = true
    }
  }
}

/** Calls `listener` at once if the reply is closed already: the client may disconnect while its request is being admitted. */
export function whenClosed(res: ServerResponse, listener: () => void): void {
  if (res.closed) listener()
  else res.once('close', listener)
}
