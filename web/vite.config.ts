import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// For `npm run dev`: where a server listens that answers what is not a file of ours.
const server = process.env.SUDA_SERVER ?? "http://127.0.0.1:7300";

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: "es2022",
    // The policy allows no inline script and nothing from data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      "/api": server,
      "/ws": { target: server, ws: true },
    },
  },
  test: {
    include: ["src/**/*.test.ts"],
    environment: "node",
  },
});
