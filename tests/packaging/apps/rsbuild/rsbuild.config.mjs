export default {
  source: { entry: { index: "./common/main.js" } },
  html: { template: "./index.html" },
};
