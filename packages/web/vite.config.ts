import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { leanDescriptors } from "./build/lean-descriptors.ts";

/**
 * What the first view of Drive needs, in one chunk: one file compresses better than ten that share pieces with the later ones. The
 * size gate (tests/e2e) fails when something here grows too much or a lazy part slips in.
 */
const firstView = new RegExp(
  [
    "node_modules/(react|react-dom|scheduler|zustand|use-sync-external-store)/",
    "node_modules/@(tanstack|connectrpc|bufbuild)/",
    "packages/(base/src/(?!join-token)|proto/src/)",
    "packages/web/src/(lib|app/(main|router|shell|start-failure)|features/auth/session|features/files/(?!trash|details|drive-overlays|folder-tree|live)|ui/(?!menu-host|modal|tooltip|toasts\\.))",
  ].join("|"),
);

/** Puts compressed forms beside every text file; gateways send them as they are. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    async writeBundle(output) {
      const directory = output.dir ?? "dist";
      for (const item of await readdir(directory, { recursive: true, withFileTypes: true })) {
        if (!item.isFile() || !/\.(js|css|html|svg)$/.test(item.name)) continue;
        const path = join(item.parentPath, item.name);
        const bytes = await readFile(path);
        await writeFile(`${path}.gz`, gzipSync(bytes, { level: 9 }));
        await writeFile(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));
      }
    },
  };
}

/** The page: a static bundle that any gateway serves. `vite dev` passes calls on to a gateway on 8080. */
export default defineConfig(({ command }) => {
  // A build that a test starts inherits its NODE_ENV, with which React would be the slow, half as large again one.
  if (command === "build") process.env["NODE_ENV"] = "production";
  return {
    plugins: [
      leanDescriptors({
        folder: fileURLToPath(new URL("../proto/src/gen/", import.meta.url)),
        services: [
          "holdfast.drive.v1.SessionService",
          "holdfast.drive.v1.DriveService",
          "holdfast.drive.v1.AdminService",
          "holdfast.fleet.v1.FleetQueryService",
        ],
      }),
      react(),
      compressed(),
    ],
    build: {
      target: "es2024",
      sourcemap: false,
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: { output: { codeSplitting: { groups: [{ name: "drive", test: firstView }] } } },
    },
    server: {
      proxy: { "/api": "http://127.0.0.1:8080", "/holdfast.": "http://127.0.0.1:8080" },
    },
  };
});
