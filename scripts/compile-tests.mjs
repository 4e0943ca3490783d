// Compiles src, test, scripts and packages once for a test run, which takes about one CPU second instead of one for each test file. The output folder
// has the layout of the project: everything that is not compiled is linked, so that paths relative to a module lead to the same files.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'

const COMPILED = ['src', 'test', 'scripts', 'packages']
const NOT_LINKED = new Set([...COMPILED, '.git', '.test-build', '.tap', 'coverage', 'dist'])
/** The folder of a run that was killed is removed by a later run. No run takes this long. */
const ABANDONED_MS = 3_600_000

/** Not the libraries that test/zoo/install.sh installs. */
const isSource = path => !/^(node_modules|dist|\.venv|\.build)$/.test(basename(path))

/** Returns the path of a folder for this run only. It is removed when the process ends. */
export function compileTests(root) {
  const parent = join(root, '.test-build')
  mkdirSync(parent, { recursive: true })
  removeAbandoned(parent)
  const folder = mkdtempSync(join(parent, 'run-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  // Sources are copied too: some tests read them, and .lua and .mjs files are not compiled.
  for (const name of COMPILED) cpSync(join(root, name), join(folder, name), { recursive: true, filter: isSource })
  for (const name of readdirSync(root)) if (!NOT_LINKED.has(name)) symlinkSync(join(root, name), join(folder, name))
  // `npm run types` checks the types. Without that, each file is compiled alone.
  const options = ['--noCheck', '--noResolve', '--rootDir', root, '--outDir', folder]
  const tsc = join(root, 'node_modules/.bin/tsc')
  const { status, error } = spawnSync(tsc, ['-p', join(root, 'tsconfig.tests.json'), ...options], { stdio: 'inherit' })
  if (error) throw error
  if (status !== 0) process.exit(1)
  return folder
}

function removeAbandoned(parent) {
  for (const name of readdirSync(parent)) {
    const folder = join(parent, name)
    const { mtimeMs } = statSync(folder, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() }
    if (Date.now() - mtimeMs > ABANDONED_MS) rmSync(folder, { recursive: true, force: true })
  }
}
