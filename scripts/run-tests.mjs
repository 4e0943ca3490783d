// Runs compiled test files, each in a process of its own, and reports with tap. `tap run` is not used: its module hooks cost 1.5 CPU seconds
// for each file, for features that are not used here.
import { join } from 'node:path'
import { report } from '@tapjs/reporter'
import { t } from 'tap'

const withoutAsyncHooks = new URL('no-async-hooks.mjs', import.meta.url).href

// Before anything is installed: tap ends after 30 s otherwise.
t.setTimeout(0)

/** Resolves when all have ended. The exit code of this process is 0 only if all passed. `onEnd` is called after each file. */
export async function runTests(files, { folder, jobs, timeoutS, reporter, onEnd = () => {} }) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => t.bailout(signal))
  if (reporter === 'tap') t.pipe(process.stdout)
  else await report(reporter, t, { get: () => undefined })
  t.jobs = jobs
  // tap in the test file reads this.
  const env = { ...process.env, TAP_TIMEOUT: String(timeoutS) }
  // Set explicitly, because t.spawn would add the module hooks of tap.
  const nodeOptions = `NODE_OPTIONS=${process.env.NODE_OPTIONS ?? ''}`
  for (const file of files) {
    const compiled = join(folder, file.replace(/\.ts$/, '.js'))
    const args = [nodeOptions, process.execPath, '--enable-source-maps', '--import', withoutAsyncHooks, compiled]
    const options = { name: file, env, buffered: jobs > 1, timeout: timeoutS * 1000, stdio: 'inherit' }
    t.spawn('env', args, options).then(onEnd)
  }
  t.end()
  await t.promise()
}
