// What every problem must say according to the table of errors.
import { ERRORS, type ErrorCode } from '../../src/errors.js'

/** Whether a retry of these may succeed depends on the request or on the state of the call. */
const DEPENDS: readonly ErrorCode[] = [
  'caller_busy',
  'callee_busy',
  'call_glare',
  'call_ended',
  'wrong_state',
  'wrong_party'
]

/** `given` if a problem with this code may have it, else what it must be. */
export const expectedRetryable = (code: ErrorCode, given: unknown): unknown =>
  DEPENDS.includes(code) && typeof given === 'boolean' ? given : ERRORS[code].retryable
