"use client";

import * as hooks from "everwire/react/slim";
import { init, NativeSocketClient } from "everwire/slim";
import { useEffect, useState } from "react";
import { Said } from "../common/said.js";
import { options, show, talk } from "../common/talk.js";

export function Slim() {
  const [client, setClient] = useState();
  useEffect(() => {
    init().then(
      () => {
        talk(new NativeSocketClient(options()), "slim");
        setClient(new NativeSocketClient(options()));
      },
      (error) => show("slim", String(error)),
    );
  }, []);
  return (
    <>
      <output id="slim" />
      {client && (
        <hooks.WebSocketProvider client={client}>
          <Said name="react-slim" hooks={hooks} />
        </hooks.WebSocketProvider>
      )}
    </>
  );
}
