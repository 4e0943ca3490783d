// Programs that decode the examples of the OpenAPI document with a generated client: it compiles also where it cannot read a reply.

/** By name of the schema. */
export type Examples = Readonly<Record<string, readonly unknown[]>>

interface Media {
  readonly schema?: { readonly $ref?: string }
  readonly example?: unknown
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly responses: Readonly<Record<string, Content>> }
}

interface Operation {
  readonly requestBody?: Content
  readonly responses: Readonly<Record<string, Content>>
}

interface Content {
  readonly content?: Readonly<Record<string, Media>>
}

/** Of bodies, replies and problems. */
export function examplesOf({ paths, components }: Document): Examples {
  const operations = Object.values(paths).flatMap(methods => Object.values(methods))
  const bodies = operations.flatMap(({ requestBody = {}, responses }) => [requestBody, ...Object.values(responses)])
  const examples: Record<string, unknown[]> = {}
  for (const { content = {} } of [...bodies, ...Object.values(components.responses)]) {
    for (const [type, { schema, example }] of Object.entries(content)) {
      const name = schema?.$ref?.split('/').at(-1)
      if (name === undefined || example === undefined || !type.endsWith('json')) continue
      examples[name] = [...(examples[name] ?? []), example]
    }
  }
  return examples
}

export const typescriptDecoder = (examples: Examples): string => `import type { components } from './types'
type Schemas = components['schemas']
${Object.entries(examples)
  .map(([name, all]) => `export const ${name}: Schemas['${name}'][] = ${JSON.stringify(all)}`)
  .join('\n')}
`

export const pythonDecoder = (): string => `import json
from signalpost_client import models

for name, examples in json.load(open("examples.json")).items():
    for example in examples:
        decoded = getattr(models, name).from_dict(example)
        if name == "PollReply":
            for event, given in zip(decoded.events, example["events"]):
                assert event.type_ == given["type"], (event, given)
`

export const goDecoder = (examples: Examples): string => `package main

import (
	"encoding/json"
	"fmt"
	"os"

	api "example.com/signalpost/client"
)

var schemas = map[string]func() any{
${Object.keys(examples)
  .map(name => `\t"${name}": func() any { return new(api.${name}) },`)
  .join('\n')}
}

func main() {
	var examples map[string][]json.RawMessage
	text, err := os.ReadFile("examples.json")
	if err == nil {
		err = json.Unmarshal(text, &examples)
	}
	for name, all := range examples {
		for _, example := range all {
			if err == nil {
				if err = json.Unmarshal(example, schemas[name]()); err != nil {
					err = fmt.Errorf("%s: %w", name, err)
				}
			}
		}
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
`

export const rustDecoder = (examples: Examples): string => `fn main() {
    let text = std::fs::read_to_string("examples.json").unwrap();
    let examples: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
    for (name, all) in examples {
        for example in all.as_array().unwrap() {
            let result = match name.as_str() {
${Object.keys(examples)
  .map(
    name =>
      `                "${name}" => serde_json::from_value::<signalpost::types::${name}>(example.clone()).map(|_| ()),`
  )
  .join('\n')}
                _ => Ok(()),
            };
            result.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}
`
