const manifest = require("everwire/package.json");

const entries = Object.keys(manifest.exports).filter((entry) => !/^\.\/(wasm|package\.json)$/.test(entry));
for (const entry of entries) {
  const name = entry.replace(/^\./, "everwire");
  import(name).then((module) => {
    const names = Object.keys(module);
    const isSame = () => Object.keys(require(name)).sort().join() === names.sort().join();
    if (names.length === 0 || (name !== "everwire/slim" && !isSame())) throw new Error(`${name} has other exports`);
  });
}
