// Makes docs/reference/endpoints.md from the OpenAPI document.
import { parse } from 'yaml'
import { generatedFrom, table } from './markdown.js'

interface Document {
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

interface Operation {
  readonly summary: string
  readonly tags: readonly string[]
}

const METHODS = ['get', 'put', 'post', 'patch', 'delete']

export function endpointsPage(openapi: string): string {
  const { tags, paths } = parse(openapi) as Document
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => METHODS.includes(method))
      .map(
        ([
          method,
          {
            summary,
            tags: [tag]
          }
        ]) => ({ tag, row: [`\`${method.toUpperCase()} ${path}\``, summary] })
      )
  )
  const sections = tags.map(({ name, description }) => {
    const rows = operations.filter(({ tag }) => tag === name).map(({ row }) => row)
    return `## ${name}\n\n${description}\n\n${table(['Request', 'What it does'], rows)}\n`
  })
  return `${generatedFrom('openapi/openapi.yaml')}
# Endpoints

The full contract, with every body and reply, is [openapi.yaml](../../openapi/openapi.yaml). A running server serves it at \`/openapi.json\`,
\`/openapi.yaml\` and, for code generators that do not read OpenAPI 3.1, \`/openapi-3.0.json\`. It shows it at \`/docs\`.

The user is the token's \`sub\`. The device is the token's claim \`device\`, else the header \`X-Device-Id\`, else \`default\`. You can repeat any
request: creates are recognised by \`callId\`, \`messageId\`, \`invitationId\` or \`Idempotency-Key\`, descriptions by their text, and an action that is already done
stays done. Failures are [problems](problems.md).

${sections.join('\n')}`
}
