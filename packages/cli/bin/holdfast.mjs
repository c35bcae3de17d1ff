#!/usr/bin/env node
// Hands over to the pinned Node, which runs the TypeScript directly; works from Node 20 on.
import { realpathSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const packageRoot = path.dirname(path.dirname(realpathSync(fileURLToPath(import.meta.url))));
process.argv.splice(2, 0, "holdfast");
await import(path.join(packageRoot, "..", "..", "tools", "launch.mjs"));
