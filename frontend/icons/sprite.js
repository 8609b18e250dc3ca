// The icons named in names.json as one SVG sprite, so that a page loads one cached file and no icon font.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The <symbol> of one Bootstrap icon: its drawing without the outer <svg>. */
function symbol(name, folder) {
  const drawing = readFileSync(join(folder, `${name}.svg`), "utf8");
  const viewBox = /viewBox="([^"]+)"/.exec(drawing)[1];
  const inner = drawing.replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "").trim();
  return `<symbol id="${name}" viewBox="${viewBox}">${inner}</symbol>`;
}

/** A Vite plugin that emits `icons.svg` and lists it in the manifest as if it were a source file. */
export function iconSprite(namesFile, folder) {
  return {
    name: "icon-sprite",
    apply: "build",
    buildStart() {
      this.addWatchFile(namesFile);
      const names = JSON.parse(readFileSync(namesFile, "utf8"));
      const body = names.map((name) => symbol(name, folder)).join("\n");
      this.emitFile({
        type: "asset",
        name: "icons.svg",
        originalFileName: "src/icons.svg",
        source: `<svg xmlns="http://www.w3.org/2000/svg">\n${body}\n</svg>\n`,
      });
    },
  };
}
