#!/usr/bin/env bash
# Generates the REST client into generated/, and compiles it and Client.java into $WORK/java.
set -euo pipefail
cd "$(dirname "$0")"

WORK=${WORK:-$PWD/.build}
GENERATOR=org.openapitools:openapi-generator-cli:7.25.0
JAR=$WORK/openapi-generator-cli-7.25.0.jar
mkdir -p "$WORK/java"
[ -f "$JAR" ] || mvn -q -B dependency:copy -Dartifact=$GENERATOR -DoutputDirectory="$WORK"

# Compiling it takes a minute, so only if the document has changed.
if ! cmp -s ../../../openapi/openapi-3.0.yaml "$WORK/java/openapi.yaml"; then
  rm -rf generated "$WORK/java/api.jar"
  java -jar "$JAR" generate -g java --library native -i ../../../openapi/openapi-3.0.yaml -o generated >"$WORK/java/generate.log"
  mvn -q -B -f generated/pom.xml -Dmaven.test.skip package dependency:build-classpath -Dmdep.outputFile="$WORK/java/classpath"
  cp generated/target/openapi-java-client-*[0-9].jar "$WORK/java/api.jar"
  cp ../../../openapi/openapi-3.0.yaml "$WORK/java/openapi.yaml"
fi
javac -cp "$WORK/java/api.jar:$(cat "$WORK/java/classpath")" -d "$WORK/java" Client.java
