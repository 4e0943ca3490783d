// Programs that decode the examples of the OpenAPI document with a generated client: it compiles also where it cannot read a reply.

/** By name of the schema. */
export type Examples = Readonly<Record<string, readonly unknown[]>>

interface Media {
  readonly schema?: { readonly $ref?: string }
  readonly example?: unknown
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly responses: Readonly<Record<string, Content>>
    readonly schemas: Readonly<Record<string, { readonly properties?: object }>>
  }
}

interface Operation {
  readonly requestBody?: Content
  readonly responses: Readonly<Record<string, Content>>
}

interface Content {
  readonly content?: Readonly<Record<string, Media>>
}

/** Of bodies, replies and problems. Several generators make no type for a schema without members. */
export function examplesOf({ paths, components: { responses, schemas } }: Document): Examples {
  const operations = Object.values(paths).flatMap(methods => Object.values(methods))
  const bodies = operations.flatMap(({ requestBody = {} }) => requestBody)
  const replies = [...operations.map(operation => operation.responses), responses].flatMap(each => Object.values(each))
  const examples: Record<string, unknown[]> = {}
  for (const { content = {} } of [...bodies, ...replies]) {
    for (const [type, { schema, example }] of Object.entries(content)) {
      const name = schema?.$ref?.split('/').at(-1)
      const isEmpty = Object.keys(schemas[name ?? '']?.properties ?? {}).length === 0
      if (name === undefined || isEmpty || example === undefined || !type.endsWith('json')) continue
      examples[name] = [...(examples[name] ?? []), example]
    }
  }
  return examples
}

/** As a newer server sends them: with a type of event, a reason, a code and a member that the document does not have. */
export function newerExamplesOf(document: Document): Examples {
  const { Problem = [], PollReply = [], CallReply = [], ...others } = examplesOf(document)
  const poll = PollReply[0] as { readonly events: readonly object[] }
  const reply = CallReply[0] as { readonly call: object }
  const event = { ...poll.events[0], type: 'call.newer', data: { newer: true } }
  return {
    ...others,
    Problem: [...Problem, { ...(Problem[0] as object), code: 'newer', newer: true }],
    PollReply: [...PollReply, { ...poll, events: [...poll.events, event], newer: true }],
    CallReply: [...CallReply, { ...reply, call: { ...reply.call, state: 'ended', reason: 'newer', newer: true } }]
  }
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

/** `client`: the import path of the client. */
export const goDecoder = (examples: Examples, client: string): string => `package main

import (
	"encoding/json"
	"fmt"
	"os"

	api "${client}"
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

/** `types`: the module of the schemas. */
export const rustDecoder = (examples: Examples, types: string): string => `fn main() {
    let text = std::fs::read_to_string("examples.json").unwrap();
    let examples: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
    for (name, all) in examples {
        for example in all.as_array().unwrap() {
            let result = match name.as_str() {
${Object.keys(examples)
  .map(name => `                "${name}" => serde_json::from_value::<${types}::${name}>(example.clone()).map(|_| ()),`)
  .join('\n')}
                _ => Ok(()),
            };
            result.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}
`

export const javaDecoder = (): string => `import com.google.gson.*;
import java.nio.file.*;
import org.openapitools.client.JSON;

public class Decode {
  public static void main(String[] none) throws Exception {
    new JSON();
    JsonObject examples = JsonParser.parseString(Files.readString(Path.of("examples.json"))).getAsJsonObject();
    for (String name : examples.keySet())
      for (JsonElement example : examples.getAsJsonArray(name))
        JSON.getGson().fromJson(example, Class.forName("org.openapitools.client.model." + name));
  }
}
`

const snakeCase = (name: string) => name.replace(/(?<=.)[A-Z]/g, letter => `_${letter}`).toLowerCase()

export const cDecoder = (examples: Examples): string => `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "external/cJSON.h"
${Object.keys(examples)
  .map(name => `#include "${snakeCase(name)}.h"`)
  .join('\n')}

static void *decode(const char *name, cJSON *example) {
${Object.keys(examples)
  .map(name => `  if (strcmp(name, "${name}") == 0) return ${snakeCase(name)}_parseFromJSON(example);`)
  .join('\n')}
  return NULL;
}

int main(void) {
  FILE *file = fopen("examples.json", "rb");
  static char text[1000000];
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  cJSON *examples = cJSON_Parse(text), *all, *example;
  cJSON_ArrayForEach(all, examples) cJSON_ArrayForEach(example, all) if (decode(all->string, example) == NULL) {
    printf("%s\\n", all->string);
    return 1;
  }
  return 0;
}
`
