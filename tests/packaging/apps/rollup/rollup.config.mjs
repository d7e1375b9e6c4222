import commonjs from "@rollup/plugin-commonjs";
import nodeResolve from "@rollup/plugin-node-resolve";
import replace from "@rollup/plugin-replace";

export default {
  input: "common/main.js",
  output: { dir: "dist", format: "es" },
  // The last two are for React.
  plugins: [
    nodeResolve(),
    commonjs(),
    replace({ preventAssignment: true, "process.env.NODE_ENV": JSON.stringify("production") }),
  ],
};
