// Folders with what tests need and the tree does not contain, such as dependencies of examples. They are kept outside the tree, in
// $XDG_CACHE_HOME/signalpost. Nothing is installed twice, or twice at the same time.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const LOCK_CHECK_MS = 500
const END_WITHIN_MS = 5000
const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 }

export function cacheFolder() {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'signalpost')
  fs.mkdirSync(cache, { recursive: true })
  return cache
}

/** A few characters that name the content of files. */
export function digestOf(...texts) {
  return createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, 12)
}

/** Resolves when the folder is complete: it gets its name when `install(draft)` has filled it. */
export async function provideFolder(folder, { install, deadline }) {
  const unlock = await acquire(`${folder}.lock`, deadline)
  const draft = `${folder}.${process.pid}`
  const clear = () => {
    fs.rmSync(draft, { recursive: true, force: true, maxRetries: 5 })
    unlock()
  }
  const restoreSignals = exitOnSignals()
  process.once('exit', clear)
  try {
    if (fs.existsSync(folder)) return
    fs.mkdirSync(draft)
    await install(draft)
    fs.renameSync(draft, folder)
  } finally {
    process.off('exit', clear)
    restoreSignals()
    clear()
  }
}

/** A signal alone ends the process without an 'exit' event: what it has started would go on, in process groups of their own. */
function exitOnSignals() {
  const handlers = Object.entries(SIGNALS).map(([signal, number]) => [signal, () => process.exit(128 + number)])
  for (const [signal, exit] of handlers) process.once(signal, exit)
  return () => {
    for (const [signal, exit] of handlers) process.off(signal, exit)
  }
}

/** Runs a command. If it fails or is not done at the deadline, it is ended with all that it started, and the error has the end of its output. */
export function run(command, args, { cwd, deadline }) {
  const env = { ...process.env, npm_config_update_notifier: 'false' }
  // npm of the outer run sets these; they would make the inner one work in the folder of the outer one.
  for (const name of Object.keys(env))
    if (/^npm_(package|lifecycle|config_local_prefix|config_prefix)/.test(name)) delete env[name]
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const collect = text => {
      output = (output + text).slice(-4000)
    }
    child.stdout.setEncoding('utf8').on('data', collect)
    child.stderr.setEncoding('utf8').on('data', collect)
    const fail = what => reject(new Error(`${command} ${args.join(' ')} ${what}\n${output}`))
    const send = signal => {
      try {
        process.kill(-child.pid, signal)
      } catch {}
    }
    // make removes what is half written, which it does not if it is killed.
    const end = () => send('SIGTERM')
    // Before the exit listener of provideFolder, which removes the folder that the command fills.
    process.prependOnceListener('exit', end)
    let isLate = false
    const timer = setTimeout(
      () => {
        isLate = true
        end()
        setTimeout(send, END_WITHIN_MS, 'SIGKILL').unref()
      },
      Math.max(0, deadline - Date.now())
    )
    child.once('error', error => fail(`does not start: ${error.message}`))
    child.once('close', code => {
      clearTimeout(timer)
      process.off('exit', end)
      if (code === 0) resolve()
      else fail(isLate ? 'was not done in time' : `ended with ${code}`)
    })
  })
}

/** The lock is a file with the id of the process that holds it. The lock of a process that has ended is taken over. */
async function acquire(path, deadline) {
  for (;;) {
    try {
      fs.writeFileSync(path, String(process.pid), { flag: 'wx' })
      return () => fs.rmSync(path, { force: true })
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    if (!isHeld(path)) fs.rmSync(path, { force: true })
    else if (Date.now() > deadline) throw new Error(`another process still installs, see ${path}`)
    else await sleep(LOCK_CHECK_MS)
  }
}

function isHeld(path) {
  try {
    const pid = Number(fs.readFileSync(path, 'utf8'))
    if (pid > 0) process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
