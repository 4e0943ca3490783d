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

/**
 * The issues of a value. Of a union Ajv reports the faults of every member. A value has one type only, so what counts is what the members of its
 * type have against it; without any, the types that the union takes.
 */
export function issuesOf(faults: readonly ValidationFault[], part: string): Issue[] {
  // Ajv reports a union after the faults of its members, and an inner union before the outer one.
  const found = faults.reduce<readonly ValidationFault[]>(
    (before, fault) => (fault.keyword === 'anyOf' ? ofUnion(before, fault) : before.concat(fault)),
    []
  )
  return found.map(fault => issueOf(fault, part))
}

/** `faults`, of which the last ones are of the members of this union. */
function ofUnion(faults: readonly ValidationFault[], union: ValidationFault): readonly ValidationFault[] {
  const path = union.instancePath ?? ''
  const isInside = ({ instancePath = '' }: ValidationFault) => `${instancePath}/`.startsWith(`${path}/`)
  const start = faults.findLastIndex(fault => !isInside(fault)) + 1
  const ofMembers = faults.slice(start)
  const isOtherType = ({ keyword, instancePath = '' }: ValidationFault) => keyword === 'type' && instancePath === path
  const ofItsType = ofMembers.filter(fault => !isOtherType(fault))
  if (ofItsType.length > 0) return [...faults.slice(0, start), ...ofItsType]
  if (ofMembers.length === 0) return [...faults, union]
  const types = [...new Set(ofMembers.flatMap(({ params }) => params?.type ?? []))]
  return [...faults.slice(0, start), { keyword: 'type', instancePath: path, params: { type: types } }]
}

/** The path names the member. Ajv reports only the object in which it is missing or unknown. */
function issueOf(fault: ValidationFault, part: string): Issue {
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
