// The files of a page of the server, where the servers of the tests look for them.
import { fileURLToPath } from 'node:url'
import { buildOnce } from './build-once.js'

interface Builder {
  buildPage(page: string, folder: string): Promise<void>
}

const builder = new URL('../../scripts/build-pages.mjs', import.meta.url)

/** Once for all test files of a run, which may run at the same time. */
export async function buildPage(page: 'playground' | 'operator' = 'playground'): Promise<void> {
  const { buildPage: build } = (await import(builder.href)) as Builder
  await buildOnce(fileURLToPath(new URL(`../../dist/${page}`, import.meta.url)), draft => build(page, draft))
}
