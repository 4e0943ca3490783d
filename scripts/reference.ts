// All files that are generated from the code, by path, and openapi/admin.yaml. `npm run docs` writes them; test/docs/reference.test.ts compares them.
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { adminYaml, openapi30Yaml, openapiYaml } from './openapi.js'
import { clientTypes } from './reference/client-types.js'
import { endpointsPage } from './reference/endpoints.js'
import { eventsPage } from './reference/events.js'
import { mediaSchemas } from './reference/media-schemas.js'
import { problemsPage } from './reference/problems.js'
import { envExample, settingsPage } from './reference/settings.js'

const ADMIN = new URL('../openapi/admin.yaml', import.meta.url)

export const GENERATED: Readonly<Record<string, (openapi: string) => string>> = {
  '.env.example': envExample,
  'docs/reference/endpoints.md': endpointsPage,
  'docs/reference/events.md': eventsPage,
  'docs/reference/problems.md': problemsPage,
  'docs/reference/settings.md': settingsPage,
  'examples/media-service/schemas.json': mediaSchemas,
  'openapi/openapi.yaml': openapi => openapi,
  'openapi/openapi-3.0.yaml': openapi30Yaml,
  'packages/client/src/api.ts': openapi => clientTypes(openapi),
  'packages/operator/src/api.ts': () => clientTypes(readFileSync(ADMIN, 'utf8'), 'openapi/admin.yaml')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const openapi = await openapiYaml()
  writeFileSync(ADMIN, await adminYaml())
  for (const [path, generate] of Object.entries(GENERATED))
    writeFileSync(new URL(`../${path}`, import.meta.url), generate(openapi))
}
