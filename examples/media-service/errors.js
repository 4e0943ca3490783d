// The errors of the contract (openapi/media-service.yaml), and which of them an error of mediasoup is.

const STATUS = {
  unauthorized: 401,
  invalid_parameters: 400,
  session_not_found: 404,
  not_found: 404,
  already_connected: 409,
  cannot_consume: 409,
  limit_reached: 409,
  conflict: 409,
  overloaded: 503,
  internal: 500
}
const DETAIL_CHARS_MAX = 1024

export class MediaError extends Error {
  /** @param {keyof typeof STATUS} code @param {string} detail */
  constructor(code, detail) {
    super(detail)
    this.code = code
  }
}

/** @param {MediaError} error @returns {{status: number, body: {code: string, detail: string}}} */
export function replyFor({ code, message }) {
  return { status: STATUS[code], body: { code, detail: message.slice(0, DETAIL_CHARS_MAX) } }
}

/**
 * What a request to mediasoup failed with, in terms of the contract. mediasoup 3.8 throws InvalidStateError when the worker has died, later
 * versions throw WorkerClosedError.
 * @param {Error} error @param {'invalid_parameters' | 'cannot_consume' | 'overloaded'} otherwise the code of every other error
 */
export function fromMediasoup(error, otherwise) {
  if (error instanceof MediaError) return error
  if (['InvalidStateError', 'WorkerClosedError'].includes(error.name) || /channel closed/i.test(error.message))
    return new MediaError('session_not_found', 'The worker of the session has died')
  if (error.name === 'NotFoundError') return new MediaError('not_found', error.message)
  // The worker of mediasoup 3.8 gives no reason for some refusals, such as a MID that the transport has already.
  const detail = /^ *\[method/.test(error.message) ? `mediasoup refuses it${error.message}` : error.message
  return new MediaError(error instanceof TypeError ? 'invalid_parameters' : otherwise, detail)
}
