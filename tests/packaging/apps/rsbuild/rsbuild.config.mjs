export default {
  source: { entry: { index: "./shared/main.js" } },
  html: { template: "./index.html" },
};
