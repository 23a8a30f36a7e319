#!/bin/sh
# Builds build/rust-scale.so with rustc alone, no crates and no cargo. RUSTC names another compiler than the one in PATH.
set -eu
cd "$(dirname "$0")"
mkdir -p build
# A cdylib shows only what is marked no_mangle, so rustc writes the version script itself. Optimised, and an overflow
# is still a panic, which the plugin turns into an error.
exec "${RUSTC:-rustc}" --edition 2021 --crate-type cdylib --deny warnings \
  -C opt-level=2 -C overflow-checks=on -C link-arg=-Wl,-z,defs -C link-arg=-Wl,-z,now \
  -o build/rust-scale.so src/lib.rs
