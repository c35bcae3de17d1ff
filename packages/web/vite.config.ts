import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The page: a static bundle that any gateway serves. `vite dev` passes calls on to a gateway on 8080 (or HOLDFAST_DEV_GATEWAY). */
export default defineConfig({
  plugins: [react()],
  build: { target: "es2023", sourcemap: false, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: {
    proxy: { "/api": "http://127.0.0.1:8080", "/holdfast.": "http://127.0.0.1:8080" },
  },
});
