// Files, headings, settings and events that documents name exist.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'
import { CALL_EVENTS } from '../../src/schemas/event.js'
import { PRESENCE_EVENTS } from '../../src/schemas/presence-event.js'
import { ROOM_EVENTS } from '../../src/schemas/room-event.js'
import { SETTINGS } from '../../src/settings.js'

/** Not the folder of the compiled tests, because git does not list it. */
const ROOT = process.cwd()
const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8'
})
const files = listed.split('\n').filter(file => existsSync(join(ROOT, file)))
const pages = files.filter(file => file.endsWith('.md'))
const text = (page: string) => readFileSync(join(ROOT, page), 'utf8').replace(/```.*?```/gs, '')

/** The anchors that GitHub makes of headings. */
const anchorsOf = (page: string) =>
  [...text(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-')
  )

t.test('every relative link leads to a file, and its anchor to a heading', async t => {
  let links = 0
  for (const page of pages) {
    for (const [, target = ''] of text(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      links += 1
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? page : normalize(join(dirname(page), path))
      t.ok(existsSync(join(ROOT, file)), `${page}: ${target}`)
      if (anchor !== undefined && existsSync(join(ROOT, file)))
        t.ok(anchorsOf(file).includes(anchor), `${page}: ${target}`)
    }
  }
  t.ok(links > 50)
})

/** Other pages describe the past. */
const current = pages.filter(page => page !== 'CHANGELOG.md' && !page.startsWith('bench/figures/'))

t.test('every path of the code that a document names exists', async t => {
  for (const page of current) {
    for (const [, path = ''] of text(page).matchAll(/`((?:src|test|scripts|bench|docs|examples|openapi)\/[\w./-]+)`/g))
      t.ok(existsSync(join(ROOT, path)), `${page}: ${path}`)
  }
})

t.test('every document that the code names exists', async t => {
  for (const file of files.filter(file => /^(src|scripts|test|bench)\/.*\.(ts|mjs|lua)$|^Dockerfile$/.test(file))) {
    const source = readFileSync(join(ROOT, file), 'utf8')
    for (const [path] of source.matchAll(/\bdocs\/[\w/-]+\.md\b/g))
      t.ok(existsSync(join(ROOT, path)), `${file}: ${path}`)
  }
})

t.test('every setting and every event that a document names exists', async t => {
  const events = [...CALL_EVENTS, ...ROOM_EVENTS, ...PRESENCE_EVENTS].map(({ properties }) => properties.type.const)
  const known = new Set<string>([...Object.keys(SETTINGS), ...events, 'SIGNALPOST_MAIN', 'ALL_SETTINGS'])
  for (const page of current) {
    for (const [, name = ''] of text(page).matchAll(
      /`([A-Z]+(?:_[A-Z]+)+|(?:call|room|signal|chat|presence)\.(?!js|html|css)[a-z_]+)[`=]/g
    ))
      t.ok(known.has(name), `${page}: ${name}`)
  }
})

t.test('the layers of docs/architecture.md are the folders of src, and every decision is in the index', async t => {
  const layers = [...(text('docs/architecture.md').split('### ')[0] ?? '').matchAll(/`((?!src)[a-z]+)\/`/g)].map(
    ([, name]) => name
  )
  t.strictSame(
    layers.sort(),
    readdirSync(join(ROOT, 'src'), { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(({ name }) => name)
      .sort()
  )
  const index = text('docs/decisions/README.md')
  for (const page of readdirSync(join(ROOT, 'docs/decisions')))
    if (page !== 'README.md') t.ok(index.includes(`](${page})`), page)
})

t.test('README.md and docs/architecture.md are short', async t => {
  for (const page of ['README.md', 'docs/architecture.md'])
    t.ok(readFileSync(join(ROOT, page), 'utf8').split('\n').length <= 151, page)
})
