export default [
  { entry: "./common/main.js" },
  { entry: "./common/workers/main.js", output: { path: `${import.meta.dirname}/dist/workers` } },
];
