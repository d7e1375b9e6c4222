/** What is installed for an application, and which folder of `apps` it is made from. */
export interface Toolchain {
  readonly template: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

const react = { react: "19.3.1", "react-dom": "19.3.1" };

/** Every version, in one place. */
export const TOOLCHAINS = {
  "vite-7": { template: "vite", dependencies: { ...react, vite: "7.3.8" } },
  "vite-8": { template: "vite", dependencies: { ...react, vite: "8.3.8" } },
} satisfies Record<string, Toolchain>;
