// `npm run media-service`: starts examples/media-service. Provides what it needs: its dependencies, and a mediasoup worker, a C++ program.
//
// mediasoup 3.27 downloads its worker, which takes Node 22 and the open internet. mediasoup 3.8.4 has all sources of its worker in its npm package:
// it takes make, g++ and python3, and about three minutes on two cores.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { readSettings } from '../examples/media-service/settings.js'
import { cacheFolder, digestOf, provideFolder, run } from './cached-folder.mjs'

const EXAMPLE = fileURLToPath(new URL('../examples/media-service/', import.meta.url))
const BUILDABLE = '3.8.4'
const TOOLS = ['make', 'g++', 'python3']
/** What newer systems do not accept in the sources of mediasoup 3.8.4. */
const REPAIRS = [
  // Python 3.10 removed the alias, and Python 3.14 `ast.Str` with its `s`.
  ['gyp/pylib/gyp/common.py', /collections\.MutableSet/, 'collections.abc.MutableSet'],
  ['gyp/pylib/gyp/input.py', /ast\.Str\b/g, 'ast.Constant'],
  ['gyp/pylib/gyp/input.py', /\b(key|node)\.s\b/g, '$1.value'],
  // SIGSTKSZ is no constant, and has another type, since glibc 2.34.
  [
    'libwebrtc/deps/abseil-cpp/abseil-cpp/absl/debugging/failure_signal_handler.cc',
    /std::max\(SIGSTKSZ, 65536\)/,
    'std::max<size_t>(SIGSTKSZ, 65536)'
  ]
]
const START_WITHIN_MS = 1_800_000

const lock = JSON.parse(fs.readFileSync(join(EXAMPLE, 'package-lock.json'), 'utf8'))
const LOCKED = lock.packages['node_modules/mediasoup'].version

/**
 * `folder` has node_modules. `worker` is the path of the worker, for MEDIASOUP_WORKER_BIN; null if mediasoup finds it by itself.
 * Throws if it cannot be provided within `withinMs`. Returns `{impossible}`, the reason, if this machine cannot build.
 */
export async function provideMediaService({ withinMs, log = console.error }) {
  const deadline = Date.now() + withinMs
  const cache = cacheFolder()
  const context = { cache, deadline, log }
  // What is installed for this version of Node is used: without the open internet each attempt to install the locked version takes minutes.
  const isInstalled = version => fs.existsSync(folderOf(cache, version))
  const isTried = process.env.MEDIASOUP_WORKER_BIN || isInstalled(LOCKED) || !isInstalled(BUILDABLE)
  if (isTried && Number(process.versions.node.split('.')[0]) >= 22) {
    // Leaves time to build.
    const installing = { ...context, deadline: Date.now() + withinMs / 3 }
    const provided = await provide(LOCKED, installLocked, installing).catch(error => error)
    if (!(provided instanceof Error)) return provided
    log(`mediasoup ${LOCKED} cannot be installed here: ${provided.message}`)
  }
  const isBuilt = [process.env.MEDIASOUP_WORKER_BIN ?? '', builtWorker(cache), folderOf(cache, BUILDABLE)].some(path =>
    fs.existsSync(path)
  )
  const missing = isBuilt ? [] : TOOLS.filter(tool => !isCommand(tool))
  if (missing.length > 0)
    return {
      impossible: `the worker of mediasoup cannot be built without ${missing.join(', ')}; on Debian and Ubuntu: apt-get install make g++ python3`
    }
  return provide(BUILDABLE, build, context)
}

function folderOf(cache, version) {
  const { platform, arch, versions } = process
  const node = versions.node.split('.')[0]
  return join(cache, `media-service-${version}-${platform}-${arch}-node${node}-${digestOf(JSON.stringify(lock))}`)
}

function builtWorker(cache) {
  return join(cache, `mediasoup-worker-${BUILDABLE}-${process.platform}-${process.arch}`)
}

async function provide(version, install, { cache, deadline, log }) {
  const folder = folderOf(cache, version)
  await provideFolder(folder, {
    deadline,
    async install(draft) {
      log(`installing mediasoup ${version}`)
      const startedAt = Date.now()
      await install(draft, { deadline, log, cache })
      log(`mediasoup ${version} was installed in ${Math.round((Date.now() - startedAt) / 1000)} s, in ${folder}`)
    }
  })
  const worker = join(folder, 'mediasoup-worker')
  return { folder, version, worker: process.env.MEDIASOUP_WORKER_BIN ?? (fs.existsSync(worker) ? worker : null) }
}

