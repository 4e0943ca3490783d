// The SDK stays small, and the names that its build shortens are its own.
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import t from 'tap'
import { CLIENT_BYTES_MAX, measureClient, START_BYTES_MAX, sizeReport } from '../scripts/client-size.js'

const PACKAGE = new URL('../packages/client/', import.meta.url)
const BUILD = new URL('../scripts/build-client.mjs', import.meta.url)

t.test('@signalpost/client fits its budget, minified and gzipped', async t => {
  const size = await measureClient()
  t.ok(size.all <= CLIENT_BYTES_MAX && size.start <= START_BYTES_MAX, sizeReport(size))
  t.ok(size.parts.has('core') && size.core < size.start && size.start < size.all)
})

t.test('no name that the build shortens is public, on the wire, or one of the platform', async t => {
  const { INTERNAL_NAMES } = (await import(BUILD.href)) as { INTERNAL_NAMES: string[] }
  const known = new Set([...membersOf(textOf('src/api.ts')), ...publicMembers(), ...platformMembers()])
  // Of a library without types of its own.
  for (const name of wordsOf(textOf('src/mediasoup.ts'))) known.add(name)
  t.ok(known.has('participantId') && known.has('hangup') && known.has('addEventListener') && known.has('flatMap'))
  t.strictSame(
    INTERNAL_NAMES.filter(name => known.has(name)),
    []
  )
})

const textOf = (name: string) => readFileSync(new URL(name, PACKAGE), 'utf8')
const wordsOf = (text: string) => text.match(/\w+/g) ?? []
const membersOf = (declarations: string) =>
  [...declarations.matchAll(/^\s+(?:readonly |get |set )?(\w+)\??[(<:]/gm)].map(([, name = '']) => name)

/** What the README names: in its code, and in the first column of its tables. */
function publicMembers(): string[] {
  const text = textOf('README.md')
  const blocks = text.match(/```[\s\S]*?```/g) ?? []
  const code = blocks.join('\n').replace(/\/\/.*|'[^'\n]*'/g, '')
  return wordsOf([code, ...(text.match(/^\|[^|]*\|/gm) ?? [])].join('\n'))
}

/** The members of all that the compiler knows about browsers and the language. */
function platformMembers(): string[] {
  const { resolve } = createRequire(createRequire(import.meta.url).resolve('typescript/package.json'))
  const compiler = resolve(`@typescript/typescript-${process.platform}-${process.arch}/package.json`)
  const folder = join(dirname(compiler), 'lib')
  const libraries = readdirSync(folder).filter(name => /^lib\.(dom|es).*\.d\.ts$/.test(name))
  return libraries.flatMap(name => membersOf(readFileSync(join(folder, name), 'utf8')))
}
