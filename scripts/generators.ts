// `npm run test:generators`: makes clients from the OpenAPI documents with the generators that people use, compiles them, and prints a table.
// With arguments only these: `npm run test:generators -- ogen progenitor`. It fails if a tool of one is not on the PATH. The generators come from the registries of their languages, so this needs the network, and several minutes for the first run.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { examplesOf, newerExamplesOf } from './generators/decoders.js'
import { GENERATORS, type Generator } from './generators/recipes.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** Kept between runs: compiled dependencies, the Python environment, the jar. */
const WORK = join(ROOT, '.generators')

interface Outcome {
  readonly result: 'ok' | 'failed' | 'not tried'
  readonly note: string
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter(each => !GENERATORS.some(({ name }) => name.includes(each)))
if (unknown.length > 0) {
  console.error(
    `No generator is named ${unknown.join(', ')}. There are ${GENERATORS.map(({ name }) => name).join(', ')}`
  )
  process.exit(1)
}
const chosen = GENERATORS.filter(({ name }) => wanted.length === 0 || wanted.some(each => name.includes(each)))
const outcomes = chosen.map(generator => {
  console.log(`== ${generator.name}`)
  const outcome = run(generator)
  console.log(`   ${outcome.result} ${outcome.note}`)
  return { generator, outcome }
})
printTable()
const bad = outcomes.filter(({ outcome }) => outcome.result !== 'ok')
if (bad.length > 0)
  console.error(`\n${bad.length} of ${outcomes.length} failed, or were not tried because a tool is missing`)
process.exit(bad.length > 0 ? 1 : 0)

function run(generator: Generator): Outcome {
  const { name, needs, steps } = generator
  const missing = needs.filter(command => spawnSync('which', [command]).status !== 0)
  if (missing.length > 0) return { result: 'not tried', note: `not on the PATH: ${missing.join(', ')}` }
  const folder = prepare(generator)
  for (const [what, command] of Object.entries(steps)) {
    const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', command], {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 1e9,
      env: { ...process.env, WORK }
    })
    writeFileSync(join(folder, `${what}.log`), stdout + stderr)
    if (status === 0) continue
    console.log((stdout + stderr).trimEnd().split('\n').slice(-25).join('\n'))
    return { result: 'failed', note: `${what}: see .generators/${name}/${what}.log` }
  }
  return { result: 'ok', note: Object.keys(steps).join(', ') }
}

function prepare({ name, language, document, files = [], decoder, fresh }: Generator): string {
  const folder = join(WORK, name)
  mkdirSync(folder, { recursive: true })
  for (const path of fresh) rmSync(join(folder, path), { recursive: true, force: true })
  for (const [from, to] of files) cpSync(join(ROOT, 'examples/generators', from), join(folder, to), { recursive: true })
  const parsed = parse(readFileSync(join(ROOT, 'openapi', document), 'utf8'))
  writeFileSync(join(folder, 'openapi.json'), JSON.stringify(parsed))
  if (decoder === undefined) return folder
  const [path, write] = decoder
  // Types of TypeScript are no decoders, and only the document in version 3.0 has open replies.
  const isOpen = document === 'openapi-3.0.yaml' && language !== 'TypeScript'
  const examples = isOpen ? newerExamplesOf(parsed) : examplesOf(parsed)
  writeFileSync(join(folder, 'examples.json'), JSON.stringify(examples))
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), write(examples))
  return folder
}

function printTable(): void {
  const rows = [
    ['Generator', 'Language', 'Document', 'Result', ''],
    ...outcomes.map(({ generator: { name, language, document }, outcome: { result, note } }) => [
      name,
      language,
      document,
      result,
      note
    ])
  ]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0))) ?? []
  console.log()
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()
    )
}
