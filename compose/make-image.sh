#!/usr/bin/env bash
# Makes the image holdfast:local from this checkout, without a registry: the base is the pinned Node binary with the
# libraries it names, the product is the workspace as it stands (packages, their dependencies, the built page).
set -euo pipefail
cd "$(dirname "$0")/.."

node_binary=node_modules/nodejs/bin/node
[ -x "$node_binary" ] || { echo "Run npm start or npm test once first: they bring the dependencies." >&2; exit 1; }
[ -f packages/web/dist/index.html ] || { echo "The page is not built yet: run npm start once." >&2; exit 1; }

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage"/{bin,tmp,data,etc,app}
chmod 1777 "$stage/tmp"
cp "$node_binary" "$stage/bin/node"
# Every library that the binary and the LevelDB addon name, at the path where the loader looks for it.
addon=$(find node_modules/.pnpm -path '*classic-level*/prebuilds/linux-*' -name '*glibc*.node' | head -n 1)
for object in "$node_binary" ${addon:+"$addon"}; do
  ldd "$object" | grep -o '/[^ ]*' | while read -r library; do
    mkdir -p "$stage$(dirname "$library")"
    cp -Lu "$library" "$stage$library"
  done
done
printf 'root:x:0:0:root:/:/bin/node\n' > "$stage/etc/passwd"
printf 'hosts: files dns\n' > "$stage/etc/nsswitch.conf"
tar -C . --exclude=.git --exclude=data --exclude='node_modules/.pnpm/node@*' --exclude='node_modules/.pnpm/*typescript*' \
  --exclude='node_modules/.pnpm/@bufbuild+buf*' --exclude='node_modules/.pnpm/oxlint*' --exclude='node_modules/.pnpm/@oxlint*' \
  -cf - package.json node_modules packages | tar -C "$stage/app" -xf -
tar -C "$stage" -cf - . | docker import --change 'WORKDIR /app' --change 'ENTRYPOINT ["/bin/node"]' - holdfast:local
