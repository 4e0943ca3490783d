// Child processes of tests: none survives the test, and `run` runs programs as a shell does, with their output, their exit code, and a bound
// on their time.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'

/**
 * Kills the process when this one ends, however it ends: tap kills a test file that exceeds its time. Then the pipe to the watchdog closes, and
 * its shell continues. `isGroup`: the process is `detached`, and its process group is killed.
 */
export function guard<Child extends ChildProcess>(child: Child, { isGroup = false } = {}): Child {
  if (child.pid === undefined) return child
  const script = `trap '' INT TERM HUP; read _; kill -s KILL -- ${isGroup ? -child.pid : child.pid}`
  const watchdog = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'] })
  // At `exit` others of the group may still run. They hold its output open.
  child.once('close', () => watchdog.kill('SIGKILL'))
  return child
}

export interface Program {
  /** Resolves to its output so far, once that matches. */
  waitForOutput(pattern: RegExp): Promise<string>
  signal(name: NodeJS.Signals): void
  /** Resolves to its exit code, or the signal that ended it. */
  waitForExit(): Promise<number | NodeJS.Signals>
  /** Resolves to its exit code or signal when it has failed; never, if it succeeds. */
  waitForFailure(): Promise<number | NodeJS.Signals>
  readonly stdout: () => string
  readonly stderr: () => string
}

export interface Options {
  readonly env?: Record<string, string>
  readonly withinMs?: number
  /** The root of the project by default. */
  readonly cwd?: string
  /** Called for each line of the standard output. */
  readonly onLine?: (line: string) => void
}

/** After the test it is killed, with all processes that it has started. */
export function run(t: Test, command: string, args: readonly string[], options: Options = {}): Program {
  const { env = {}, withinMs = 20_000, cwd, onLine } = options
  // `detached`: a process group of its own, which is killed as a whole.
  const stdio = ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe']
  const child = guard(spawn(command, args, { detached: true, stdio, env: environment(env), cwd }), { isGroup: true })
  const output = { stdout: '', stderr: '' }
  if (onLine) createInterface(child.stdout).on('line', onLine)
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
      child.emit('printed')
    })
  }
  let isOver = false
  child.once('close', () => {
    isOver = true
    child.emit('printed')
  })
  const closed = once(child, 'close')
  t.teardown(async () => {
    killGroup(child)
    await closed
  })

  const inTime = async (condition: Promise<unknown>, what: string) => {
    const timeout = once(AbortSignal.timeout(withinMs), 'abort')
    const outcome = await Promise.race([condition.then(() => true), timeout.then(() => false)])
    if (!outcome) throw new Error(`waited for ${command} ${what}; it printed ${JSON.stringify(output)}`)
  }

  return {
    async waitForOutput(pattern) {
      while (!pattern.test(output.stdout)) {
        if (isOver) throw new Error(`${command} ended without printing ${pattern}: ${JSON.stringify(output)}`)
        await inTime(once(child, 'printed'), `to print ${pattern}`)
      }
      return output.stdout
    },
    signal: name => void child.kill(name),
    async waitForExit() {
      await inTime(closed, 'to end')
      return child.exitCode ?? child.signalCode ?? 'SIGKILL'
    },
    waitForFailure: () =>
      new Promise(resolve => {
        child.once('close', () => {
          if (child.exitCode !== 0) resolve(child.exitCode ?? child.signalCode ?? 'SIGKILL')
        })
      }),
    stdout: () => output.stdout,
    stderr: () => output.stderr
  }
}

/** Without the variables of npm, tap and the developer, which would change the program. */
function environment(env: Record<string, string>): Record<string, string | undefined> {
  const { PATH, HOME, TMPDIR } = process.env
  return { PATH, HOME, TMPDIR, ...env }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
