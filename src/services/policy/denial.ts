import { AppError } from '../../errors.js'
import type { PolicyDenial } from '../../schemas/policy.js'

/** The explanation is for the user who asked. */
export const policyDenied = ({ reason }: PolicyDenial): AppError =>
  new AppError('policy_denied', reason === undefined ? {} : { detail: reason })
