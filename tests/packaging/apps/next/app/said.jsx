"use client";

import * as hooks from "everwire/react";
import { Said as SharedSaid } from "../common/said.js";

export function Said() {
  return <SharedSaid name="react" hooks={hooks} />;
}
