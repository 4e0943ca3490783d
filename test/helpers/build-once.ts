// What several test files of a run need is built by one of them.
import { existsSync } from 'node:fs'
import { rename } from 'node:fs/promises'

/** Resolves when the folder is complete. It gets its name when `build(draft)` has filled it. */
export async function buildOnce(folder: string, build: (draft: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return
  const draft = `${folder}-${process.pid}`
  await build(draft)
  // Fails if another file was faster.
  if (!existsSync(folder)) await rename(draft, folder).catch(() => {})
}
