import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The path of a browser with one of these names. The environment variable `variable` may name another one. */
export function findBrowser(names: readonly string[], variable: string): string {
  const { [variable]: chosen, PATH = '' } = process.env
  if (chosen) return chosen
  const paths = PATH.split(delimiter).flatMap(directory => names.map(name => join(directory, name)))
  const found = paths.find(isExecutable)
  if (found) return found
  throw new Error(`These tests need a browser: ${names.join(', ')} on the PATH, or its path in ${variable}`)
}
