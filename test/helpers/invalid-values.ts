// Generates values from a JSON Schema: valid ones, and ones that are invalid in one place. Supports the keywords that the schemas of this
// project use. A validator other than the server's confirms that a value is invalid.
import fc, { type Arbitrary } from 'fast-check'
import { Compile } from 'typebox/compile'

export interface Schema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly minItems?: number
  readonly uniqueItems?: boolean
  readonly maxItems?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly examples?: readonly unknown[]
  readonly default?: unknown
}

/** Text that is dangerous in a header line, an event frame, a path or a Redis key. */
const UNSAFE_TEXTS = [
  '\0',
  '\r\n',
  '\n',
  'x\0y',
  'x\r\nid: 1\r\n\r\n',
  '../..',
  '{p00}',
  '💥',
  ' ',
  '%00',
  '"',
  '<script>'
]
const ANYTHING = [null, true, false, 0, -1, 1.5, 1e308, '', 'x', [], [[]], {}, { x: 1 }, { $ref: '#' }]

const validators = new WeakMap<Schema, ReturnType<typeof Compile>>()

export function fits(schema: Schema, value: unknown): boolean {
  const validator = validators.get(schema) ?? Compile(schema as Parameters<typeof Compile>[0])
  validators.set(schema, validator)
  return validator.Check(value)
}

const typesOf = ({ type }: Schema): readonly (string | undefined)[] => (typeof type === 'object' ? type : [type])

/** Valid values. */
export function valid(schema: Schema): Arbitrary<unknown> {
  if (schema.examples?.length) return fc.constantFrom(...schema.examples)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(valid))
  switch (typesOf(schema)[0]) {
    case 'object':
      return fc.record(mapValues(schema.properties ?? {}, valid), { requiredKeys: [...(schema.required ?? [])] })
    case 'array':
      return (schema.uniqueItems ? fc.uniqueArray : fc.array)(valid(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(3, schema.maxItems ?? 3)
      })
    case 'integer':
      return fc.integer({
        min: schema.minimum ?? 0,
        max: Math.min(schema.maximum ?? Number.POSITIVE_INFINITY, (schema.minimum ?? 0) + 1000)
      })
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    default:
      return fc.constant('x')
  }
}

/** Values that are invalid in one place. */
export function invalidValues(schema: Schema): Arbitrary<unknown> {
  return fc.oneof(...invalidVariants(schema)).filter(value => !fits(schema, value))
}

function invalidVariants(schema: Schema): Arbitrary<unknown>[] {
  const variants: Arbitrary<unknown>[] = [fc.constantFrom(...ANYTHING)]
  if (schema.anyOf) variants.push(...schema.anyOf.flatMap(invalidVariants))
  const types = typesOf(schema)
  if (types.includes('string')) variants.push(...invalidTexts(schema))
  if (types.includes('integer')) variants.push(fc.constantFrom(-1, 0, 2 ** 31, 2 ** 53, 1.5, '1', '0x1'))
  if (types.includes('array')) {
    const { items = {}, maxItems = 0 } = schema
    variants.push(fc.array(valid(items), { minLength: maxItems + 1, maxLength: maxItems + 1 }))
    variants.push(invalidMember(items).map(item => [item]))
  }
  if (types.includes('object')) variants.push(...invalidObjects(schema))
  return variants
}

function invalidTexts({ maxLength = 255 }: Schema): Arbitrary<unknown>[] {
  return [
    fc.constantFrom(...UNSAFE_TEXTS),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constant('x'.repeat(maxLength + 1)),
    fc.constant('💥'.repeat(maxLength))
  ]
}

function invalidObjects(schema: Schema): Arbitrary<unknown>[] {
  const { properties = {}, required = [] } = schema
  const validObject = valid(schema) as Arbitrary<Record<string, unknown>>
  const changed = (name: string, part: Arbitrary<unknown>) =>
    fc.tuple(validObject, part).map(([value, invalid]) => ({ ...value, [name]: invalid }))
  return [
    changed('unknown', fc.constantFrom(...ANYTHING)),
    changed('toString', fc.constant(1)),
    ...required.map(name => validObject.map(({ [name]: _, ...rest }) => rest)),
    ...Object.entries(properties).map(([name, part]) => changed(name, invalidMember(part)))
  ]
}

/** A schema that accepts everything has no invalid values; invalidValues() drops what this generates for it. */
const invalidMember = (schema: Schema): Arbitrary<unknown> => fc.oneof(...invalidVariants(schema))

function mapValues<T, U>(object: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]))
}

/** Replaces each `$ref` by its component. */
export function resolved(schema: unknown, components: Readonly<Record<string, unknown>>): Schema {
  return JSON.parse(JSON.stringify(schema), (_, value) => {
    const name = /^#\/components\/schemas\/(.+)$/.exec(value?.$ref ?? '')?.[1]
    return name === undefined ? value : resolved(components[name], components)
  })
}
