// What is wrong with a request that does not match its schema, in the words that its developer reads.
import { ID_FORMATS, ID_PATTERN } from '../schemas/common.js'
import type { Issue } from '../schemas/problem.js'

/** As Ajv reports it. */
export interface ValidationFault {
  readonly keyword?: string
  readonly instancePath?: string
  readonly message?: string
  readonly params?: Readonly<Record<string, unknown>>
}

/** The path names the member. Ajv reports only the object in which it is missing or unknown. */
export function issueOf(fault: ValidationFault, part: string): Issue {
  const { instancePath = '', params = {} } = fault
  const member = params.missingProperty ?? params.additionalProperty
  return { path: `${part}${instancePath}${member === undefined ? '' : `/${member}`}`, message: messageOf(fault) }
}

/** The least size of a string or list. */
const LOWER_BOUNDS = ['minLength', 'minItems']

/** The rules behind the patterns of members that people type. */
const PATTERN_RULES: Readonly<Record<string, string>> = {
  [ID_PATTERN]: ID_FORMATS.id.rule,
  '^[^\\u0000]*$': 'must not contain a NUL character',
  '^[!-~]+$': 'must have visible ASCII characters only'
}

function messageOf({ keyword = '', message = 'is not valid', params = {} }: ValidationFault): string {
  if (keyword === 'required') return 'is missing'
  if (keyword === 'additionalProperties') return 'is not a member that the server knows'
  if (keyword === 'minProperties') return 'must have at least one member'
  if (keyword === 'enum') return `must be one of ${(params.allowedValues as readonly unknown[]).join(', ')}`
  if (keyword === 'type') return `must be ${[params.type].flat().join(' or ')}`
  if (LOWER_BOUNDS.includes(keyword) && params.limit === 1) return 'must not be empty'
  return PATTERN_RULES[String(params.pattern)] ?? ID_FORMATS[params.format as keyof typeof ID_FORMATS]?.rule ?? message
}
