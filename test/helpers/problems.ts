// What every problem must say according to the table of errors.
import { Compile } from 'typebox/compile'
import { ERRORS, type ErrorCode } from '../../src/errors.js'
import { Problem } from '../../src/schemas/problem.js'

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

/** Clients ignore members that they do not know. The document lists all that the server sends. */
const listed = Compile({ ...Problem, additionalProperties: false })

/** What a problem has that its schema does not list or allow. */
export const faultsOfProblem = (problem: unknown): readonly unknown[] => listed.Errors(problem).slice(0, 2)
