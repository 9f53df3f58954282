// Reads every diagram named on the command line with Mermaid's own parser, which wants a page around it.
import { readFileSync } from "node:fs";
import { JSDOM } from "jsdom";

const { window } = new JSDOM("");
Object.assign(globalThis, { window, document: window.document });
const { default: mermaid } = await import("mermaid");

for (const path of process.argv.slice(2)) {
  await mermaid.parse(readFileSync(path, "utf8")).catch((error) => {
    console.error(`${path}: ${error.message}`);
    process.exitCode = 1;
  });
}