async function installLocked(folder, { deadline }) {
  for (const name of ['package.json', 'package-lock.json']) fs.copyFileSync(join(EXAMPLE, name), join(folder, name))
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, deadline })
  const mediasoup = join(folder, 'node_modules/mediasoup')
  await run(process.execPath, ['npm-scripts.mjs', 'postinstall'], { cwd: mediasoup, deadline })
}

async function build(folder, { deadline, log, cache }) {
  for (const name of ['package.json', 'package-lock.json']) fs.copyFileSync(join(EXAMPLE, name), join(folder, name))
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--save-exact']
  await run('npm', ['install', ...options, `mediasoup@${BUILDABLE}`], { cwd: folder, deadline })
  if (process.env.MEDIASOUP_WORKER_BIN) return
  const sources = join(folder, 'node_modules/mediasoup/worker')
  // The worker does not depend on the other dependencies, so one that was built before is used again.
  const kept = builtWorker(cache)
  if (!fs.existsSync(kept)) {
    log(`building the worker of mediasoup ${BUILDABLE}; this takes some minutes`)
    await buildWorker(sources, kept, deadline)
  }
  fs.copyFileSync(kept, join(folder, 'mediasoup-worker'))
  fs.rmSync(sources, { recursive: true })
}

/** What is compiled is kept until the worker is complete: if there was not enough time, the next run goes on from there. */
async function buildWorker(sources, target, deadline) {
  // In a folder with a short path: make passes the paths of all objects of OpenSSL as one argument, which Linux limits to 128 KiB.
  const folder = join(tmpdir(), `mediasoup-worker-${BUILDABLE}-${digestOf(target)}`)
  if (!fs.existsSync(folder)) {
    const draft = `${folder}.${process.pid}`
    fs.cpSync(sources, draft, { recursive: true })
    for (const [file, from, to] of REPAIRS) {
      const path = join(draft, 'deps', file)
      fs.writeFileSync(path, fs.readFileSync(path, 'utf8').replace(from, to))
    }
    fs.renameSync(draft, folder)
  }
  // Since g++ 13 its headers include fewer others; the sources of 2021 expect <cstdint>.
  const make = ['env', 'CXXFLAGS=-include cstdint', 'make', '-C', folder, 'PYTHON=python3']
  await run('nice', make, { cwd: folder, deadline })
  fs.copyFileSync(join(folder, 'out/Release/mediasoup-worker'), `${target}.${process.pid}`)
  fs.renameSync(`${target}.${process.pid}`, target)
  fs.rmSync(folder, { recursive: true, force: true })
}

function isCommand(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined
}

/** Of Signalpost in development mode (src/development.ts). It is public, so the service must listen on loopback only. */
const DEVELOPMENT_SECRET = 'signalpost-development-only-not-a-secret'
const LOOPBACK = ['127.0.0.1', '::1', 'localhost']

/** Without a secret the service is for Signalpost in development mode on this machine. */
export function withDevelopmentSecret(env) {
  if (env.MEDIA_SERVICE_SECRET || !LOOPBACK.includes(env.HOST || '127.0.0.1')) return env
  console.error(
    'Without MEDIA_SERVICE_SECRET the service is for `npm start` in development mode: start that once this listens.'
  )
  return { ...env, MEDIA_SERVICE_SECRET: DEVELOPMENT_SECRET }
}

/** Starts the service with the settings of the environment. Resolves to its exit code. */
async function start() {
  const settings = withDevelopmentSecret(process.env)
  // Before the minutes that building the worker takes.
  readSettings(settings)
  const { folder, worker, impossible } = await provideMediaService({ withinMs: START_WITHIN_MS })
  if (impossible) throw new Error(impossible[0].toUpperCase() + impossible.slice(1))
  // Modules are found from the real path of a file, so the sources must lie beside node_modules.
  const placed = fs.mkdtempSync(join(tmpdir(), 'media-service-'))
  fs.cpSync(EXAMPLE, placed, { recursive: true, filter: path => !path.includes('node_modules') })
  fs.symlinkSync(join(folder, 'node_modules'), join(placed, 'node_modules'))
  const env = { ...settings, ...(worker && { MEDIASOUP_WORKER_BIN: worker }) }
  const child = spawn(process.execPath, ['main.js'], { cwd: placed, env, stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => child.kill(signal))
  const [code] = await once(child, 'close')
  fs.rmSync(placed, { recursive: true, force: true })
  return code ?? 1
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  process.exitCode = await start().catch(error => {
    console.error(error.message)
    return 1
  })
