#!/usr/bin/env bash
# Unpacks kept inputs and runs a fuzz target over them: run_corpus.sh TARGET ARCHIVE FOLDER
set -euo pipefail
rm -rf "$3"
mkdir -p "$3"
tar -xzf "$2" -C "$3"
"$1" "$3"
