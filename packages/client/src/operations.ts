// Types of the operations of the API, found by method and path. No code.
import type { Operations } from './api.js'
import type { Method } from './requests.js'

export type WithoutQuery<Path extends string> = Path extends `${infer Before}?${string}` ? Before : Path

/** The first row of `Operations` with this method and path. */
export type Find<Rows, M, Path> = Rows extends [[infer Method, infer Pattern, infer Body, infer Reply], ...infer Rest]
  ? [M, Path] extends [Method, Pattern]
    ? { body: Body; reply: Reply }
    : Find<Rest, M, Path>
  : { body: unknown; reply: unknown }

type Operation<M extends Method, Path extends string> = string extends Path
  ? { body: unknown; reply: unknown }
  : Find<Operations, M, WithoutQuery<Path>>

/** The body that an operation takes; unknown for a path that is not known at compile time. */
export type Body<M extends Method, Path extends string> =
  Operation<M, Path> extends { body: infer Type } ? Type : unknown

/** What an operation replies. */
export type Reply<M extends Method, Path extends string> =
  Operation<M, Path> extends { reply: infer Type } ? Type : unknown
