// Builds every page's script and the one style sheet into the Python package.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { iconSprite } from "./icons/sprite.js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** One entry a page that needs a script; `site` and `theme` are on every page. */
const entries = [
  "theme.scss",
  "site.ts",
  "lesson.ts",
  "enrol.ts",
  "practice.ts",
  "upload.ts",
  "timeline.ts",
  "cohort.ts",
  "cheat.ts",
];

export default defineConfig({
  root: here("."),
  base: "./",
  publicDir: false,
  plugins: [iconSprite(here("icons/names.json"), here("node_modules/bootstrap-icons/icons"))],
  css: {
    preprocessorOptions: {
      scss: {
        loadPaths: [here("node_modules")],
        quietDeps: true,
        // Bootstrap 5.3 is written with @import and global functions; its own next major version changes that.
        silenceDeprecations: ["import", "global-builtin", "color-functions", "if-function", "legacy-js-api"],
      },
    },
  },
  build: {
    target: ["chrome87", "safari14"],
    outDir: process.env.XUEJI_ASSETS ?? here("../platform/xueji/web/static/built"),
    emptyOutDir: true,
    manifest: true,
    assetsDir: ".",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: Object.fromEntries(entries.map((name) => [name.replace(/\.\w+$/, ""), here(`src/${name}`)])) },
  },
});
