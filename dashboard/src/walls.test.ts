/** The walls of eslint.config.js, tried: each kind of import that they are there to refuse, from each feature, and what they let through. */
import { readdirSync } from "node:fs";

import { ESLint, Linter } from "eslint";
import { beforeAll, expect, test } from "vitest";

const eslint = new ESLint();
const linter = new Linter();
const WALLS = ["no-restricted-imports", "no-restricted-syntax"] as const;
const features = readdirSync("src/features", { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

/** The configuration loads the parser and the type checker once, which a busy machine takes its time for. */
beforeAll(() => eslint.calculateConfigForFile("src/main.tsx").then(() => undefined), 120_000);

/** How many of these, imported in the file by a statement and by a call, the walls refuse. Other rules need types and do not count here. */
async function refused(file: string, imported: readonly string[]): Promise<number> {
  const config = (await eslint.calculateConfigForFile(file)) as { rules: Linter.RulesRecord };
  const rules = Object.fromEntries(WALLS.flatMap((name) => (config.rules[name] ? [[name, config.rules[name]]] : [])));
  return imported
    .flatMap((one) => [`import * as x from "${one}"; x();`, `export { x } from "${one}";`, `void import("${one}");`])
    .filter((text) => linter.verify(text, { rules }).length > 0).length;
}

test.each(features)("the feature %s knows no other and not the app", async (name) => {
  const other = features.find((one) => one !== name) ?? "";
  const walled = ["~/app/match", `~/features/${other}/api`, `~/features/${other}/deep/down`, `../${other}/api`];
  expect(await refused(`src/features/${name}/api.ts`, walled)).toBe(3 * walled.length);
  expect(await refused(`src/features/${name}/api.ts`, ["~/ui/Button", "~/api/client", `~/features/${name}/api`, "./api", "react"])).toBe(0);
});

test.each([
  ["src/ui/Button.tsx", ["~/app/match", "~/features/keys/api"], ["~/api/client", "./icons"]],
  ["src/api/client.ts", ["~/app/match", "~/features/keys/api", "~/ui/Button"], ["./problem"]],
  ["src/voice/core/session.ts", ["~/api/client", "react", "@tanstack/react-query", "radix-ui"], ["../protocol/events", "./machine"]],
])("%s stands below its wall", async (file, walled, free) => {
  expect(await refused(file, walled)).toBe(3 * walled.length);
  expect(await refused(file, free)).toBe(0);
});
