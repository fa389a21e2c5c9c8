import hooks from "eslint-plugin-react-hooks";
import { readdirSync } from "node:fs";
import tseslint from "typescript-eslint";

const features = readdirSync(new URL("./src/features", import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

/** `beyond`: a regular expression of what import() may not name either; the rule above sees no call. */
const wall = (patterns, message, beyond) => ({
  "no-restricted-imports": ["error", { patterns: [{ group: patterns, message }] }],
  "no-restricted-syntax": ["error", { selector: `ImportExpression[source.value=/${beyond.replaceAll("/", "\\u002F")}/]`, message }],
});

export default tseslint.config(
  { ignores: ["node_modules", "src/api/schema.d.ts", "eslint.config.js"] },
  ...tseslint.configs.strictTypeChecked,
  hooks.configs.flat.recommended,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "max-lines": ["error", { max: 250, skipBlankLines: true, skipComments: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // Handlers may start something; what fails is shown by the mutation that owns it.
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      // TypeScript itself tells what is unused (noUnusedLocals, noUnusedParameters).
      "@typescript-eslint/no-unused-vars": "off",
      // The router throws its redirects by design.
      "@typescript-eslint/only-throw-error": "off",
    },
  },
  // The walls: app > features > ui > api; a feature knows no other feature.
  ...features.map((name) => ({
    files: [`src/features/${name}/**`],
    rules: wall(
      ["~/app/*", ...features.filter((other) => other !== name).map((other) => `~/features/${other}/*`), "../*"],
      "A feature uses ui/ and api/ alone, never another feature or the app around it.",
      `^(~/app/|~/features/(?!${name}/)|\\.\\./)`,
    ),
  })),
  { files: ["src/ui/**"], rules: wall(["~/app/*", "~/features/*"], "ui/ knows neither features nor the app.", "^~/(app|features)/") },
  {
    files: ["src/voice/**"],
    rules: wall(["~/*", "react", "react-dom", "react/*", "@tanstack/*", "radix-ui"], "voice/ is a core of its own: no framework, and nothing of the dashboard.", "^(~/|react|@tanstack/|radix-ui)"),
  },
  // The one owner of a conversation: what is left in it is its lifetime, whose order (microphone first) is read in one place.
  { files: ["src/voice/core/session.ts"], rules: { "max-lines": ["error", { max: 275, skipBlankLines: true, skipComments: true }] } },
  { files: ["src/api/**"], rules: wall(["~/app/*", "~/features/*", "~/ui/*"], "api/ stands below everything.", "^~/(app|features|ui)/") },
);
