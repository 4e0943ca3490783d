// Makes the documents in openapi/ from the routes. `npm run docs` writes the files; test/openapi.test.ts compares them.
import { Document, isCollection, isPair, parse, type Scalar, visit } from 'yaml'
import { buildApp } from '../src/app.js'
import { loadConfig } from '../src/config.js'
import { openapi30 } from '../src/plugins/openapi-3.0.js'

export async function openapiYaml(): Promise<string> {
  const app = await buildApp(loadConfig({ LOG_LEVEL: 'silent' }))
  try {
    return yamlOf(JSON.parse(JSON.stringify(app.swagger())))
  } finally {
    await app.close()
  }
}

/** Of the admin API. */
export async function adminYaml(): Promise<string> {
  const ADMIN_SECRET = 'no-secret-of-a-server-that-listens'
  const app = await buildApp(loadConfig({ LOG_LEVEL: 'silent', ADMIN_PORT: '0', ADMIN_SECRET }))
  try {
    return yamlOf(JSON.parse(JSON.stringify(app.admin?.swagger())))
  } finally {
    await app.close()
  }
}

/** The same in version 3.0. */
export const openapi30Yaml = (openapi: string): string => yamlOf(openapi30(parse(openapi)))

const WIDTH = 140
/** Examples and lists of names that do not fit into one line are broken into lines like a paragraph. */
const FILLED = new Set(['example', 'required', 'enum', 'x-extensible-enum'])

/** A collection that fits into one line is written as one: `{ type: string, minLength: 1 }`. */
function yamlOf(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false })
  const filled: string[] = []
  visit(document, (_key, node, path) => {
    if (!isCollection(node)) return
    const depth = path.filter(isCollection).length
    const parent = path.at(-1)
    const key = isPair(parent) ? String(parent.key) : ''
    const room = WIDTH - 2 * depth - key.length - 3
    const [words, isExample] = [
      wordsOf(node.toJSON()),
      path.some(each => isPair(each) && String(each.key) === 'example')
    ]
    if (depth > 2 && words.join(' ').length <= room) {
      filled.push(words.join(' '))
    } else if (FILLED.has(key) && (key === 'example' || !isExample)) {
      filled.push(fill(words, 2 * depth))
    } else return
    return document.createNode(placeholder(filled.length - 1)) as Scalar
  })
  const text = document.toString({ lineWidth: WIDTH, doubleQuotedMinMultiLineLength: 100_000 })
  return text.replace(/<<(\d+)>>/g, (_, index: string) => filled[Number(index)] ?? '')
}

const placeholder = (index: number) => `<<${index}>>`

/** A flow collection as words. A line may be broken between two words. */
function wordsOf(value: unknown): string[] {
  if (
    typeof value === 'string' &&
    /^[A-Za-z][\w ./-]*$/.test(value) &&
    !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value)
  )
    return [value]
  if (typeof value !== 'object' || value === null) return [JSON.stringify(value)]
  const isList = Array.isArray(value)
  const items = isList
    ? value.map(wordsOf)
    : Object.entries(value).map(([key, item]) => withPrefix(`${keyOf(key)}: `, wordsOf(item)))
  if (items.length === 0) return [isList ? '[]' : '{}']
  const words = items.flatMap((item, i) => (i === items.length - 1 ? item : [...item.slice(0, -1), `${item.at(-1)},`]))
  const [open, close] = isList ? ['[', ']'] : ['{ ', ' }']
  return withPrefix(open, [...words.slice(0, -1), `${words.at(-1)}${close}`])
}

const keyOf = (key: string) => (/^[$A-Za-z][\w/+.-]*$/.test(key) ? key : JSON.stringify(key))

const withPrefix = (prefix: string, [first = '', ...rest]: readonly string[]) => [`${prefix}${first}`, ...rest]

function fill(words: readonly string[], indent: number): string {
  const lines = ['']
  for (const word of words) {
    const line = lines.at(-1) ?? ''
    if (indent + line.length + word.length < WIDTH) lines[lines.length - 1] = `${line}${line && ' '}${word}`
    else lines.push(word)
  }
  return lines.filter(line => line !== '').join(`\n${' '.repeat(indent)}`)
}
