// openapi/openapi.yaml from the routes. `npm run openapi` writes it; test/openapi.test.ts holds the file against it.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { Document, isCollection, isPair, visit } from 'yaml'
import { buildApp } from '../src/app.js'
import { loadConfig } from '../src/config.js'

export async function openapiYaml(): Promise<string> {
  const app = await buildApp(loadConfig({ LOG_LEVEL: 'silent' }))
  try {
    return yamlOf(JSON.parse(JSON.stringify(app.swagger())))
  } finally {
    await app.close()
  }
}

const WIDTH = 140

/** What fits into a line stands in one: `{ type: string, minLength: 1 }`. */
function yamlOf(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false })
  visit(document, (_key, node, path) => {
    if (!isCollection(node)) return
    const depth = path.filter(isCollection).length
    const parent = path.at(-1)
    const key = isPair(parent) ? String(parent.key).length + 4 : 2
    node.flow = depth > 2 && flowLength(node.toJSON()) <= WIDTH - 2 * depth - key
    if (node.flow) return visit.SKIP
  })
  return document.toString({ lineWidth: WIDTH, doubleQuotedMinMultiLineLength: 100_000, flowCollectionPadding: true })
}

/** JSON with a space after each comma, colon and brace is about as long as the YAML of the same value. */
function flowLength(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum, item) => sum + flowLength(item) + 2, 2)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value).length
  return Object.entries(value).reduce((sum, [key, item]) => sum + key.length + 4 + flowLength(item), 2)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(new URL('../openapi/openapi.yaml', import.meta.url), await openapiYaml())
}
