import { expect, it } from "vitest";
import { rootPath } from "./harness/paths";
import { runModule } from "./harness/run";

it("renderings that come to nothing leave no subscription once they are collected", async () => {
  const outcome = await runModule(
    `
      import { NativeSocketClient } from "everwire";
      import { useEvent, useEventState, WebSocketProvider } from "everwire/react";
      import { createElement } from "react";
      import { renderToString } from "react-dom/server";

      const client = new NativeSocketClient({ url: "http://server.test" });
      let subscriptions = 0;
      client.on = () => {
        subscriptions++;
        return () => subscriptions--;
      };
      // A rendering on a server commits nothing; where there is a window, it looks like one that was interrupted.
      globalThis.window = globalThis;
      function Listening() {
        useEvent("score", () => {});
        return useEventState("score", (sum) => sum + 1, 0);
      }
      for (let n = 0; n < 1_000; n++) {
        renderToString(createElement(WebSocketProvider, { client }, createElement(Listening)));
      }
      const most = subscriptions;
      while (subscriptions > 0) {
        gc();
        await new Promise((resolve) => setTimeout(resolve));
      }
      process.stdout.write(String(most));
    `,
    rootPath("tests/js"),
    ["--expose-gc", "--conditions=production"],
  );
  expect(outcome).toEqual({ status: 0, output: "2000" });
});
