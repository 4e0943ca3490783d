// What documents and comments name exists: files, headings, settings, events, guarantees, functions, constants, error codes.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'
import { ERRORS } from '../../src/errors.js'
import { CALL_EVENTS } from '../../src/schemas/event.js'
import { PRESENCE_EVENTS } from '../../src/schemas/presence-event.js'
import { ROOM_EVENTS } from '../../src/schemas/room-event.js'
import { SFU_EVENTS } from '../../src/schemas/sfu-event.js'
import { OPERATOR_EVENTS } from '../../src/schemas/webhook.js'
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

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const sourceFiles = files.filter(file => /^(src|scripts|test|bench)\/.*\.(ts|mjs|lua)$|^Dockerfile$/.test(file))

t.test('every document that the code names exists', async t => {
  for (const file of sourceFiles) {
    const source = read(file)
    for (const [path] of source.matchAll(/\bdocs\/[\w/-]+\.md\b/g))
      t.ok(existsSync(join(ROOT, path)), `${file}: ${path}`)
  }
})

interface SplitSource {
  readonly comments: string
  readonly code: string
}

/** The name of a lint rule in a comment. */
const LINT_RULE = /^biome-ignore \S+:/

/** By lines. A string with ` // ` in it would count as a comment. */
function splitSource(source: string): SplitSource {
  const comments: string[] = []
  const code: string[] = []
  for (const line of source.split('\n')) {
    const [, before, comment = ''] =
      /^(\s*(?=\*)|.*?(?<!\S)(?=\/[/*]|--))(?:\/\/|\/\*\*?|\*|--)(?:\s(.*)|$)/.exec(line) ?? []
    code.push(before ?? line)
    comments.push(comment.replace(LINT_RULE, ''))
  }
  return { comments: comments.join(' ').replace(/\s+/g, ' '), code: code.join('\n') }
}

const wordsIn = (source: string): readonly string[] => source.match(/[\w$]+/g) ?? []
const isFile = (path: string) => files.some(file => file === path || file.endsWith(`/${path}`))

const src = files.filter(file => /^src\/.*\.(ts|lua)$/.test(file)).map(file => ({ file, ...splitSource(read(file)) }))
const identifiers = new Set(src.flatMap(({ code }) => wordsIn(code)))
const scripts = new Set(src.flatMap(({ file }) => /(\w+)\.lua$/.exec(file)?.[1] ?? []))
/** Of ioredis and Fastify. */
const OF_LIBRARIES = new Set(['socketTimeout', 'getHeader'])

/** The push gateway, and the media service and the clients of the examples have settings of their own. */
const exampleSettings = [
  'packages/push-gateway/src/settings.ts',
  'examples/media-service/settings.js',
  'examples/clients/python/client.py'
].flatMap(file => wordsIn(read(file)).filter(word => /^[A-Z_]+$/.test(word)))

/** The C client names its results in capitals. */
const namesInC = wordsIn(read('packages/c-client/include/signalpost.h')).filter(word => word.startsWith('SP_'))

const mailboxEvents = [...CALL_EVENTS, ...ROOM_EVENTS, ...SFU_EVENTS, ...PRESENCE_EVENTS, ...OPERATOR_EVENTS].map(
  ({ properties }) => properties.type.const
)

/** These name constants of the code too. */
const isForMaintainers = (page: string) => /^(CONTRIBUTING\.md|docs\/(architecture\.md|decisions\/))/.test(page)

t.test('every setting and every event that a document names exists', async t => {
  const known = new Set<string>([
    ...Object.keys(SETTINGS),
    ...exampleSettings,
    ...namesInC,
    ...mailboxEvents,
    'SIGNALPOST_MAIN',
    'ALL_SETTINGS',
    'STREAM_URL',
    'EVENT_TYPES',
    // Of mediasoup.
    'MEDIASOUP_WORKER_BIN',
    // Of sockets, lwIP and mbedTLS.
    'SO_RCVTIMEO',
    'NO_SYS',
    'MBEDTLS_HAVE_TIME_DATE',
    'MBEDTLS_ENTROPY_HARDWARE_ALT'
  ])
  for (const page of current) {
    for (const [, name = ''] of text(page).matchAll(
      /`([A-Z]+(?:_[A-Z]+)+|(?:call|room|signal|chat|sfu|presence)\.(?!js|html|css)[a-z_]+)[`=]/g
    ))
      t.ok(known.has(name) || (isForMaintainers(page) && identifiers.has(name)), `${page}: ${name}`)
  }
})

t.test('every guarantee that is named is in the README, and each has a test', async t => {
  const guarantees = [...text('README.md').matchAll(/^\| (G\d+) \|/gm)].map(([, name = '']) => name)
  t.ok(guarantees.length >= 12)
  const tested = new Set<string>()
  for (const file of [...current, ...sourceFiles]) {
    const isPage = file.endsWith('.md')
    for (const [name] of (isPage ? text(file) : splitSource(read(file)).comments).matchAll(/\bG\d{1,2}\b/g)) {
      t.ok(guarantees.includes(name), `${file}: ${name}`)
      if (file.startsWith('test/')) tested.add(name)
    }
  }
  t.strictSame(
    guarantees.filter(name => !tested.has(name)),
    []
  )
})

t.test('every file that a document or a comment of src names exists', async t => {
  for (const { file, comments } of [...src, ...current.map(page => ({ file: page, comments: text(page) }))])
    for (const [path] of comments.matchAll(/\b\w[\w./-]*\.(?:ts|mjs|lua)\b/g)) t.ok(isFile(path), `${file}: ${path}`)
})

t.test('every function, constant and member that a comment of src names exists', async t => {
  const name = /\b(\w+)\(\)|@throws AppError as (\w+)|\b([a-z]+[A-Z]\w*)\b|\b([A-Z][A-Z0-9]*_[A-Z0-9_]*)\b/g
  for (const { file, comments } of src)
    for (const found of comments.matchAll(name)) {
      const [, ...names] = found
      const word = names.find(each => each !== undefined) ?? ''
      t.ok(identifiers.has(word) || OF_LIBRARIES.has(word), `${file}: ${word}`)
    }
})

t.test('what a comment of src finds in another file is there', async t => {
  for (const { file, comments } of src)
    for (const [, name = '', path = ''] of comments.matchAll(
      /\b([a-z]+[A-Z]\w*|[A-Z]+_[A-Z_]+) in ([\w./-]+\.(?:ts|lua))\b/g
    )) {
      const there = src.filter(each => each.file.endsWith(`/${path}`)).flatMap(({ code }) => wordsIn(code))
      t.ok(there.includes(name), `${file}: ${name} in ${path}`)
    }
})

t.test('every error code and Lua script that a comment of src names exists', async t => {
  for (const { file, comments } of src)
    for (const [word] of comments.matchAll(/\b[a-z]+(?:_[a-z]+)+\b/g))
      t.ok(word in ERRORS || scripts.has(word) || identifiers.has(word), `${file}: ${word}`)
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

t.test('README.md, docs/architecture.md and the glossary are short', async t => {
  for (const page of ['README.md', 'docs/architecture.md'])
    t.ok(readFileSync(join(ROOT, page), 'utf8').split('\n').length <= 151, page)
  const terms = text('docs/glossary.md').match(/^\| \*\*/gm) ?? []
  t.ok(terms.length <= 60, `${terms.length} terms in the glossary`)
})
