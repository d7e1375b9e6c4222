// What the bench calls in the page.

import { measureConnect, measureEmotion, measureMessage, measureToken, measureTyping } from "./latency.mjs";
import { makeClients } from "./memory.mjs";
import { measureHook, measureUpdate } from "./react.mjs";
import { openMany, whenBack } from "./restart.mjs";

Object.assign(window, {
  measureConnect,
  measureEmotion,
  measureHook,
  measureMessage,
  measureToken,
  measureTyping,
  measureUpdate,
  makeClients,
  openMany,
  whenBack,
});
