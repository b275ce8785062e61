import { defineConfig } from "vitest/config";

// The whole product: the real server, real browsers. One file after the other; each has its own server.
export default defineConfig({
  test: {
    include: ["e2e/**/*.e2e.ts"],
    environment: "node",
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // What is waited for is a screen; on a busy machine that takes as long as it takes.
    expect: { poll: { timeout: 20_000 } },
  },
});
