export default { entry: "./shared/main.js" };
