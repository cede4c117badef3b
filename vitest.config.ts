import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.db.test.ts", "test/**/*.aws.test.ts", "test/acceptance/**"],
          // A pipeline's program registers more than 300 resources: under load that takes longer than the usual 5 s.
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: "database",
          include: ["test/**/*.db.test.ts"],
          exclude: ["test/acceptance/**"],
          testTimeout: 30_000,
          hookTimeout: 30_000,
          globalSetup: ["test/support/postgres.ts"],
        },
      },
      {
        test: {
          name: "emulator",
          include: ["test/**/*.aws.test.ts"],
          testTimeout: 30_000,
          hookTimeout: 30_000,
          globalSetup: ["test/support/emulator.ts"],
          env: { AWS_ACCESS_KEY_ID: "testing", AWS_SECRET_ACCESS_KEY: "testing", AWS_REGION: "eu-west-1" },
        },
      },
      {
        test: {
          name: "acceptance",
          include: ["test/acceptance/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          // They wait for leases and engines most of the time; more at once, and two cores would let leases lapse by themselves.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
