"use client";

import { NativeSocketClient } from "everwire";
import { useEffect } from "react";
import { options, talk } from "../shared/talk.js";

export function Default() {
  useEffect(() => talk(new NativeSocketClient(options()), "default"), []);
  return <output id="default" />;
}
