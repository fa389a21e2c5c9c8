import { fileURLToPath } from "node:url";

import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// The server adds a digest of all files to their address (src/opencto/dashboard/assets.py), so the names carry none.
export default defineConfig({
  base: "./",
  publicDir: false,
  plugins: [react()],
  resolve: {
    alias: {
      "~": here("./src"),
      // Radix' own scroll lock writes a <style> element, which our content security policy refuses.
      "react-remove-scroll": here("./src/ui/scrollLock.tsx"),
    },
  },
  worker: { format: "es", rolldownOptions: { output: { entryFileNames: "app-[name].js" } } },
  build: {
    outDir: here("../src/opencto/dashboard/app"),
    emptyOutDir: true,
    target: "es2023",
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      input: here("./src/main.tsx"),
      output: {
        entryFileNames: "app.js",
        chunkFileNames: "app-[name].js",
        assetFileNames: "app[extname]",
      },
    },
  },
});
