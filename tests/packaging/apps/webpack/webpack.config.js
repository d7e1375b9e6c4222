export default [
  { entry: "./shared/main.js" },
  { entry: "./shared/workers/main.js", output: { path: `${import.meta.dirname}/dist/workers` } },
];
