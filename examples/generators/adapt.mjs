// Adapts the OpenAPI document in version 3.0 to what progenitor and the C generator of openapi-generator cannot do:
//
//   curl -s http://127.0.0.1:8080/openapi-3.0.json | node adapt.mjs c >c.json
//
// c: the code does not compile with nullable enums, lists of enums, values with a dot, or two Bearer schemes, and refuses null in required
// members. Enums become strings, nullable members are not required, and the operators' metrics are left out. progenitor: it refuses a document
// with bodies of other types than JSON, so WHIP and WHEP are left out.
import { readFileSync } from 'node:fs'

const document = JSON.parse(readFileSync(0, 'utf8'))
const adapt = { c, progenitor }[process.argv[2] ?? '']
if (adapt === undefined) throw new Error('usage: node adapt.mjs c|progenitor <openapi-3.0.json')
adapt()
process.stdout.write(JSON.stringify(document))

function c() {
  simplify(document)
  delete document.paths['/metrics']
  delete document.components.securitySchemes.operator
}

function simplify(value) {
  if (typeof value !== 'object' || value === null) return
  if (value.type === 'string' && Array.isArray(value.enum)) delete value.enum
  if (Array.isArray(value.required))
    value.required = value.required.filter(name => value.properties?.[name]?.nullable !== true)
  if (value.required?.length === 0) delete value.required
  for (const member of Object.values(value)) simplify(member)
}

function progenitor() {
  for (const path of Object.keys(document.paths)) if (/\/wh[ie]p\b/.test(path)) delete document.paths[path]
}
