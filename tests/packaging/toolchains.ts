/** What is installed for an application, and which folder of `apps` it has besides `common`. */
export interface Toolchain {
  readonly template?: string;
  readonly dependencies: Readonly<Record<string, string>>;
  /** Further members of the application's `package.json`. */
  readonly manifest?: object;
}

const react = { react: "19.3.1", "react-dom": "19.3.1" };
const typesOfReact = { "@types/react": "19.2.0" };

/** Every version, in one place. */
export const TOOLCHAINS = {
  "vite-7": { dependencies: { ...react, vite: "7.3.8" } },
  "vite-8": { dependencies: { ...react, vite: "8.3.8" } },
  "webpack-5": { template: "webpack", dependencies: { ...react, webpack: "5.113.0", "webpack-cli": "7.3.1" } },
  "rsbuild-2": { template: "rsbuild", dependencies: { ...react, "@rsbuild/core": "2.3.2" } },
  esbuild: { template: "esbuild", dependencies: { ...react, esbuild: "0.28.2" } },
  "rollup-4": {
    template: "rollup",
    dependencies: {
      ...react,
      "@rollup/plugin-commonjs": "29.0.3",
      "@rollup/plugin-node-resolve": "16.0.3",
      "@rollup/plugin-replace": "6.0.3",
      rollup: "4.68.8",
    },
  },
  "parcel-2": {
    dependencies: { ...react, parcel: "2.16.4" },
    manifest: { "@parcel/resolver-default": { packageExports: true } },
  },
  "next-16": { template: "next", dependencies: { ...react, next: "16.4.6" } },
  importmap: { template: "importmap", dependencies: {} },
  node: { template: "node", dependencies: { react: react.react, ws: "8.23.0" } },
  "vitest-4": { template: "vitest", dependencies: { ...react, jsdom: "26.1.0", vitest: "4.1.12", ws: "8.23.0" } },
  "jest-30": {
    template: "jest",
    dependencies: { ...react, jest: "30.5.2", "jest-environment-jsdom": "30.5.2", ws: "8.23.0" },
  },
  "typescript-5": { template: "typescript", dependencies: { ...typesOfReact, typescript: "5.9.3" } },
  "typescript-7": { template: "typescript", dependencies: { ...typesOfReact, typescript: "7.0.2" } },
} satisfies Record<string, Toolchain>;
