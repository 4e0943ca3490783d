// Opens the replies in the OpenAPI document for code generators: a newer server adds types of events, reasons, codes and members, and the decoders
// that many generators write refuse a whole reply for one that they do not know. What requests take stays as strict as the server is.

type Members = Readonly<Record<string, unknown>>
type Schemas = Readonly<Record<string, Members>>

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Members>>>>
  readonly components: Members & { readonly schemas: Schemas; readonly parameters: Members }
}

const REFERENCE = '#/components/schemas/'
/** Members that hold data and not schemas. */
const DATA = new Set(['example', 'value', 'default'])

/** Takes a document in version 3.0. */
export function openReplies<T extends object>(document: T): T {
  const { paths, components } = document as unknown as Document
  const taken = takenByRequests(paths, components)
  const schemas = Object.entries(components.schemas).map(([name, schema]) => [
    name,
    taken.has(name) ? schema : open(schema)
  ])
  return { ...document, components: { ...components, schemas: Object.fromEntries(schemas) } }
}

/** The names of the schemas of bodies and parameters. */
function takenByRequests(paths: Document['paths'], { parameters, schemas }: Document['components']): Set<string> {
  const names = new Set<string>()
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const { $ref } = value as Members
    const name = String($ref).replace(REFERENCE, '')
    if (schemas[name] !== undefined && !names.has(name)) {
      names.add(name)
      visit(schemas[name])
    }
    Object.values(value).forEach(visit)
  }
  visit(parameters)
  for (const operation of Object.values(paths).flatMap(methods => Object.values(methods)))
    visit([operation.requestBody, operation.parameters])
  return names
}

function open(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(open)
  if (typeof value !== 'object' || value === null) return value
  const opened = Object.entries(value).map(([key, member]) => [key, DATA.has(key) ? member : open(member)])
  return anyEvent(anyMember(anyText(Object.fromEntries(opened))))
}

/** A single value says what an object is. */
function anyText(members: Members): Members {
  const { enum: values, ...others } = members
  if (!Array.isArray(values) || values.length < 2) return members
  const description = `${others.description ?? `One of ${values.join(', ')}.`} Later versions may add values.`
  return { ...others, 'x-extensible-enum': values, description }
}

function anyMember({ additionalProperties, ...members }: Members): Members {
  return additionalProperties === false || additionalProperties === undefined
    ? members
    : { ...members, additionalProperties }
}

/** The members that all events of a union have. */
function anyEvent(members: Members): Members {
  const { oneOf, discriminator, description, ...others } = members
  const { mapping } = (discriminator ?? {}) as { readonly mapping?: Members }
  if (mapping === undefined) return members
  const types = Object.keys(mapping)
  const schemaOfData = `The schema of \`data\` is that of the type: \`CallEndedData\` of \`call.ended\`.`
  return {
    ...others,
    type: 'object',
    required: ['type', 'timestamp', 'data'],
    properties: {
      id: { $ref: `${REFERENCE}EventCursor` },
      type: {
        type: 'string',
        'x-extensible-enum': types,
        description: 'Ignore events of a type that you do not know.'
      },
      timestamp: { type: 'string', format: 'date-time' },
      data: { type: 'object', additionalProperties: true, description: schemaOfData }
    },
    description: `${description} Later versions may add some.`
  }
}
