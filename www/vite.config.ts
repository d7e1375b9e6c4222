import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `npx vite` serves the page with hot reload and leaves the API to a running `cargo xtask demo`.
const api = "http://127.0.0.1:8787";

export default defineConfig({
  plugins: [react()],
  server: {
    proxy: {
      "/api": { target: api, ws: true },
      "/dev": { target: api },
    },
  },
});
