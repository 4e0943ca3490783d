// Copies the Lua scripts, which tsc does not copy, beside the compiled scripts.js, which reads them from disk.
import { cpSync } from 'node:fs'

cpSync(new URL('../src/store/redis/lua', import.meta.url), new URL('../dist/store/redis/lua', import.meta.url), {
  recursive: true
})
