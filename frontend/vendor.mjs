// Copies the few files the pages load from node_modules to lims/static/vendor/<name>-<version>/, each folder with its
// LICENSE and a VENDOR.json that names version, integrity and the SHA-256 of every file. Run after `npm ci`.
//
// The expression interpreter that a strict content-security policy needs is part of vega-embed's own bundle.

import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "..", "lims", "static", "vendor");

const COPIED = {
  bootstrap: ["dist/css/bootstrap.min.css", "dist/js/bootstrap.bundle.min.js"],
  vega: ["build/vega.min.js"],
  "vega-lite": ["build/vega-lite.min.js"],
  "vega-embed": ["build/vega-embed.min.js"],
};

// Icons the templates use, by their name in Bootstrap Icons; they become the symbols of one sprite.
const ICONS = [
  "arrow-down", "arrow-left-right", "arrow-up", "bell-fill", "bookmark", "box-arrow-in-right", "box-arrow-right",
  "box-seam", "bullseye", "calendar-check", "capsule", "card-checklist", "check-circle", "chevron-down",
  "clipboard-data", "clock-history", "cloud-upload", "diagram-3", "download", "exclamation-octagon-fill",
  "exclamation-triangle-fill", "eye", "eyedropper", "file-earmark-check", "file-earmark-spreadsheet", "flag", "folder2",
  "gear", "graph-up", "grid", "grid-3x3-gap", "heart-pulse", "house", "info-circle-fill", "journal-check", "key",
  "list-ul", "lock", "pause-circle", "pencil", "people", "person", "person-vcard", "plus-lg", "printer",
  "question-circle", "rulers", "scissors", "search", "shield-check", "shuffle", "slash-circle", "snow", "table", "tag",
  "thermometer-half", "trash", "truck", "upc-scan", "upload", "x-circle", "x-lg",
];

async function sprite(root) {
  const symbols = [];
  for (const name of ICONS) {
    const svg = await readFile(join(root, "icons", `${name}.svg`), "utf8");
    const viewBox = svg.match(/viewBox="([^"]+)"/)[1];
    const inner = svg.replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>[\s\S]*$/, "").replace(/\s*\n\s*/g, "");
    symbols.push(`<symbol id="${name}" viewBox="${viewBox}">${inner}</symbol>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
}

async function vendor(name, contents, lock) {
  const root = join(here, "node_modules", name);
  const { version, license } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const folder = join(target, `${name}-${version}`);
  await mkdir(folder, { recursive: true });
  const files = {};
  for (const [file, content] of Object.entries({ ...contents, LICENSE: await readFile(join(root, "LICENSE")) })) {
    await writeFile(join(folder, file), content);
    files[file] = createHash("sha256").update(content).digest("hex");
  }
  const { integrity } = lock.packages[`node_modules/${name}`];
  await writeFile(join(folder, "VENDOR.json"), JSON.stringify({ name, version, license, integrity, files }, null, 2) + "\n");
}

const lock = JSON.parse(await readFile(join(here, "package-lock.json"), "utf8"));
await rm(target, { recursive: true, force: true });
for (const [name, paths] of Object.entries(COPIED)) {
  const contents = {};
  for (const path of paths) contents[basename(path)] = await readFile(join(here, "node_modules", name, path));
  await vendor(name, contents, lock);
}
await vendor("bootstrap-icons", { "icons.svg": await sprite(join(here, "node_modules", "bootstrap-icons")) }, lock);
