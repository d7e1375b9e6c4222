"use client";

import { NativeSocketClient } from "everwire";
import { useEffect } from "react";
import { mistake, options, talk } from "../common/talk.js";

export function Default() {
  useEffect(() => talk(new NativeSocketClient({ ...options(), ...mistake }), "default"), []);
  return <output id="default" />;
}
