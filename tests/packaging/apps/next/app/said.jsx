"use client";

import * as hooks from "everwire/react";
import { Said as SharedSaid } from "../shared/said.js";

export function Said() {
  return <SharedSaid name="react" hooks={hooks} />;
}
