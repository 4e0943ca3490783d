// Compiles src, test and scripts for one test run, about one CPU second instead of one for each test file. The folder looks like the
// project: what is not compiled is linked, so that a path relative to a module leads to the same file in both.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

const COMPILED = ['src', 'test', 'scripts']
const NOT_LINKED = new Set([...COMPILED, '.git', '.test-build', '.tap', 'coverage', 'dist'])
/** A run that was killed leaves its folder to a later one. No run takes this long. */
const ABANDONED_MS = 3_600_000

/** Returns a folder that only this run uses; it is removed when the process ends. */
export function compileTests(root) {
  const parent = join(root, '.test-build')
  mkdirSync(parent, { recursive: true })
  removeAbandoned(parent)
  const folder = mkdtempSync(join(parent, 'run-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  // The sources too: some tests read them, and Lua and .mjs files are used as they are.
  for (const name of COMPILED) cpSync(join(root, name), join(folder, name), { recursive: true })
  for (const name of readdirSync(root)) if (!NOT_LINKED.has(name)) symlinkSync(join(root, name), join(folder, name))
  // Types are checked by `npm run types`. Without them no file needs another one to be compiled.
  const options = ['--noCheck', '--noResolve', '--rootDir', root, '--outDir', folder]
  const tsc = join(root, 'node_modules/.bin/tsc')
  const { status, error } = spawnSync(tsc, ['-p', join(root, 'tsconfig.json'), ...options], { stdio: 'inherit' })
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
