// Reads the OpenAPI document in version 3.0 and writes the one for the C client of openapi-generator, whose code does not compile with
// nullable enums, lists of enums, values with a dot, or two Bearer schemes: enums become strings, and the operators' metrics are left out.
//
//   curl -s http://127.0.0.1:8080/openapi-3.0.json | node for-c.mjs >signalpost.json
import { readFileSync } from 'node:fs'

const document = JSON.parse(readFileSync(0, 'utf8'), (_key, value) => {
  if (value?.type === 'string' && Array.isArray(value.enum)) delete value.enum
  return value
})
delete document.paths['/metrics']
delete document.components.securitySchemes.operator
process.stdout.write(JSON.stringify(document))
