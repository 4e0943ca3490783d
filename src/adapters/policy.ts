// The optional policy service (openapi/policy-service.yaml). It gets a PolicyQuestion by POST and replies 200 with a PolicyAnswer for its
// action. Any other reply, or none in time, is a failure; so is a 200 with another document.
import { Compile } from 'typebox/compile'
import type { Config } from '../config.js'
import {
  POLICY_ALLOWANCES,
  type PolicyAction,
  type PolicyAnswer,
  PolicyDenial,
  type QuestionOf
} from '../schemas/policy.js'
import { sendRequest } from './outgoing.js'

type PolicyConfig = Pick<Config, 'policyUrl' | 'policySecret' | 'policyTimeoutMs'>

/** Of a reply: some times the largest answer, which has metadata of 4 KiB. */
const MAX_BYTES = 16_384

const DENIAL = Compile(PolicyDenial)
const ALLOWANCES = {
  call: Compile(POLICY_ALLOWANCES.call),
  transfer: Compile(POLICY_ALLOWANCES.transfer),
  invitation: Compile(POLICY_ALLOWANCES.invitation),
  room: Compile(POLICY_ALLOWANCES.room),
  join: Compile(POLICY_ALLOWANCES.join),
  presence: Compile(POLICY_ALLOWANCES.presence)
} as const satisfies Record<PolicyAction, unknown>

/** @throws Error after a failure */
export async function askPolicyService<Action extends PolicyAction>(
  { policyUrl, policySecret, policyTimeoutMs }: PolicyConfig,
  question: QuestionOf<Action>
): Promise<PolicyAnswer<Action>> {
  const { status, text } = await sendRequest(policyUrl ?? '', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(policySecret === null ? {} : { authorization: `Bearer ${policySecret}` })
    },
    body: JSON.stringify(question),
    timeoutMs: policyTimeoutMs,
    maxBytes: MAX_BYTES
  })
  if (status !== 200) throw new Error(`replied with ${status}`)
  return readPolicyAnswer(question.action as Action, JSON.parse(text))
}

/** @throws Error that names the first mistake */
export function readPolicyAnswer<Action extends PolicyAction>(action: Action, answer: unknown): PolicyAnswer<Action> {
  const isDenied = typeof answer === 'object' && answer !== null && 'allow' in answer && answer.allow === false
  const shape = isDenied ? DENIAL : ALLOWANCES[action]
  if (shape.Check(answer)) return answer as PolicyAnswer<Action>
  const [first] = shape.Errors(answer)
  throw new Error(`replied without a valid answer: ${first?.instancePath} ${first?.message}`)
}
