// The files of the playground, where the servers of the tests look for them.
import { existsSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

interface Builder {
  buildPlayground(folder: string): Promise<void>
}

const builder = new URL('../../scripts/build-playground.mjs', import.meta.url)
const folder = fileURLToPath(new URL('../../dist/playground', import.meta.url))

/** Once for all test files of a run, which may run at the same time. */
export async function buildPage(): Promise<void> {
  if (existsSync(folder)) return
  const { buildPlayground } = (await import(builder.href)) as Builder
  const draft = `${folder}-${process.pid}`
  await buildPlayground(draft)
  // Fails if another file was faster.
  if (!existsSync(folder)) await rename(draft, folder).catch(() => {})
}
