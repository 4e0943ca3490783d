// tsc leaves the scripts behind: they are read from disk, beside the compiled scripts.js.
import { cpSync } from 'node:fs'

cpSync(new URL('../src/store/redis/lua', import.meta.url), new URL('../dist/store/redis/lua', import.meta.url), {
  recursive: true
})
