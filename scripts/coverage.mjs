// How much of src a test run covers, and whether that is enough. Node writes a coverage file for each process that is not killed, also for the
// servers that the tests start; c8 merges the files and maps them to TypeScript.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'

/** In percent, for src as a whole and for each file. Raise them when the tests cover more. */
const LEAST = { lines: 99, branches: 95, functions: 99 }
const LEAST_OF_A_FILE = { lines: 80 }

/** `folder` is the output of compileTests. */
export function collectCoverage(root, folder) {
  const raw = join(folder, 'coverage')
  const sources = `${pathToFileURL(join(folder, 'src'))}/`
  const trimmed = new Set()
  mkdirSync(raw)
  process.env.NODE_V8_COVERAGE = raw
  return { trim, report }

  /** Drops the coverage of packages: a process writes 5 MB, mostly about them. */
  function trim() {
    for (const name of readdirSync(raw)) {
      if (trimmed.has(name)) continue
      const path = join(raw, name)
      const report = parse(readFileSync(path, 'utf8'))
      // The process is still writing.
      if (report === null) continue
      writeFileSync(path, JSON.stringify({ result: report.result.filter(({ url }) => url.startsWith(sources)) }))
      trimmed.add(name)
    }
  }

  /** Prints the coverage. False: it is too low. */
  function report() {
    trim()
    const to = join(root, 'coverage')
    rmSync(to, { recursive: true, force: true })
    const options = ['--temp-directory', raw, '--reports-dir', to, '--src', root, '--include', '**/src/**']
    const reporters = ['json-summary', 'html', 'lcovonly'].flatMap(name => ['--reporter', name])
    spawnSync(join(root, 'node_modules/.bin/c8'), ['report', ...options, ...reporters], { cwd: root, stdio: 'inherit' })
    const { total, ...files } = JSON.parse(readFileSync(join(to, 'coverage-summary.json'), 'utf8'))
    const faults = shortfalls('src', total, LEAST)
    for (const [file, part] of Object.entries(files))
      faults.push(...shortfalls(relative(root, file), part, LEAST_OF_A_FILE))
    console.log(
      `# coverage: ${Object.keys(LEAST)
        .map(kind => `${total[kind].pct} % of ${kind}`)
        .join(', ')}; see coverage/index.html`
    )
    for (const fault of faults) console.log(`# coverage: ${fault}`)
    return faults.length === 0
  }
}

function shortfalls(name, part, least) {
  return Object.entries(least)
    .filter(([kind, percent]) => part[kind].pct < percent)
    .map(([kind, percent]) => `${name}: ${part[kind].pct} % of ${kind}, at least ${percent} % expected`)
}

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
