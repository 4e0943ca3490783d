// `npm test`, `npm run test:browser`, `test:heavy`, `test:abuse`, `test:client`, `test:sfu`, `test:zoo`, `test:clients` and `test:c`: provides
// Redis, browsers and tools for C if necessary, compiles the tests and runs them.
// With arguments only these files and folders: `npm test -- test/config.test.ts test/flows --jobs=1 --timeout=60 --reporter=tap`.
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { provideAiortc } from './aiortc.mjs'
import { cacheFolder } from './cached-folder.mjs'
import { compileTests } from './compile-tests.mjs'
import { collectCoverage } from './coverage.mjs'
import { provideLibdatachannel } from './libdatachannel.mjs'
import { provideMediaService } from './media-service.mjs'
import { provideMediasoupClient } from './mediasoup-client.mjs'
import { provide, provideToolsForC } from './provide.mjs'
import { runTests } from './run-tests.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Not part of the ordinary run. `jobs`: how many files at a time: one, where each uses all cores; more, where they wait. */
const SLOW = {
  browser: { files: ['test/browser'], jobs: 2, timeoutS: 180 },
  heavy: { files: ['test/model', 'test/heavy'], jobs: 2, timeoutS: 300 },
  abuse: { files: ['test/abuse/flood.test.ts'], jobs: 1, timeoutS: 240 },
  client: { files: ['test/client'], jobs: 4, timeoutS: 240 },
  sfu: { files: ['test/sfu'], jobs: 1, timeoutS: 300 },
  zoo: { files: ['test/zoo/zoo.test.ts'], jobs: 1, timeoutS: 900 },
  clients: { files: ['test/clients'], jobs: 1, timeoutS: 1800 },
  c: { files: ['test/c-client'], jobs: 1, timeoutS: 300 }
}
/** Building a mediasoup worker takes about three minutes on two idle cores. */
const MEDIA_WITHIN_MS = 480_000
/** Plugins that simple-whip-client needs and Debian only recommends. */
const GSTREAMER = ['nice', 'plugins-base', 'plugins-good', 'plugins-bad'].map(name => `gstreamer1.0-${name}`)
/**
 * Their files share processes, this many each: they leave nothing in a process that could disturb another. To load the server and compile its
 * schemas takes a process two CPU seconds.
 */
const GROUPED = /^test\/(adapters|delivery|domain|flows|media|plugins|services|store)\//
const GROUP_SIZE = 12
/** Four on two cores: a file waits for half of its time, mostly for the time of Redis and of child processes. */
const ORDINARY = { files: ['test'], jobs: 4, timeoutS: Number(process.env.TAP_TIMEOUT ?? 120) }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    browser: { type: 'boolean' },
    heavy: { type: 'boolean' },
    abuse: { type: 'boolean' },
    client: { type: 'boolean' },
    sfu: { type: 'boolean' },
    zoo: { type: 'boolean' },
    clients: { type: 'boolean' },
    c: { type: 'boolean' },
    coverage: { type: 'boolean' },
    jobs: { type: 'string' },
    timeout: { type: 'string' },
    reporter: { type: 'string' }
  }
})
const slow = Object.keys(SLOW).find(name => values[name])
const suite = slow ? SLOW[slow] : ORDINARY
process.chdir(root)

provide({ commands: ['redis-server'], debian: 'redis-server' })
if (values.browser || values.client || values.sfu || values.c)
  provide({ commands: ['chromium', 'chromium-browser', 'google-chrome'], debian: 'chromium' })
if (values.c) {
  provideToolsForC()
  process.env.LIBDATACHANNEL = await provideLibdatachannel()
}
if (values.browser) provide({ commands: ['turnserver'], debian: 'coturn' })
if (values.client) provide({ commands: ['firefox-esr', 'firefox'], debian: 'firefox-esr' })
if (values.sfu) provideWhipPeers()
// The clock of a device that is years off.
if (values.clients || values.c) provide({ commands: ['faketime'], debian: 'faketime' })
if (values.clients) {
  process.env.WORK ??= join(cacheFolder(), 'clients')
  mkdirSync(process.env.WORK, { recursive: true })
}
const files = values.sfu || values.client ? await provideMedia(suite.files) : suite.files
const folder = compileTests(root)
const coverage = values.coverage ? collectCoverage(root, folder) : null
await runTests(inGroups(positionals.length > 0 ? positionals.flatMap(named) : files.flatMap(within)), {
  folder,
  jobs: Number(values.jobs ?? suite.jobs),
  timeoutS: Number(values.timeout ?? suite.timeoutS),
  reporter: values.reporter ?? (process.stdout.isTTY ? 'base' : 'tap'),
  ...(coverage && { onEnd: coverage.trim })
})
if (coverage && !coverage.report()) process.exitCode = 1

function within(path) {
  if (path.endsWith('.ts')) return [path]
  const slowFiles = slow ? [] : Object.values(SLOW).flatMap(({ files }) => files)
  const files = readdirSync(join(root, path), { recursive: true }).map(name => `${path}/${name}`)
  return files.filter(file => file.endsWith('.test.ts') && !slowFiles.some(each => file.startsWith(each))).sort()
}

/** The groups come first, because they take longest: single files fill the cores when the last group is running. */
function inGroups(paths) {
  const groups = []
  const grouped = paths.filter(path => GROUPED.test(path))
  for (let i = 0; i < grouped.length; i += GROUP_SIZE) groups.push(grouped.slice(i, i + GROUP_SIZE))
  return [...groups, ...paths.filter(path => !GROUPED.test(path)).map(path => [path])]
}

function named(argument) {
  const path = argument.replace(/\/$/, '')
  const found = statSync(join(root, path), { throwIfNoEntry: false })
  if (found?.isDirectory()) return within(path)
  if (found && path.endsWith('.test.ts')) return [path]
  console.error(`${argument} is neither a folder nor a test file`)
  process.exit(1)
}

/** GStreamer publishes and aiortc views in test/sfu/whip.test.ts. */
function provideWhipPeers() {
  provide({ commands: ['whip-client'], debian: ['simple-whip-client', ...GSTREAMER] })
  const { python, impossible } = provideAiortc()
  if (impossible) console.error(`No viewer with aiortc: ${impossible}`)
  else process.env.AIORTC_PYTHON = python
}

/** The tests find the media service by these variables (test/helpers/media-example.ts). Returns the files to run. */
async function provideMedia(files) {
  const provided = await provideMediaService({ withinMs: MEDIA_WITHIN_MS }).catch(error => {
    console.error(`There is no media service to test: ${error.message}`)
    process.exit(1)
  })
  const { folder, worker, impossible } = provided
  if (impossible) {
    console.error(`No SFU is tested: ${impossible}`)
    process.env.MEDIA_SERVICE_IMPOSSIBLE = impossible
    return values.sfu ? ['test/sfu/contract.test.ts'] : files
  }
  process.env.MEDIA_SERVICE_FOLDER = folder
  provide({ commands: ['firefox-esr', 'firefox'], debian: 'firefox-esr' })
  process.env.MEDIASOUP_CLIENT = await provideMediasoupClient({ withinMs: MEDIA_WITHIN_MS })
  if (worker) process.env.MEDIASOUP_WORKER_BIN = worker
  return files
}
