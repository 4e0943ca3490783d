// The map of the cluster. An exception is made by adding to ALLOWED, where everybody sees it.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const SRC = fileURLToPath(new URL('../src', import.meta.url))

const BASE = ['clock', 'config', 'ends', 'errors', 'id-text', 'ids', 'metrics', 'schemas']

/** Who may import what, besides their own folder. A file of the root is a part of its own. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  clock: [],
  config: ['setting', 'settings'],
  settings: ['setting', 'webhook-urls'],
  setting: ['redis-url'],
  ends: [],
  errors: [],
  'id-text': [],
  ids: [],
  metrics: [],
  'redis-url': [],
  'webhook-urls': ['schemas'],
  schemas: ['ends', 'errors'],
  domain: ['errors', 'id-text', 'schemas'],
  store: ['clock', 'errors', 'id-text', 'ids', 'redis-url'],
  delivery: [...BASE, 'store'],
  adapters: ['clock', 'config', 'errors', 'id-text', 'schemas'],
  services: [...BASE, 'adapters', 'domain', 'store'],
  workers: [...BASE, 'services', 'store'],
  development: ['config'],
  plugins: [...BASE, 'adapters', 'delivery', 'development', 'services'],
  routes: [...BASE, 'delivery', 'plugins', 'services'],
  admin: ['ids', 'plugins', 'routes', 'services'],
  app: ['admin', ...BASE, 'delivery', 'plugins', 'routes', 'services', 'store', 'workers'],
  main: ['app', 'config', 'development', 'ids', 'plugins']
}

const files = (readdirSync(SRC, { recursive: true }) as string[]).filter(file => /\.(ts|lua)$/.test(file)).sort()
const sources = new Map(files.map(file => [file, readFileSync(join(SRC, file), 'utf8')]))
const imports = new Map([...sources].map(([file, text]) => [file, importsOf(file, text)]))

function importsOf(file: string, text: string): string[] {
  return [...text.matchAll(/(?:from|import\(?) ?'(\.[^']+)\.js'/g)].map(([, path = '']) =>
    relative(SRC, join(SRC, dirname(file), `${path}.ts`))
  )
}

function partOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] ?? '') : basename(file, '.ts')
}

t.test('every part imports only what it may', async t => {
  for (const [file, targets] of imports) {
    const part = partOf(file)
    const strangers = targets.filter(target => partOf(target) !== part && !ALLOWED[part]?.includes(partOf(target)))
    t.strictSame(strangers, [], file)
  }
})

t.test('imports make no circle', async t => {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [[...path.slice(path.indexOf(file)), file].join(' → ')]
    if (done.has(file)) return []
    const found = (imports.get(file) ?? []).flatMap(target => visit(target, [...path, file]))
    done.add(file)
    return found
  }
  t.strictSame(
    files.flatMap(file => visit(file, [])),
    []
  )
})

t.test('files are named after what is in them', async t => {
  for (const file of files)
    if (file !== 'schemas/common.ts') t.notMatch(file, /(^|\/)(utils?|common|helpers?|types|interfaces|managers?)\.ts$/)
})

t.test('outside services are asked through the one helper that bounds their answers', async t => {
  for (const [file, text] of sources) if (file !== 'adapters/outgoing.ts') t.notMatch(text, /\bfetch\(\w/, file)
})

t.test('the wire contract, the rules and delivery stay free of the framework', async t => {
  for (const [file, text] of sources) {
    const values = text.replace(/import type [^;]*?from '[^']+'/g, '')
    if (/^(schemas|domain|store|delivery|services)\//.test(file)) t.notMatch(values, /from '(fastify|@fastify\/)/, file)
    if (file.startsWith('domain/')) t.notMatch(values, /Date\.now|Math\.random|new Date\(\)|process\./, file)
  }
})
