// Runs compiled test files, a group of them in each process, and reports with tap. `tap run` is not used: its module hooks cost 1.5 CPU seconds
// for each file, for features that are not used here.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { report } from '@tapjs/reporter'
import { t } from 'tap'

const withoutAsyncHooks = new URL('no-async-hooks.mjs', import.meta.url).href
const runGroup = fileURLToPath(new URL('test-group.mjs', import.meta.url))

// Before anything is installed: tap ends after 30 s otherwise.
t.setTimeout(0)

/**
 * `groups`: the files of each process. Resolves when all have ended. The exit code of this process is 0 only if all passed. `onEnd` is called
 * after each group.
 */
export async function runTests(groups, { folder, jobs, timeoutS, reporter, onEnd = () => {} }) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => t.bailout(signal))
  if (reporter === 'tap') t.pipe(process.stdout)
  else await report(reporter, t, { get: () => undefined })
  t.jobs = jobs
  // The test files read the first, test-group.mjs the second.
  const env = { ...process.env, TAP_TIMEOUT: String(timeoutS), TEST_FOLDER: folder }
  // Set explicitly, because t.spawn would add the module hooks of tap.
  const nodeOptions = `NODE_OPTIONS=${process.env.NODE_OPTIONS ?? ''}`
  for (const files of groups) {
    const [first] = files
    const what = files.length === 1 ? [join(folder, first.replace(/\.ts$/, '.js'))] : [runGroup, ...files]
    const args = [nodeOptions, process.execPath, '--enable-source-maps', '--import', withoutAsyncHooks, ...what]
    const timeout = timeoutS * 1000 * files.length
    t.spawn('env', args, { name: nameOf(files), env, buffered: jobs > 1, timeout, stdio: 'inherit' }).then(onEnd)
  }
  t.end()
  await t.promise()
}

const nameOf = ([first, ...others]) => (others.length === 0 ? first : `${first} to ${others.at(-1)}`)
