// Preloaded by test files: tap gets no async hooks. With them tap reports an exception that nothing catches as a failure of its test, at a
// third of the CPU time of a run. Without them Node reports it and exits with an error, which fails the file.
import asyncHooks from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'

const none = { enable: () => none, disable: () => none }
asyncHooks.createHook = () => none
syncBuiltinESMExports()
