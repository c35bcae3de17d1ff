#!/usr/bin/env bash
# Makes an image (holdfast:local, or the name given) from this checkout, without a registry. Its base is the pinned Node
# binary with the libraries it names and is kept between runs; above it are a layer of dependencies and one of ours.
set -euo pipefail
cd "$(dirname "$0")/.."

image=${1:-holdfast:local}
node_binary=node_modules/nodejs/bin/node
[ -x "$node_binary" ] || { echo "Run npm start or npm test once first: they bring the dependencies." >&2; exit 1; }
[ -f packages/web/dist/index.html ] || { echo "The page is not built yet: run npm start once." >&2; exit 1; }

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

# Every library that the binary and the LevelDB addon name, at the path where the loader looks for it.
addon=$(find node_modules/.pnpm -path '*classic-level*/prebuilds/linux-*' -name '*glibc*.node' | head -n 1)
libraries=$(for object in "$node_binary" ${addon:+"$addon"}; do ldd "$object" | grep -o '/[^ ]*'; done | sort -u)
base=holdfast-base:$("$node_binary" --version)-$(echo "$libraries" | xargs stat -Lc '%n %s' | sha256sum | cut -c 1-12)
if ! docker image inspect "$base" >/dev/null 2>&1; then
  mkdir -p "$stage/base"/{bin,tmp,data,etc,app}
  chmod 1777 "$stage/base/tmp"
  cp "$node_binary" "$stage/base/bin/node"
  for library in $libraries; do
    mkdir -p "$stage/base$(dirname "$library")"
    cp -Lu "$library" "$stage/base$library"
  done
  printf 'root:x:0:0:root:/:/bin/node\n' > "$stage/base/etc/passwd"
  printf 'hosts: files dns\n' > "$stage/base/etc/nsswitch.conf"
  tar -C "$stage/base" -cf - . | docker import --change 'WORKDIR /app' --change 'ENTRYPOINT ["/bin/node"]' - "$base" >/dev/null
fi

mkdir "$stage/context"
"$node_binary" tools/runtime-files.ts > "$stage/files"
tar --exclude='*.test.ts' -cf - -T "$stage/files" | tar -C "$stage/context" -xf -
cat > "$stage/context/Dockerfile" <<END
FROM $base
COPY node_modules /app/node_modules
COPY package.json /app/
COPY packages /app/packages
END
# The classic builder is part of every engine; what it has to say about its age helps nobody.
DOCKER_BUILDKIT=0 docker build --quiet --tag "$image" "$stage/context" 2>"$stage/complaints" || { cat "$stage/complaints" >&2; exit 1; }
