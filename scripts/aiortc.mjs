// Provides a Python with aiortc and pymediasoup for `npm run test:sfu`, cached outside the tree in $XDG_CACHE_HOME/signalpost.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const REQUIREMENTS = fileURLToPath(new URL('../test/sfu/requirements.txt', import.meta.url))

/** `python` is its path. Returns `{impossible}`, the reason, if this machine cannot have it. */
export function provideAiortc() {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'signalpost')
  const digest = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 12)
  const folder = join(cache, `aiortc-${digest}`)
  const python = join(folder, 'bin', 'python')
  if (existsSync(join(folder, 'complete'))) return { python }
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(cache, { recursive: true })
  const steps = [
    ['python3', ['-m', 'venv', folder]],
    [python, ['-m', 'pip', 'install', '--quiet', '--requirement', REQUIREMENTS]],
    [python, ['-c', 'import aiohttp, aiortc, pymediasoup']]
  ]
  for (const [command, args] of steps) {
    const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8' })
    if (status !== 0) return { impossible: `${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}` }
  }
  // Marks the folder: one that was not finished is made anew.
  mkdirSync(join(folder, 'complete'))
  return { python }
}
