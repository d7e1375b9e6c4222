"use client";

import { init, NativeSocketClient } from "everwire/slim";
import { useEffect } from "react";
import { options, show, talk } from "../shared/talk.js";

export function Slim() {
  useEffect(() => {
    init().then(
      () => talk(new NativeSocketClient(options()), "slim"),
      (error) => show("slim", String(error)),
    );
  }, []);
  return <output id="slim" />;
}
