// docs/problems.md from the error table. `npm run docs` writes it; test/problems.test.ts holds the file against it.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { ERRORS } from '../src/errors.js'

export function problemsPage(): string {
  const rows = Object.entries(ERRORS)
    .sort(([, one], [, other]) => one.status - other.status)
    .map(
      ([code, { status, title, retryable }]) => `| ${status} | \`${code}\` | ${title} | ${retryable ? 'yes' : 'no'} |`
    )
  return `# Problems

Every failure is answered with \`application/problem+json\` (RFC 9457). Programs should look at \`code\`; \`retryable\` says whether the
same request may succeed later. \`GET /problems/{code}\` answers with the row below. With 429 and 503 comes \`Retry-After\`.

| Status | Code | Meaning | Retryable |
|---|---|---|---|
${rows.join('\n')}

This page is made from \`src/errors.ts\`.
`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(new URL('../docs/problems.md', import.meta.url), problemsPage())
}
