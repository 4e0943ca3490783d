// The generators that are tried, and how. The same commands stand in docs/guides/generated-clients.md.
import {
  cDecoder,
  type Examples,
  goDecoder,
  javaDecoder,
  pythonDecoder,
  rustDecoder,
  typescriptDecoder
} from './decoders.js'

export interface Generator {
  /** Also the folder below .generators/ in which its steps run. */
  readonly name: string
  readonly language: string
  /** Commands that must be on the PATH. */
  readonly needs: readonly string[]
  /** In openapi/. The steps find it as openapi.json, the form that servers serve. */
  readonly document: 'openapi.yaml' | 'openapi-3.0.yaml'
  /** From examples/generators/ to the folder. */
  readonly files?: readonly (readonly [from: string, to: string])[]
  /** A program that decodes examples.json with the client, and where it is. */
  readonly decoder?: readonly [path: string, write: (examples: Examples) => string]
  /** Removed first. */
  readonly fresh: readonly string[]
  /** Bash commands, by what they do. */
  readonly steps: Readonly<Record<string, string>>
}

const OPENAPI_GENERATOR = 'org.openapitools:openapi-generator-cli:7.25.0'
const JAR = '$WORK/openapi-generator-cli-7.25.0.jar'
const GET_JAR = `test -f "${JAR}" || mvn -q -B dependency:copy -Dartifact=${OPENAPI_GENERATOR} -DoutputDirectory="$WORK"`

/** Imports every module of the client: a mistake in generated Python shows only then. */
const IMPORT_ALL =
  'import importlib, pkgutil, signalpost_client as c; ' +
  '[importlib.import_module(m.name) for m in pkgutil.walk_packages(c.__path__, c.__name__ + ".")]'

const python = (document: Generator['document']): Generator => ({
  name: `openapi-python-client-${document === 'openapi.yaml' ? '3.1' : '3.0'}`,
  language: 'Python',
  needs: ['python3'],
  document,
  decoder: ['decode.py', pythonDecoder],
  fresh: ['client'],
  steps: {
    install:
      'test -d "$WORK/python" || { python3 -m venv "$WORK/python" && "$WORK/python/bin/pip" -q install openapi-python-client==0.29.1; }',
    generate: `PATH="$WORK/python/bin:$PATH" openapi-python-client generate --path openapi.json --output-path client`,
    compile: `PYTHONPATH=client "$WORK/python/bin/python" -c '${IMPORT_ALL}'`,
    decode: 'PYTHONPATH=client "$WORK/python/bin/python" decode.py'
  }
})

const typescript = (document: Generator['document']): Generator => ({
  name: `openapi-typescript-${document === 'openapi.yaml' ? '3.1' : '3.0'}`,
  language: 'TypeScript',
  needs: ['npm'],
  document,
  decoder: ['examples.ts', typescriptDecoder],
  fresh: ['types.ts'],
  steps: {
    install: 'test -f package.json || npm init -y && npm i --silent openapi-typescript@7.13.0 typescript@5.9.3',
    // A member with a default may be left out of a request.
    generate: 'npx openapi-typescript openapi.json --default-non-nullable=false -o types.ts',
    compile: 'npx tsc --noEmit --strict types.ts',
    decode: 'npx tsc --noEmit --strict examples.ts'
  }
})

const openapiGenerator = (language: string, parts: Pick<Generator, 'needs' | 'decoder' | 'steps'>): Generator => ({
  name: `openapi-generator-${language.toLowerCase()}`,
  language,
  document: 'openapi-3.0.yaml',
  files: [['adapt.mjs', 'adapt.mjs']],
  fresh: ['client'],
  ...parts,
  needs: ['java', 'mvn', ...parts.needs],
  steps: { install: GET_JAR, ...parts.steps }
})

const makeWith = (generator: string, document: string) =>
  `java -jar "${JAR}" generate -g ${generator} -i ${document} -o client`

export const GENERATORS: readonly Generator[] = [
  typescript('openapi.yaml'),
  typescript('openapi-3.0.yaml'),
  python('openapi.yaml'),
  python('openapi-3.0.yaml'),
  {
    name: 'oapi-codegen',
    language: 'Go',
    needs: ['go'],
    document: 'openapi-3.0.yaml',
    files: [['oapi-codegen.yaml', 'oapi-codegen.yaml']],
    decoder: ['decode/main.go', examples => goDecoder(examples, 'example.com/signalpost')],
    fresh: ['client.gen.go'],
    steps: {
      generate:
        'go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 --config oapi-codegen.yaml openapi.json',
      compile: 'test -f go.mod || go mod init example.com/signalpost; go mod tidy && go vet ./...',
      decode: 'go run ./decode'
    }
  },
  {
    name: 'ogen',
    language: 'Go',
    needs: ['go'],
    document: 'openapi-3.0.yaml',
    files: [['ogen.yaml', 'ogen.yaml']],
    decoder: ['decode/main.go', examples => goDecoder(examples, 'example.com/signalpost/client')],
    fresh: ['client'],
    steps: {
      generate:
        'go run github.com/ogen-go/ogen/cmd/ogen@v1.25.0 --config ogen.yaml --target client --package signalpost openapi.json',
      compile: 'test -f go.mod || go mod init example.com/signalpost; go mod tidy && go vet ./...',
      decode: 'go run ./decode'
    }
  },
  openapiGenerator('Java', {
    needs: [],
    decoder: ['Decode.java', javaDecoder],
    steps: {
      // Without this its decoder refuses members that the document does not name, although it allows them.
      generate: `${makeWith('java', 'openapi.json')} --additional-properties=disallowAdditionalPropertiesIfNotPresent=false`,
      compile: 'cd client && mvn -q -B compile',
      decode:
        '(cd client && mvn -q -B dependency:build-classpath -Dmdep.outputFile=../classpath) && ' +
        'java -cp "client/target/classes:$(cat classpath)" Decode.java'
    }
  }),
  openapiGenerator('Rust', {
    needs: ['cargo'],
    decoder: ['decode.rs', examples => rustDecoder(examples, 'openapi::models')],
    steps: {
      generate: makeWith('rust', 'openapi.json'),
      compile: 'cd client && CARGO_TARGET_DIR=../target cargo check -q',
      decode:
        'cp decode.rs client/src/main.rs && CARGO_TARGET_DIR=target cargo run -q --manifest-path client/Cargo.toml'
    }
  }),
  openapiGenerator('C', {
    needs: ['cmake', 'cc', 'node'],
    decoder: ['decode.c', cDecoder],
    steps: {
      generate: `node adapt.mjs c <openapi.json >c.json && ${makeWith('c', 'c.json')}`,
      compile: 'mkdir client/build && cd client/build && cmake .. && make',
      decode:
        'cc -Iclient -Iclient/model -Iclient/include decode.c client/build/*.so -o decode -Wl,-rpath,client/build && ./decode'
    }
  }),
  {
    name: 'progenitor',
    language: 'Rust',
    needs: ['cargo', 'node'],
    document: 'openapi-3.0.yaml',
    files: [
      ['progenitor', '.'],
      ['adapt.mjs', 'adapt.mjs']
    ],
    decoder: ['src/main.rs', examples => rustDecoder(examples, 'signalpost::types')],
    fresh: ['src'],
    // The macro generates and compiles in one step.
    steps: {
      compile: 'node adapt.mjs progenitor <openapi.json >progenitor.json && touch src/lib.rs && cargo check -q',
      decode: 'cargo run -q'
    }
  }
]
