// `npm test`, and `npm run test:browser`, `test:heavy` and `test:abuse`: sees to what they need besides Node, then runs tap with .taprc. What
// is passed on the command line goes on to tap: `npm test -- test/config.test.ts`.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const tap = join(root, 'node_modules/.bin/tap')
const rest = process.argv.slice(2)
/** .taprc leaves these out of the ordinary run; named one by one they are in. One at a time: each keeps all cores busy. */
const SLOW = {
  '--browser': () => ['--timeout=180', ...filesIn('browser')],
  '--heavy': () => ['--timeout=180', ...filesIn('heavy')],
  '--abuse': () => ['--timeout=240', 'test/abuse/flood.test.ts']
}
const slow = SLOW[rest[0]]
const browser = rest[0] === '--browser'
if (slow) rest.shift()

provide({ command: 'redis-server', debian: 'redis-server' })
if (browser) provide({ command: 'chromium', debian: 'chromium' })
// tap bakes its plugins into itself; .taprc leaves one out, so a fresh installation has to be built once.
const built = readFileSync(join(root, 'node_modules/@tapjs/test/test-built/dist/esm/index.js'), 'utf8')
if (built.includes('@tapjs/typescript')) run(tap, ['build'])
process.exit(run(tap, ['run', ...(slow ? ['--jobs=1', ...slow()] : []), ...rest]))

function filesIn(folder) {
  const names = readdirSync(join(root, 'test', folder)).filter(name => name.endsWith('.test.ts'))
  return names.map(name => `test/${folder}/${name}`)
}

function isInstalled(command) {
  return (process.env.PATH ?? '').split(delimiter).some(directory => {
    try {
      accessSync(join(directory, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function provide({ command, debian }) {
  if (isInstalled(command)) return
  if (process.getuid?.() === 0 && isInstalled('apt-get')) {
    // RUNLEVEL=1 keeps Debian from starting the service: tests bring up their own.
    const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
    run('apt-get', ['update', '-q'], env)
    run('apt-get', ['install', '-q', '-y', '--no-install-recommends', debian], env)
  }
  if (isInstalled(command)) return
  console.error(`The tests need ${command} on the PATH; on Debian and Ubuntu: apt-get install ${debian}`)
  process.exit(1)
}

function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
  if (error) throw error
  return status ?? 1
}
