// `node run.mjs MODULE URL TOKEN` lives a record's life with a compiled module; the record is its input.
import { readFileSync } from "node:fs";

const [module, url, token] = process.argv.slice(2);
const { live } = await import(`./out/${module}.js`);
await live(url, token, JSON.parse(readFileSync(0, "utf-8")));
