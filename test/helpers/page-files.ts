// The files of a page of the server, where the servers of the tests look for them.
import { existsSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

interface Builder {
  buildPage(page: string, folder: string): Promise<void>
}

const builder = new URL('../../scripts/build-pages.mjs', import.meta.url)

/** Once for all test files of a run, which may run at the same time. */
export async function buildPage(page: 'playground' | 'operator' = 'playground'): Promise<void> {
  const folder = fileURLToPath(new URL(`../../dist/${page}`, import.meta.url))
  if (existsSync(folder)) return
  const { buildPage: build } = (await import(builder.href)) as Builder
  const draft = `${folder}-${process.pid}`
  await build(page, draft)
  // Fails if another file was faster.
  if (!existsSync(folder)) await rename(draft, folder).catch(() => {})
}
