// Measures the functions of TypeScript sources. Uses the parser of the compiler, without types: TypeScript 7 has no stable API for it yet.
import {
  isCallExpression,
  isIdentifier,
  isIfStatement,
  isPropertyAccessExpression,
  type Node,
  SyntaxKind
} from 'typescript/unstable/ast'
import { createVirtualFileSystem } from 'typescript/unstable/fs'
import { API } from 'typescript/unstable/sync'

export interface FunctionSize {
  /** `<file>:<line> <name>` */
  readonly where: string
  /** Lines of code in it, without those of nested functions. Blank lines and lines of comment do not count. */
  readonly ownLines: number
  /** The deepest nesting of if, for, while, do, switch and try. Nested functions start anew; `else if` is not deeper than its `if`. */
  readonly nesting: number
  /** It is the handler in `app.get(path, options, handler)`, or in another method. */
  readonly isRouteHandler: boolean
}

/** `sources`: text by file name, which ends in `.ts`. */
export function measureFunctions(sources: ReadonlyMap<string, string>): FunctionSize[] {
  const virtual: Record<string, string> = { '/tsconfig.json': JSON.stringify(PARSE_ONLY) }
  for (const [file, text] of sources) virtual[`/${file}`] = text
  const api = new API({ cwd: '/', fs: createVirtualFileSystem(virtual) })
  try {
    const [project] = api.updateSnapshot({ openProject: '/tsconfig.json' }).getProjects()
    return [...sources].flatMap(([file, text]) => {
      const tree = project?.program.getSourceFile(`/${file}`)
      if (tree === undefined) throw new Error(`${file} was not parsed`)
      return functionsIn(tree).map(node => measure(node, file, withoutComments(text)))
    })
  } finally {
    api.close()
  }
}

const PARSE_ONLY = { compilerOptions: { noLib: true, noResolve: true, types: [] }, include: ['**/*.ts'] }

const FUNCTIONS = new Set([
  SyntaxKind.ArrowFunction,
  SyntaxKind.Constructor,
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.FunctionExpression,
  SyntaxKind.GetAccessor,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.SetAccessor
])
const NESTING = new Set([
  SyntaxKind.DoStatement,
  SyntaxKind.ForInStatement,
  SyntaxKind.ForOfStatement,
  SyntaxKind.ForStatement,
  SyntaxKind.IfStatement,
  SyntaxKind.SwitchStatement,
  SyntaxKind.TryStatement,
  SyntaxKind.WhileStatement
])
const ROUTE_METHODS = new Set(['delete', 'get', 'patch', 'post', 'put'])

const isFunction = (node: Node) => FUNCTIONS.has(node.kind)

/** The functions in a node, without the node itself: all, or only the outermost. */
function functionsIn(node: Node, depth: 'all' | 'outermost' = 'all'): Node[] {
  const found: Node[] = []
  node.forEachChild(child => {
    if (isFunction(child)) found.push(child)
    if (!isFunction(child) || depth === 'all') found.push(...functionsIn(child, depth))
    return undefined
  })
  return found
}

function measure(node: Node, file: string, code: string): FunctionSize {
  const line = code.slice(0, node.getStart()).split('\n').length
  return {
    where: `${file}:${line} ${nameOf(node)}`,
    ownLines: ownLines(node, code),
    nesting: nestingIn(node),
    isRouteHandler: isRouteHandler(node)
  }
}

/** The lines that have code of this function after the code of nested functions is cut out. */
function ownLines(node: Node, code: string): number {
  let own = ''
  let at = node.getStart()
  for (const nested of functionsIn(node, 'outermost')) {
    own += code.slice(at, nested.getStart())
    at = nested.getEnd()
  }
  own += code.slice(at, node.getEnd())
  return own.split('\n').filter(line => line.trim() !== '').length
}

function nestingIn(node: Node): number {
  let deepest = 0
  node.forEachChild(child => {
    if (isFunction(child)) return undefined
    const isElseIf = isIfStatement(node) && child === node.elseStatement && isIfStatement(child)
    deepest = Math.max(deepest, nestingIn(child) + (NESTING.has(child.kind) && !isElseIf ? 1 : 0))
    return undefined
  })
  return deepest
}

function isRouteHandler(node: Node): boolean {
  const { parent } = node
  if (!isCallExpression(parent) || parent.arguments.at(-1) !== node) return false
  const { expression } = parent
  if (!isPropertyAccessExpression(expression) || !ROUTE_METHODS.has(expression.name.text)) return false
  return isIdentifier(expression.expression) && /^(app|server)$/.test(expression.expression.text)
}

function nameOf(node: Node): string {
  const { name } = node as { readonly name?: Node }
  const { name: parentName } = node.parent as { readonly name?: Node }
  return (name ?? parentName)?.getText() ?? '(anonymous)'
}

/** Blanks lines of comment, and keeps all positions. */
const withoutComments = (text: string) => text.replace(/^[ \t]*(?:\/\/|\/\*|\*).*$/gm, line => ' '.repeat(line.length))
