// Bundles packages/client into its `dist`, as it is published: index.js with calls, which loads rooms.js and sfu.js on first need, core.js and stats.js.
// index.js and core.js are each complete, because a file that both share would add 0.7 KB to what a page loads. For the same reason rooms.js takes
// what it has in common with calls from index.js, which is loaded already. `npm run build` adds the types.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { minify } from 'terser'

const root = fileURLToPath(new URL('..', import.meta.url))
const SOURCES = join(root, 'packages/client/src')

/**
 * Members that only the modules of the SDK use among themselves: the build shortens their names. None may be a member of the public API, of what goes
 * over the wire, or of the platform, which test/client-size.test.ts checks.
 */
export const INTERNAL_NAMES = (
  'advanceTo answersFirst applyRecord applySettings beforeListening begin callRecord closeConsumer deliver deliverOne dropParticipant during emit endMedia expectAnswer fault finishAs flow handleNow hasTransport iceConfig iceRestartsMs ' +
  'hurry inbox isFirst isHere isOpen isOver isRepeat lastSentAt live negotiator ' +
  'onConnected onEnd onError onEvent onFailed onMediaError onModerated onOtherPeer onOwn onReset onSend onSnapshot onState ' +
  'onTrack onTrackEnded onTransfer owner post prepare publicationOf receive refreshToken rejoin removeAll rename renew ' +
  'requestAndShare requests restart retryMs senders servers setAvailable slides stopReceiving sync tellsService unhold waitingEvents whenReady'
).split(' ')

const COMPRESS = { passes: 4, inline: 1, keep_fargs: false, pure_getters: true, unsafe: true, unsafe_arrows: true }

/** Leaves a module out of a bundle, which imports the published file `from` instead. */
const importing = (module, from) => ({
  name: module,
  setup: ({ onResolve }) => onResolve({ filter: new RegExp(`/${module}$`) }, () => ({ path: from, external: true }))
})

/** Resolves to the minified files, and what esbuild says about them. */
export async function bundleClient(entry = 'index') {
  const start = await bundle(entry, [importing('rooms.js', './rooms.js')])
  if (entry !== 'index') return start
  const rooms = await bundle('rooms', [importing('shared.js', './index.js')], start.mangleCache)
  const outputs = { ...start.metafile.outputs, ...rooms.metafile.outputs }
  return { files: [...start.files, ...rooms.files], metafile: { ...start.metafile, outputs } }
}

/** `mangleCache`: how another bundle has shortened the names. */
async function bundle(entry, plugins, mangleCache = {}) {
  const { outputFiles, metafile, ...result } = await build({
    entryPoints: [join(SOURCES, `${entry}.ts`)],
    outdir: join(root, 'packages/client/dist'),
    bundle: true,
    splitting: true,
    external: ['mediasoup-client'],
    plugins,
    format: 'esm',
    target: 'es2022',
    minify: true,
    mangleProps: new RegExp(`^(${INTERNAL_NAMES.join('|')})$`),
    mangleCache,
    sourcemap: 'external',
    chunkNames: '[name]',
    metafile: true,
    write: false
  })
  const textOf = name => outputFiles.find(({ path }) => basename(path) === name)?.text ?? ''
  const names = outputFiles.map(({ path }) => basename(path)).filter(name => name.endsWith('.js'))
  const files = await Promise.all(names.map(name => minifyFile(name, textOf(name), textOf(`${name}.map`))))
  return { files, metafile, mangleCache: result.mangleCache }
}

async function minifyFile(name, code, map) {
  const sourceMap = { content: map, filename: name, url: `${name}.map`, includeSources: true }
  const minified = await minify(code, { module: true, ecma: 2022, compress: COMPRESS, sourceMap })
  return { name, code: minified.code, map: minified.map }
}

/** Writes the files into the folder, which is emptied before. */
export async function buildClient(folder) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const bundles = await Promise.all(['index', 'core', 'stats'].map(entry => bundleClient(entry)))
  for (const { name, code, map } of bundles.flatMap(({ files }) => files)) {
    writeFileSync(join(folder, name), code)
    writeFileSync(join(folder, `${name}.map`), map)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await buildClient(join(root, 'packages/client/dist'))
